//! What an operator grants a plugin, and what can be seen of its calls.

use alerts_test_support::postgres::fresh_database;
use serde_json::json;

use crate::guest::{Target, step};
use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::plugins::renamed;
use crate::support::process::{HostProcess, command, ended, free_address};
use crate::support::receiver::Receiver;

/// Sends test alerts, each of them an attempt, and says what became of it.
struct Tester {
    api: Api,
    path: String,
}

impl Tester {
    async fn with(api: &Api, wasm: Vec<u8>) -> (Self, String) {
        let id = api.install(wasm).await["id"].as_str().unwrap().to_owned();
        let endpoint = api.endpoint("https://example.com/", json!({"target": id})).await;
        let path = format!("/v1/webhooks/{}/preview", endpoint["id"].as_str().unwrap());
        (Self { api: api.clone(), path }, id)
    }

    /// `None` when the adapter answered, else what it was stopped with.
    async fn stopped_with(&self) -> Option<String> {
        let answer = self.api.post(&self.path, json!({})).await;
        match answer.status {
            200 => None,
            _ => Some(answer.body["detail"].as_str().unwrap().to_owned()),
        }
    }
}

fn rounds(id: &'static str, count: u32) -> Target {
    Target::new().id(id).before_answering(&format!(
        "(loop $on
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $on (i32.lt_u (local.get $i) (i32.const {count}))))"
    ))
}

#[tokio::test]
async fn a_limit_raised_lets_a_plugin_work_and_one_lowered_stops_it_and_no_other() {
    let host = TestHost::start().await;
    let memory = Target::new().id("memory").before_answering(
        "(if (i32.eq (memory.grow (i32.const 1598)) (i32.const -1)) (then unreachable))",
    );
    let output = Target::new()
        .id("output")
        .answering(|image| image.words(&step::rejected([1 << 20, (1 << 20) + 1])))
        .memory("(memory (export \"memory\") 600)");
    // Half a second and more, and 2,000,000,000 units of fuel.
    let slow = rounds("slow", 400_000_000).pack();
    let cases = [
        (rounds("fuel", 100_000_000).pack(), "fuel", 50_000_000_000_u64, 1_000_u64, "fuel"),
        (memory.pack(), "memory_bytes", 100 << 20, 1 << 20, "memory"),
        (output.pack(), "output_bytes", 2 << 20, 1, "returned more"),
    ];
    let (healthy, _) = Tester::with(&host.api, renamed("healthy", "1.0.0")).await;
    for (wasm, limit, more, less, words) in cases {
        let (tester, id) = Tester::with(&host.api, wasm).await;
        let path = format!("/v1/plugins/{id}/limits");
        for granted in [None, Some(more), Some(less), Some(more), None] {
            // So much time that a busy machine is not what stops it.
            let mut body = json!({"deadline_ms": 30_000});
            if let Some(granted) = granted {
                body[limit] = json!(granted);
            }
            assert_eq!(host.api.put(&path, &body).await.expect(200), body);
            assert_eq!(host.api.get(&path).await.expect(200), body);
            let stopped = tester.stopped_with().await;
            assert_eq!(stopped.is_none(), granted == Some(more), "{limit} {granted:?} {stopped:?}");
            if let Some(told) = stopped {
                assert!(told.contains(words) && told.contains(&path), "{told}");
            }
            let shown = &host.api.plugin(&id).await["limits"][limit];
            let decided_by = if granted.is_some() { "operator" } else { "default" };
            assert_eq!(shown["decided_by"], decided_by, "{shown}");
            assert!(granted.is_none_or(|granted| shown["value"] == granted), "{shown}");
            assert_eq!(healthy.stopped_with().await, None);
        }
    }
    let (tester, _) = Tester::with(&host.api, slow).await;
    let path = "/v1/plugins/slow/limits";
    for (deadline_ms, works) in [(1, false), (30_000, true), (1, false)] {
        let body = json!({"deadline_ms": deadline_ms, "fuel": 50_000_000_000_u64});
        host.api.put(path, &body).await.expect(200);
        let stopped = tester.stopped_with().await;
        assert_eq!(stopped.is_none(), works, "{stopped:?}");
        assert!(stopped.is_none_or(|told| told.contains("was stopped after 1 ms")));
    }
}

