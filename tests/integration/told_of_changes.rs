//! The audit log tells of each change what was there and what is there now, and never a secret.

use serde_json::{Value, json};

use crate::support::host::TestHost;

fn newest(log: &Value) -> (&Value, &Value) {
    (&log["data"][0]["action"], &log["data"][0]["detail"])
}

#[tokio::test]
async fn a_change_is_told_as_it_was_and_as_it_is() {
    let host = TestHost::start().await;
    let api = &host.api;
    let endpoint = api.endpoint("http://127.0.0.1:9/a?token=hush", json!({})).await;
    let rule = api.rule(&endpoint, json!({"condition": "event.data.errored_count > 3"})).await;
    let log = async || api.get("/v1/audit").await.expect(200);
    let made = log().await;
    assert_eq!(newest(&made).1["after"]["condition"]["source"], "event.data.errored_count > 3");

    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    let change = json!({"condition": "event.data.errored_count > 5", "name": rule["name"]});
    api.patch(&path, change).await.expect(200);
    let (changed, condition) = (
        log().await,
        |n: u8| json!({"condition": {"language": "cel", "source": format!("event.data.errored_count > {n}")}}),
    );
    let expected = json!({"name": "On failure", "changed": ["condition"],
        "before": condition(3), "after": condition(5)});
    assert_eq!(newest(&changed), (&json!("alert_rule.updated"), &expected));
    api.delete(&path).await.expect(204);
    assert_eq!(
        newest(&log().await),
        (&json!("alert_rule.deleted"), &json!({"name": "On failure"}))
    );

    let path = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap());
    let change = json!({"target_url": "http://127.0.0.1:9/b?token=hush", "is_active": false,
        "headers": {"authorization": "Bearer hush"}});
    api.patch(&path, change).await.expect(200);
    let change = json!({"secret": "aHVzaC1odXNoLWh1c2gtaHVzaC1odXNo"});
    api.patch(&path, change).await.expect(200);
    let told = log().await;
    let (secret, moved) = (&told["data"][0]["detail"], &told["data"][1]["detail"]);
    assert_eq!(
        *secret,
        json!({"name": "On call", "changed": ["secret"], "before": {}, "after": {}})
    );
    let expected = json!({"name": "On call", "changed": ["headers", "is_active", "target_url"],
        "before": {"headers": [], "is_active": true},
        "after": {"headers": ["authorization"], "is_active": false}});
    assert_eq!(*moved, expected);
    assert!(!told.to_string().contains("hush"), "{told}");
    assert_eq!(api.get("/v1/audit/verify").await.expect(200)["intact"], true);
}

#[tokio::test]
async fn what_an_operator_changes_is_told_in_the_same_way() {
    let host = TestHost::start().await;
    let limit = json!({"per_minute": 60});
    host.api
        .patch("/v1/tenants/payments", json!({"rate_limit": {"per_minute": 60}}))
        .await
        .expect(200);
    let log = host.api.get("/v1/audit").await.expect(200);
    let expected = json!({"changed": ["rate_limit"],
        "before": {"rate_limit": null}, "after": {"rate_limit": limit}});
    assert_eq!(newest(&log), (&json!("tenant.marked"), &expected));

    let operator = host.api.with("x-exosphere-namespace", None);
    let grants = json!({"grants": [{"tenant": "payments", "hosts": ["hooks.example.com"]}]});
    host.api.put("/v1/plugins/slack/grants", &grants).await.expect(200);
    host.api.put("/v1/plugins/slack/grants", &json!({"grants": []})).await.expect(200);
    let log = operator.get("/v1/audit").await.expect(200);
    let expected = json!({"changed": ["payments"],
        "before": {"payments": ["hooks.example.com"]}, "after": {"payments": null}});
    assert_eq!(newest(&log), (&json!("plugin.granted"), &expected));
}
