//! What holds alerts back, and lets them go again: limits, circuits, backlogs,
//! and a clock that is set back.

use std::time::Duration;

use alerts_domain::delivery::{Delivery, DeliveryStatus};
use alerts_domain::event::Event;
use alerts_domain::id::{DeliveryId, EventId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Clock as _, EngineConfig};
use alerts_store::{NewDelivery, NewEvent, Store};
use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::{TENANT, TestHost};
use crate::support::receiver::Receiver;

fn retries(max_retries: u32) -> Value {
    json!({"retry_policy": {"max_retries": max_retries, "strategy": "FIXED", "backoff_factor": 1}})
}

fn path(kind: &str, of: &Value) -> String {
    format!("/v1/{kind}/{}", of["id"].as_str().unwrap())
}

async fn circuit(host: &TestHost, endpoint: &Value) -> Value {
    host.api.get(&path("webhooks", endpoint)).await.expect(200)["circuit"].clone()
}

async fn wait_for_circuit(host: &TestHost, endpoint: &Value, state: &str) -> Value {
    eventually(&format!("a circuit that is {state}"), async || {
        let circuit = circuit(host, endpoint).await;
        (circuit["state"] == state).then_some(circuit)
    })
    .await
}

#[tokio::test]
async fn a_receiver_that_dies_is_left_alone_and_gets_everything_once_it_is_back() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, retries(50)).await;
    assert_eq!(circuit(&host, &endpoint).await["state"], "closed");
    host.api.event(failed("evt-0")).await;
    // Each look moves the clock past the retry's wait of a millisecond, and no
    // further, so that the second for which it is left alone does not pass.
    let opened = eventually("an open circuit", async || {
        host.later(Duration::from_millis(2));
        let circuit = circuit(&host, &endpoint).await;
        (circuit["state"] == "open").then_some(circuit)
    })
    .await;
    let until: jiff::Timestamp = opened["next_probe_at"].as_str().unwrap().parse().unwrap();
    assert!(until > host.clock.now());
    assert_eq!(receiver.received().len(), 5);
    for n in 1..=20 {
        host.api.event(failed(&format!("evt-{n}"))).await;
    }
    // Fresh ones and due retries wait in the database, and burn no attempts.
    let waiting = host.api.deliveries().await;
    assert_eq!(waiting.len(), 21);
    assert!(waiting.iter().all(|delivery| delivery["status"] == "scheduled"), "{waiting:?}");
    assert_eq!(receiver.received().len(), 5);

    // One probe; it fails, and the circuit is open for longer.
    host.later(Duration::from_secs(1));
    receiver.wait_for(6).await;
    let longer = wait_for_circuit(&host, &endpoint, "open").await;
    let until: jiff::Timestamp = longer["next_probe_at"].as_str().unwrap().parse().unwrap();
    assert!(until - host.clock.now() >= jiff::SignedDuration::from_secs(1));
    assert_eq!(receiver.received().len(), 6);

    receiver.answer("/hook", &[200]);
    host.later(Duration::from_secs(2));
    eventually("all are delivered", async || {
        // The one whose turn it was waits for its own retry.
        host.later(Duration::from_millis(2));
        let deliveries = host.api.deliveries().await;
        deliveries.iter().all(|delivery| delivery["status"] == "delivered").then_some(())
    })
    .await;
    assert_eq!(receiver.received().len(), 6 + 21, "nothing twice");
    assert_eq!(wait_for_circuit(&host, &endpoint, "closed").await["next_probe_at"], Value::Null);
}

#[tokio::test]
async fn a_target_may_be_gone_several_times_before_its_rule_is_switched_off() {
    let (mut host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[404, 410, 200, 404, 404, 404]);
    let gone_after = json!({"gone_after": 3});
    let endpoint = host.api.endpoint(&receiver.url("/hook"), gone_after).await;
    assert_eq!(endpoint["gone_after"], 3);
    let rule = host.api.rule(&endpoint, retries(50)).await;
    host.api.event(failed("evt-1")).await;
    for attempts in 1..=2 {
        eventually("a retry waits", async || {
            let delivery = host.api.deliveries().await.remove(0);
            let waits = delivery["status"] == "scheduled";
            (waits && delivery["attempt_count"] == attempts).then_some(())
        })
        .await;
        // A restart forgets nothing.
        host.restart().await;
        host.later(Duration::from_secs(60));
    }
    host.api.delivery_with("delivered").await;
    assert_eq!(host.api.get(&path("alert-rules", &rule)).await.expect(200)["is_active"], true);

    host.api.event(failed("evt-2")).await;
    let off = eventually("the rule is off", async || {
        host.later(Duration::from_secs(60));
        let rule = host.api.get(&path("alert-rules", &rule)).await.expect(200);
        (rule["is_active"] == false).then_some(rule)
    })
    .await;
    assert!(off["disabled_reason"].as_str().unwrap().contains("404, 3 times in a row"));
    let audit = host.api.get("/v1/audit").await.expect(200);
    assert_eq!(audit["data"][0]["action"], "alert_rule.disabled");
    assert_eq!(receiver.received().len(), 6);
    for wrong in [0, 101] {
        let path = path("webhooks", &endpoint);
        let refused = host.api.patch(&path, json!({"gone_after": wrong})).await;
        assert_eq!(refused.problem(400), ["/gone_after"]);
    }
}