#[tokio::test]
async fn the_number_of_requests_in_an_attempt_is_granted_too() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    // Wants one request after the other.
    let url = receiver.url("/in");
    let wants = Target::new().id("wants").answering(|image| {
        let ([m, ml], [u, ul]) = (image.bytes(b"POST"), image.bytes(url.as_bytes()));
        image.words(&[step::SEND, 0, m, ml, u, ul, 0, 0, 0, 0, 0, 0, 0])
    });
    host.api.install(wants.pack()).await;
    let endpoint = host.api.endpoint(&url, json!({"target": "wants"})).await;
    host.api.rule(&endpoint, json!({})).await;
    let mut before = 0;
    for (granted, sent) in
        [(json!({}), 8), (json!({"exchanges": 11}), 11), (json!({"exchanges": 2}), 2)]
    {
        host.api.put("/v1/plugins/wants/limits", &granted).await.expect(200);
        host.api.event(failed(&format!("evt-{sent}"))).await;
        eventually("the attempt is over", async || {
            let deliveries = host.api.deliveries().await;
            (deliveries[0]["status"] == "dead").then_some(())
        })
        .await;
        assert_eq!(receiver.received().len() - before, sent);
        before += sent;
        let told = host.api.deliveries().await[0]["last_error"].as_str().unwrap().to_owned();
        let words = format!("wanted more than {sent} requests");
        assert!(told.contains(&words) && told.contains("/v1/plugins/wants/limits"), "{told}");
    }
}

#[tokio::test]
async fn a_limit_out_of_range_is_refused_with_the_range_and_changes_nothing() {
    let host = TestHost::start().await;
    let good = json!({"fuel": 7, "exchanges": 64});
    host.api.put("/v1/plugins/http/limits", &good).await.expect(200);
    for (plugin, body, pointers, range) in [
        ("http", json!({"fuel": 0}), vec!["/fuel"], "from 1 to 50000000000"),
        ("http", json!({"deadline_ms": -1}), vec!["/deadline_ms"], "from 1 to 30000"),
        ("http", json!({"memory_bytes": 1.5}), vec!["/memory_bytes"], "from 1 to 1073741824"),
        ("http", json!({"output_bytes": 1_u64 << 40}), vec!["/output_bytes"], "from 1 to 33554432"),
        ("http", json!({"exchanges": 65, "fuel": 0}), vec!["/fuel", "/exchanges"], "from 1 to 64"),
        ("http", json!({"fuel": "1"}), vec!["/fuel"], "number"),
        ("http", json!({"threads": 1}), vec!["/threads"], "unknown field"),
        ("cel", json!({"deadline_ms": 5_001}), vec!["/deadline_ms"], "from 1 to 5000"),
        ("cel", json!({"exchanges": 1}), vec!["/exchanges"], "sends no requests"),
    ] {
        let answer = host.api.put(&format!("/v1/plugins/{plugin}/limits"), &body).await;
        let text = answer.text();
        assert_eq!(answer.problem(400), pointers, "{body}");
        assert!(text.contains(range), "{text}");
    }
    assert_eq!(host.api.get("/v1/plugins/http/limits").await.expect(200), good);
    host.api.put("/v1/plugins/none/limits", &json!({})).await.problem(404);
    host.api.get("/v1/plugins/none/limits").await.problem(404);
    let key =
        host.api.post("/v1/api-keys", json!({"name": "a", "role": "admin"})).await.expect(201);
    let admin = host.api.with("x-api-key", key["key"].as_str());
    admin.put("/v1/plugins/http/limits", &json!({})).await.problem(403);
    admin.get("/v1/plugins/http/limits").await.problem(403);
}

