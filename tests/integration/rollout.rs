//! How far alerts are rolled out: events are stored and explained for everyone,
//! and sent for those to whom alerts are open.

use alerts_domain::tenant::Rollout;
use serde_json::json;

use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

async fn reason(api: &Api) -> String {
    let listed = api.get("/v1/events?limit=1").await.expect(200);
    listed["data"][0]["rules"][0]["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn while_alerts_are_off_events_are_stored_and_explained_and_nothing_is_sent() {
    let receiver = Receiver::start().await;
    let host = TestHost::rolled_out(Rollout::Off).await;
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed("1")).await;
    assert_eq!(reason(&host.api).await, "not_in_rollout");
    assert!(host.api.deliveries().await.is_empty());
    let path = format!("/v1/webhooks/{}/test", endpoint["id"].as_str().unwrap());
    host.api.post(&path, json!({})).await.problem(409);
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn in_the_beta_only_marked_tenants_get_alerts() {
    let receiver = Receiver::start().await;
    let host = TestHost::rolled_out(Rollout::Beta).await;
    let other = host.tenant("other");
    for api in [&host.api, &other] {
        let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
        api.rule(&endpoint, json!({})).await;
    }
    let marked = host.api.patch("/v1/tenants/payments", json!({"is_beta": true})).await.expect(200);
    assert_eq!(marked, json!({"name": "payments", "is_beta": true, "rate_limit": null}));
    for api in [&other, &host.api] {
        api.event(failed("1")).await;
    }
    receiver.wait_for(1).await;
    assert_eq!(reason(&host.api).await, "fired");
    assert_eq!(reason(&other).await, "not_in_rollout");
    assert_eq!(receiver.received().len(), 1);

    let listed = host.api.get("/v1/tenants").await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let limit = json!({"rate_limit": {"per_minute": 60}});
    let limited = host.api.patch("/v1/tenants/payments", limit).await.expect(200);
    assert_eq!(
        (&limited["is_beta"], &limited["rate_limit"]["per_minute"]),
        (&json!(true), &json!(60))
    );
    let wrong = json!({"rate_limit": {"per_minute": 0}});
    assert_eq!(
        host.api.patch("/v1/tenants/payments", wrong).await.problem(400),
        ["/rate_limit/per_minute"]
    );
}

#[tokio::test]
async fn a_breach_that_goes_on_is_alerted_once_alerts_are_open() {
    let receiver = Receiver::start().await;
    let host = TestHost::rolled_out(Rollout::Beta).await;
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let trigger = json!({"type": "threshold", "window_ms": 600_000, "count": 1});
    host.api.rule(&endpoint, json!({"trigger": trigger})).await;
    let mut reasons = Vec::new();
    for number in 0..5 {
        if number == 3 {
            let mark = json!({"is_beta": true});
            host.api.patch("/v1/tenants/payments", mark).await.expect(200);
        }
        host.api.event(failed(&number.to_string())).await;
        reasons.push(reason(&host.api).await);
    }
    let expected =
        ["below_threshold", "not_in_rollout", "not_in_rollout", "fired", "already_alerted"];
    assert_eq!(reasons, expected);
    receiver.wait_for(1).await;
}

#[tokio::test]
async fn a_tenants_own_key_may_not_mark_it() {
    let host = TestHost::start().await;
    let made =
        host.api.post("/v1/api-keys", json!({"name": "a", "role": "admin"})).await.expect(201);
    let tenant = host.api.with("x-api-key", made["key"].as_str());
    tenant.patch("/v1/tenants/payments", json!({"is_beta": true})).await.problem(403);
    tenant.get("/v1/tenants").await.problem(403);
}