#[tokio::test]
async fn a_tenant_over_its_limit_waits_and_holds_up_no_other() {
    let limited = EngineConfig {
        tenant_rate_limit: Some(RateLimit { per_minute: 60, burst: Some(2) }),
        ..EngineConfig::default()
    };
    let (host, receiver) = (TestHost::configured(limited).await, Receiver::start().await);
    let quiet = host.tenant("quiet");
    for api in [&host.api, &quiet] {
        let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
        api.rule(&endpoint, json!({})).await;
    }
    for n in 0..5 {
        host.api.event(failed(&format!("evt-{n}"))).await;
    }
    receiver.wait_for(2).await;
    quiet.event(failed("evt-quiet")).await;
    receiver.wait_for(3).await;
    quiet.delivery_with("delivered").await;
    for more in 4..=6 {
        assert_eq!(receiver.received().len(), more - 1);
        host.later(Duration::from_secs(1));
        receiver.wait_for(more).await;
    }
}

#[tokio::test]
async fn the_limit_on_the_host_binds_all_tenants_together() {
    let limited = EngineConfig {
        rate_limit: Some(RateLimit { per_minute: 60, burst: Some(1) }),
        ..EngineConfig::default()
    };
    let (host, receiver) = (TestHost::configured(limited).await, Receiver::start().await);
    for name in [TENANT, "other"] {
        let api = host.tenant(name);
        let endpoint = api.endpoint(&receiver.url(&format!("/{name}")), json!({})).await;
        api.rule(&endpoint, json!({})).await;
        api.event(failed("evt-1")).await;
        api.event(failed("evt-2")).await;
    }
    for count in 1..=4 {
        receiver.wait_for(count).await;
        assert_eq!(receiver.received().len(), count);
        host.later(Duration::from_secs(1));
    }
    assert_eq!((receiver.at("/payments").len(), receiver.at("/other").len()), (2, 2));
}

