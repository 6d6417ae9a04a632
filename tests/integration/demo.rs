//! `serve --demo`: whoever looks at the product for the first time finds something to see
//! on every page, and comes in by the link that is printed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::sessions::cookie;
use crate::support::api::Api;
use crate::support::process::{command, free_address};
use crate::support::within;

/// The company's runs come when they come: some are minutes apart.
const PATIENCE: Duration = Duration::from_secs(180);

/// A demo that has said how to go on.
struct Demo {
    process: Child,
    /// What it prints, held so that it can go on printing.
    out: BufReader<ChildStdout>,
    address: SocketAddr,
    /// Of the sign-in link.
    token: String,
    key: String,
}

impl Demo {
    fn start(folder: &Path) -> Self {
        let address = free_address();
        let mut process = command(folder)
            .arg("--demo")
            .env("ALERTS_LISTEN", address.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let mut demo = Self { process, out, address, token: String::new(), key: String::new() };
        demo.token = demo.hears_after("/settings/alerts/portal?ns=analytics#");
        demo.key = demo.hears_after("KEY='").trim_end_matches('\'').to_owned();
        demo
    }

    /// What follows this text in the next line that has it.
    fn hears_after(&mut self, text: &str) -> String {
        let line = self.hears(text);
        line.split_once(text).map(|(_, after)| after.trim().to_owned()).unwrap()
    }

    fn api(&self) -> Api {
        Api::new(self.address, "analytics")
    }

    fn stop(mut self) {
        assert!(
            Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success()
        );
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }

    /// The next line with this text.
    fn hears(&mut self, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "the demo ended");
        }
        line
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn list(api: &Api, path: &str) -> Vec<Value> {
    api.get(path).await.expect(200)["data"].as_array().unwrap().clone()
}

fn words(rows: &[Value], pointer: &str) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row.pointer(pointer)?.as_str().map(str::to_owned)).collect()
}