#[tokio::test]
async fn limits_outlive_a_restart_and_stand_in_the_hosts_own_audit_log() {
    let mut host = TestHost::start().await;
    host.api.put("/v1/plugins/http/limits", &json!({"fuel": 123_456_789})).await.expect(200);
    host.api.put("/v1/plugins/http/grants", &json!({"grants": []})).await.expect(200);
    host.api.install(renamed("mine", "1.0.0")).await;
    host.restart().await;
    let fuel = &host.api.plugin("http").await["limits"]["fuel"];
    assert_eq!(
        *fuel,
        json!({"value": 123_456_789, "decided_by": "operator", "ceiling": 50_000_000_000_u64})
    );

    let operator = host.api.with("x-exosphere-namespace", None);
    let log = operator.get("/v1/audit").await.expect(200);
    let actions: Vec<_> = log["data"].as_array().unwrap().iter().map(|e| &e["action"]).collect();
    for action in ["plugin.limited", "plugin.granted", "plugin.uploaded"] {
        assert!(actions.contains(&&json!(action)), "{actions:?}");
    }
    let limited = log["data"].as_array().unwrap().iter().find(|e| e["action"] == "plugin.limited");
    assert_eq!(limited.unwrap()["resource"], "http");
    assert_eq!(limited.unwrap()["detail"]["after"]["fuel"], 123_456_789);
    let verified = operator.get("/v1/audit/verify").await.expect(200);
    assert_eq!(verified["intact"], true, "{verified}");
    assert!(verified["entries"].as_i64().unwrap() >= 3, "{verified}");
    // The tenant's log is another one, and its keys do not reach the host's.
    let own = host.api.get("/v1/audit").await.expect(200);
    assert!(!own.to_string().contains("plugin."), "{own}");
    let key =
        host.api.post("/v1/api-keys", json!({"name": "a", "role": "admin"})).await.expect(201);
    let admin = operator.with("x-api-key", key["key"].as_str());
    let seen = admin.get("/v1/audit").await.expect(200);
    assert!(!seen.to_string().contains("plugin."), "{seen}");
}

#[tokio::test]
async fn a_plugin_shows_its_calls_and_a_storm_of_traps_opens_its_circuit() {
    let host = TestHost::start().await;
    let broken = Target::new().id("broken").before_answering("unreachable").pack();
    let (tester, _) = Tester::with(&host.api, broken).await;
    // It was asked once when the endpoint was saved, and crashed then too.
    for _ in 0..31 {
        assert!(tester.stopped_with().await.unwrap().contains("crashed"));
    }
    assert!(tester.stopped_with().await.unwrap().contains("rests for"));
    let shown = host.api.plugin("broken").await;
    let (stats, circuit) = (&shown["stats"], &shown["circuit"]);
    assert_eq!(stats["faults_by_name"], json!({"trap": 32}), "{shown}");
    assert_eq!((&stats["faults"], &stats["refused"]), (&json!(32), &json!(1)));
    // One `check` for the endpoint, too.
    assert_eq!(stats["calls"], 33);
    assert!(stats["max_memory_bytes"] == 131_072 && stats["memory_bytes"] == 0, "{stats}");
    assert!(stats["total_ms"].as_f64().unwrap() >= stats["max_ms"].as_f64().unwrap(), "{stats}");
    assert_eq!(circuit["is_open"], true, "{circuit}");
    assert!(circuit["since"].as_str() < circuit["until"].as_str(), "{circuit}");
    assert!(circuit["reason"].as_str().unwrap().contains("unreachable"), "{circuit}");
    let metrics = host.api.get("/metrics").await.text().replace("\\\"", "\"");
    for line in [
        "alerts_plugin_circuit_open{plugin=\"broken\"} 1",
        "alerts_plugin_calls_total{plugin=\"broken\",outcome=\"trap\"} 32",
        "alerts_plugin_calls_total{plugin=\"broken\",outcome=\"suspended\"} 1",
        "alerts_plugin_faults_total{plugin=\"broken\",fault=\"trap\"} 32",
        "alerts_plugin_call_seconds_count{plugin=\"broken\"} 33",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    // The last good version is put back: all of it begins anew.
    host.api.install(renamed("broken", "1.0.0")).await;
    assert_eq!(tester.stopped_with().await, None);
    let shown = host.api.plugin("broken").await;
    assert_eq!(shown["circuit"], json!({"is_open": false}));
    assert_eq!(shown["stats"]["faults"], 0);
    let metrics = host.api.get("/metrics").await.text().replace("\\\"", "\"");
    assert!(metrics.contains("alerts_plugin_circuit_open{plugin=\"broken\"} 0"));
}

#[tokio::test]
async fn the_hosts_settings_hold_for_every_plugin_and_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (setting, value, range) in [
        ("ALERTS_PLUGIN_MEMORY_MIB", "1025", "1 to 1024"),
        ("ALERTS_PLUGIN_DEADLINE_MS", "0", "1 to 30000"),
        ("ALERTS_PLUGIN_FILE_MIB", "-5", "4 to 256"),
        ("ALERTS_PLUGIN_THREADS", "one", "2 to 256"),
    ] {
        let output = ended(command(folder.path()).env(setting, value));
        assert!(!output.status.success());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(setting) && told.contains(range), "{told}");
    }
    let mut settings = command(folder.path());
    settings.env("ALERTS_PLUGIN_MEMORY_MIB", "128").env("ALERTS_PLUGIN_DEADLINE_MS", "900");
    settings.env("ALERTS_PLUGIN_FILE_MIB", "4");
    let host = HostProcess::start_with(settings, free_address()).await;
    let api = host.api("payments");
    let limits = &api.plugin("http").await["limits"];
    assert_eq!(limits["memory_bytes"]["value"], 128 << 20);
    assert_eq!(limits["deadline_ms"]["value"], 900);
    assert_eq!(limits["deadline_ms"]["decided_by"], "default");
    let large = api.upload("", vec![0; (4 << 20) + 1]).await;
    let text = large.text();
    large.problem(413);
    assert!(text.contains("ALERTS_PLUGIN_FILE_MIB"), "{text}");
}

