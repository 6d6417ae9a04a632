//! Events, deliveries and attempts are kept for a set time each.

use std::time::Duration;

use serde_json::json;

use crate::support::events::failed;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn attempts_go_after_a_month_and_the_rest_after_three() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed("1")).await;
    let sent = host.api.delivery_with("delivered").await;
    let attempts = async || {
        let path = format!("/v1/deliveries/{}", sent["id"].as_str().unwrap());
        let answer = host.api.get(&path).await;
        (answer.status, answer.body["attempts"].as_array().map(Vec::len))
    };
    host.later(29 * DAY);
    host.cleaned().await;
    assert_eq!(attempts().await, (200, Some(1)));
    host.later(2 * DAY);
    host.cleaned().await;
    assert_eq!(attempts().await, (200, Some(0)));
    host.later(60 * DAY);
    host.cleaned().await;
    assert_eq!(attempts().await.0, 404);
    assert_eq!(host.api.get("/v1/events").await.expect(200)["data"], json!([]));
    // The rules stay, and go on.
    host.api.event(failed("2")).await;
    receiver.wait_for(2).await;
}