#[track_caller]
fn has(words: &BTreeSet<String>, wanted: &[&str]) {
    assert!(wanted.iter().all(|word| words.contains(*word)), "{wanted:?} in {words:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_has_something_to_see_on_every_page_and_a_second_start_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(folder.path());
    let api = demo.api();

    charts_of_a_day_tell_why_attempts_failed(&api).await;
    rules_are_of_all_kinds(&api).await;
    deliveries_are_in_all_states(&api).await;
    let keys = list(&api, "/v1/api-keys").await;
    has(&words(&keys, "/role"), &["admin", "editor", "viewer"]);
    has(&words(&list(&api, "/v1/audit").await, "/action"), &["alert_rule.created"]);
    assert_eq!(api.get("/v1/audit/verify").await.expect(200)["intact"], true);
    has(
        &words(&list(&api, "/v1/tenants").await, "/name"),
        &["analytics", "machine-learning", "payments"],
    );
    the_present_goes_on(&api).await;
    the_link_opens_the_whole_host_once(&demo).await;
    let by_hand = json!({"specversion": "1.0", "id": "1", "source": "/test",
        "type": "workflow.failed", "data": {"graph_name": "by-hand", "errored_count": 1}});
    api.event(by_hand).await;
    let heard = demo.hears("of by-hand by rule");
    assert!(heard.contains("signature verified"), "{heard}");

    let made = made(&api).await;
    let earlier_key = demo.key.clone();
    demo.stop();
    let demo = Demo::start(folder.path());
    assert_eq!(self::made(&demo.api()).await, made);
    demo.api().with("x-api-key", Some(&earlier_key)).get("/v1/webhooks").await.problem(401);
    the_link_opens_the_whole_host_once(&demo).await;
}

/// Names of all that a second start could make twice.
async fn made(api: &Api) -> Vec<Vec<String>> {
    let platform = api.with("x-exosphere-namespace", None);
    let mut made = Vec::new();
    for namespace in ["analytics", "payments", "machine-learning"] {
        let api = api.with("x-exosphere-namespace", Some(namespace));
        for path in ["/v1/webhooks?limit=100", "/v1/alert-rules?limit=100", "/v1/api-keys"] {
            made.push(names(&list(&api, path).await));
        }
    }
    made.push(names(&list(&platform, "/v1/api-keys").await));
    made
}

fn names(rows: &[Value]) -> Vec<String> {
    let mut names: Vec<_> =
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    names
}

async fn charts_of_a_day_tell_why_attempts_failed(api: &Api) {
    let hours = list(api, "/v1/stats?step=hour").await;
    assert!(hours.len() >= 23, "{} hours", hours.len());
    let reasons: BTreeSet<_> = hours
        .iter()
        .flat_map(|hour| hour["failure_reasons"].as_object().unwrap().keys().cloned())
        .collect();
    has(&reasons, &["connect", "gone", "rate_limited", "status_5xx", "timeout"]);
    let types = words(&list(api, "/v1/stats?step=hour&by=event_type").await, "/event_type");
    has(&types, &["workflow.duration_exceeded", "workflow.failed", "workflow.succeeded"]);
}

async fn rules_are_of_all_kinds(api: &Api) {
    let rules = list(api, "/v1/alert-rules?limit=100").await;
    has(&words(&rules, "/trigger/type"), &["duration", "event", "threshold"]);
    assert!(rules.iter().any(|rule| rule["condition"].is_string()), "CEL");
    has(&words(&rules, "/condition/language"), &["jsonlogic"]);
    let reasons = words(&rules, "/disabled_reason");
    assert!(reasons.iter().any(|reason| reason.contains("channel_is_archived")), "{reasons:?}");
    assert!(!words(&rules, "/last_condition_error").is_empty());
    let is_off = |rule: &Value| rule["is_active"] == false && rule["disabled_reason"].is_null();
    assert!(rules.iter().any(is_off), "one that a person switched off");
    // A threshold fired, and recovered.
    let recovered = list(api, "/v1/events?type=exosphere.alerts.recovered").await;
    assert!(!recovered.is_empty());
}

async fn deliveries_are_in_all_states(api: &Api) {
    let endpoints = list(api, "/v1/webhooks?limit=100").await;
    has(&words(&endpoints, "/target"), &["http", "pagerduty", "slack"]);
    assert!(endpoints.iter().any(|endpoint| endpoint["is_active"] == false));
    let ledger = endpoints.iter().find(|endpoint| endpoint["name"] == "Finance ledger").unwrap();
    let ledger = format!("/v1/webhooks/{}", ledger["id"].as_str().unwrap());
    within(PATIENCE, "a circuit that is open", async || {
        let endpoint = api.get(&ledger).await.expect(200);
        (endpoint["circuit"]["state"] == "open").then_some(())
    })
    .await;
    within(PATIENCE, "a retry that waits", async || {
        let waiting = list(api, "/v1/deliveries?status=scheduled&limit=200").await;
        waiting.iter().any(|one| one["attempt_count"].as_u64() > Some(0)).then_some(())
    })
    .await;
    let dead = list(api, "/v1/dead-letters").await;
    assert!(dead.iter().any(|one| one["attempt_count"].as_u64() > Some(2)), "{dead:?}");
    let redriven = list(api, "/v1/deliveries?status=delivered&limit=200").await;
    assert!(!redriven.is_empty());
}

async fn the_present_goes_on(api: &Api) {
    let newest = async || list(api, "/v1/events?limit=1").await[0]["id"].clone();
    let first = newest().await;
    within(PATIENCE, "another event", async || (newest().await != first).then_some(())).await;
}

async fn the_link_opens_the_whole_host_once(demo: &Demo) {
    let nobody = demo.api().with("x-api-key", None);
    let body = json!({"portal_token": demo.token});
    let opened = nobody.post("/v1/session", body.clone()).await;
    let browser = nobody.with("cookie", Some(&cookie(&opened)));
    let session = browser.get("/v1/session").await.expect(200);
    assert_eq!((&session["role"], &session["namespace"]), (&json!("platform"), &Value::Null));
    browser.get("/v1/plugins").await.expect(200);
    nobody.post("/v1/session", body).await.problem(401);
}