#[tokio::test]
async fn a_file_refused_for_a_limit_is_looked_at_again_when_that_is_raised() {
    let (folder, plugins) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let needs = |id| Target::new().id(id).memory("(memory (export \"memory\") 1600)").pack();
    std::fs::write(plugins.path().join("dropped.wasm"), needs("dropped")).unwrap();
    let start = async || {
        let mut settings = command(folder.path());
        settings.env("ALERTS_PLUGINS_DIR", plugins.path());
        HostProcess::start_with(settings, free_address()).await
    };
    let host = start().await;
    let api = host.api("payments");
    let refused = api.plugin_with("dropped", "refused").await;
    let reason = refused["reason"].as_str().unwrap();
    assert!(reason.contains("by `PUT /v1/plugins/dropped/limits`"), "{reason}");
    let (more, none) = (json!({"memory_bytes": 104_857_600}), json!({}));
    api.put("/v1/plugins/dropped/limits", &more).await.expect(200);
    api.plugin_with("dropped", "ready").await;

    // An upload that was admitted, and after a restart is too large for what is granted.
    api.upload("", needs("sent")).await.expect(202);
    api.plugin_with("sent", "refused").await;
    api.put("/v1/plugins/sent/limits", &more).await.expect(200);
    api.install(needs("sent")).await;
    api.put("/v1/plugins/sent/limits", &none).await.expect(200);
    assert_eq!(host.terminate(), Some(0));
    let host = start().await;
    let api = host.api("payments");
    api.plugin_with("dropped", "ready").await;
    api.plugin_with("sent", "refused").await;
    api.put("/v1/plugins/sent/limits", &more).await.expect(200);
    api.plugin_with("sent", "ready").await;
}

#[tokio::test]
async fn a_condition_language_that_is_closed_to_a_tenant_evaluates_nothing_for_it() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({"condition": "true"})).await;
    let other = host.tenant("other");
    let elsewhere = other.endpoint(&receiver.url("/other"), json!({})).await;
    other.rule(&elsewhere, json!({"condition": "true"})).await;
    let grants = json!({"grants": [{"tenant": "other"}]});
    host.api.put("/v1/plugins/cel/grants", &grants).await.expect(200);

    let accepted = host.api.post("/v1/events", failed("evt-1")).await.expect(202);
    let id = accepted["events"][0]["id"].as_str().unwrap();
    let event = host.api.get(&format!("/v1/events/{id}")).await.expect(200);
    let text = event.to_string();
    assert!(text.contains("condition_error"), "{text}");
    assert!(text.contains("the condition language `cel` was closed to this namespace"), "{text}");
    other.event(failed("evt-1")).await;
    receiver.wait_for(1).await;
    assert!(host.api.deliveries().await.is_empty());
    assert_eq!(receiver.at("/other").len(), 1);

    host.api.put("/v1/plugins/cel/grants", &json!({"grants": []})).await.expect(200);
    host.api.event(failed("evt-2")).await;
    receiver.wait_for(2).await;
    assert_eq!(receiver.at("/hook").len(), 1, "what was not evaluated then is not now");
}

#[tokio::test]
async fn limits_are_followed_by_other_hosts_on_the_same_database() {
    let url = fresh_database().await;
    let (one, two) = (TestHost::on(&url).await, TestHost::on(&url).await);
    one.api.put("/v1/plugins/http/limits", &json!({"fuel": 777_777})).await.expect(200);
    eventually("the other host has it", async || {
        let plugin = two.api.plugin("http").await;
        (plugin["limits"]["fuel"]["value"] == 777_777).then_some(())
    })
    .await;
}