#[tokio::test]
async fn a_clock_that_is_set_back_and_forth_by_an_hour_loses_and_hurries_nothing() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500, 200]);
    let limit = json!({"rate_limit": {"per_minute": 60, "burst": 1}});
    let endpoint = host.api.endpoint(&receiver.url("/hook"), limit).await;
    let policy = json!({"strategy": "FIXED", "backoff_factor": 600_000});
    host.api.rule(&endpoint, json!({"retry_policy": policy})).await;
    host.api.event(failed("evt-1")).await;
    receiver.wait_for(1).await;
    let first = eventually("the retry is stored", async || {
        let delivery = host.api.deliveries().await.remove(0);
        (delivery["status"] == "scheduled").then_some(delivery)
    })
    .await;

    host.clock.set_back(HOUR);
    host.api.event(failed("evt-2")).await;
    // The endpoint's limit lets one go each second, by the clock as it is now.
    eventually("the fresh one is sent", async || {
        host.later(Duration::from_secs(1));
        (receiver.received().len() == 2).then_some(())
    })
    .await;
    assert!(host.clock.now() < first["next_attempt_at"].as_str().unwrap().parse().unwrap());
    let waits = host.api.get(&path("deliveries", &first)).await.expect(200);
    assert_eq!(waits["status"], "scheduled", "not early");

    host.later(HOUR);
    host.later(Duration::from_secs(600));
    receiver.wait_for(3).await;
    eventually("both are delivered", async || {
        let deliveries = host.api.deliveries().await;
        deliveries.iter().all(|delivery| delivery["status"] == "delivered").then_some(())
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_due_retries_do_not_hold_up_a_fresh_alert() {
    const BACKLOG: usize = 10_000;
    let (mut host, receiver) = (TestHost::start().await, Receiver::start().await);
    let old = host.api.endpoint(&receiver.url("/old"), json!({})).await;
    let rule = host.api.rule(&old, json!({})).await;
    let other = host.api.endpoint(&receiver.url("/other"), json!({})).await;
    host.api.rule(&other, json!({"event_type": "workflow.succeeded"})).await;
    host.restart_with(async |store| backlog(store, &old, &rule, BACKLOG).await).await;
    receiver.wait_for(100).await;

    let mut fresh = failed("fresh");
    host.api.event(fresh.clone()).await;
    fresh["type"] = "workflow.succeeded".into();
    fresh["id"] = "fresh-other".into();
    host.api.event(fresh).await;
    let mut in_between = 0;
    for id in ["fresh", "fresh-other"] {
        in_between = eventually("the fresh alert arrives", async || {
            let received = receiver.received();
            received.iter().position(|got| got.json()["event"]["id"] == id)
        })
        .await;
    }
    assert!(in_between < BACKLOG / 2, "after {in_between} old ones");
    receiver.wait_for(BACKLOG + 2).await;
    assert_eq!(receiver.received().len(), BACKLOG + 2);
}

/// Deliveries that have failed once and are due.
async fn backlog(store: &Store, endpoint: &Value, rule: &Value, count: usize) {
    let now = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(60);
    let tenant = TenantId::new(TENANT).unwrap();
    for first in (0..count).step_by(500) {
        let new = (first..first + 500).map(|n| {
            let body = failed(&format!("old-{n}")).to_string();
            let id = EventId::new(now, n as u128);
            let delivery = Delivery {
                id: DeliveryId::new(now, n as u128),
                tenant: tenant.clone(),
                event_id: id,
                alert_rule_id: Some(rule["id"].as_str().unwrap().parse().unwrap()),
                rule_name: "On failure".into(),
                trigger: json!({"type": "event"}),
                webhook_endpoint_id: endpoint["id"].as_str().unwrap().parse().unwrap(),
                status: DeliveryStatus::Scheduled,
                attempt_count: 1,
                next_attempt_at: Some(now),
                last_error: Some("the target answered 503".into()),
                redrive_of: None,
                created_at: now,
                finished_at: None,
            };
            NewEvent {
                id,
                tenant: tenant.clone(),
                event: Event::from_structured(body.into()).unwrap(),
                received_at: now,
                outcomes: Vec::new(),
                observations: Vec::new(),
                pending_rules: None,
                deliveries: vec![NewDelivery { delivery, lease: None }],
            }
        });
        store.accept(new.collect()).await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_done_to_a_delivery_is_refused_with_a_reason() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let rule = host.api.rule(&endpoint, json!({})).await;
    // In the hands of the host: its receiver takes its time.
    let hole = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hole_url = format!("http://{}/", hole.local_addr().unwrap());
    let silent = host.api.endpoint(&hole_url, json!({})).await;
    host.api.rule(&silent, json!({"event_type": "workflow.succeeded"})).await;
    let mut event = failed("evt-leased");
    event["type"] = "workflow.succeeded".into();
    host.api.event(event).await;
    let leased = host.api.delivery_with("leased").await;
    host.api.event(failed("evt-done")).await;
    let done = host.api.delivery_with("delivered").await;
    for (delivery, status) in [(&leased, "leased"), (&done, "delivered")] {
        for action in ["retry", "cancel"] {
            let path = format!("{}/{action}", path("deliveries", delivery));
            let refused = host.api.post(&path, json!({})).await;
            assert!(refused.text().contains(&format!("`{status}`")), "{}", refused.text());
            refused.problem(409);
        }
    }
    let ids = json!({"ids": [leased["id"], done["id"], "dlv_01k0000000000000000000000a"]});
    let answer = host.api.post("/v1/dead-letters/redrive", ids).await.expect(200);
    assert_eq!(answer["redriven"], 0);
    let outcomes: Vec<_> = answer["results"].as_array().unwrap().iter().collect();
    assert_eq!(outcomes[0]["outcome"], "wrong_state");
    assert_eq!(outcomes[0]["status"], "leased");
    assert_eq!(outcomes[1]["status"], "delivered");
    assert_eq!(outcomes[2]["outcome"], "not_found");
    let none = host.api.post("/v1/dead-letters/redrive", json!({"alert_rule_id": rule["id"]}));
    assert_eq!(none.await.expect(200)["redriven"], 0);
}

#[tokio::test]
async fn dead_letters_are_redriven_in_bulk_by_rule_and_by_time() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500, 500, 500, 500, 200]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let once = json!({"max_retries": 0});
    let one = host.api.rule(&endpoint, json!({"name": "one", "retry_policy": once})).await;
    host.api.rule(&endpoint, json!({"name": "two", "retry_policy": once})).await;
    let dead = async |count: usize| {
        eventually("dead letters", async || {
            let letters = host.api.get("/v1/dead-letters").await.expect(200);
            let letters = letters["data"].as_array().unwrap().clone();
            (letters.len() == count).then_some(letters)
        })
        .await
    };
    host.api.event(failed("evt-1")).await;
    dead(2).await;
    host.later(Duration::from_secs(60));
    let second = host.clock.now();
    host.api.event(failed("evt-2")).await;
    dead(4).await;
    let by_time = json!({"to": second.to_string(), "alert_rule_id": one["id"]});
    let answer = host.api.post("/v1/dead-letters/redrive", by_time).await.expect(200);
    assert_eq!(answer["redriven"], 1, "the first event's, of one rule");
    let from = json!({"from": second.to_string()});
    let answer = host.api.post("/v1/dead-letters/redrive", from).await.expect(200);
    assert_eq!(answer["redriven"], 2);
    let rest = json!({"to": (second + jiff::SignedDuration::from_hours(1)).to_string()});
    let answer = host.api.post("/v1/dead-letters/redrive", rest).await.expect(200);
    assert_eq!(answer["redriven"], 1, "what was redriven is not redriven again");
    receiver.wait_for(8).await;
}
