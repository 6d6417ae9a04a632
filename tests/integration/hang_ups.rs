//! Callers that hang up in the middle of a change: it is done whole, or not at all.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::api::{Api, KEY};
use crate::support::eventually;
use crate::support::host::TestHost;

/// Sends a request and closes the connection after a while, without reading.
async fn hang_up(host: &TestHost, method: &str, path: &str, body: &Value, after: Duration) {
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // Now and then the host is somewhere in the middle.
    tokio::time::sleep(after).await;
    drop(stream);
}

fn operator(host: &TestHost) -> Api {
    host.api.with("x-exosphere-namespace", None)
}

/// The details of what the host's own audit log tells of this action, newest first.
async fn audited(host: &TestHost, action: &str) -> Vec<Value> {
    let log = operator(host).get("/v1/audit?limit=200").await.expect(200);
    let entries = log["data"].as_array().unwrap().iter();
    entries.filter(|entry| entry["action"] == action).map(|e| e["detail"].clone()).collect()
}

async fn granted(host: &TestHost) -> Value {
    let shown = operator(host).get("/v1/plugins/http/grants").await.expect(200);
    let grants = shown["grants"].as_array().unwrap().iter();
    grants.map(|grant| grant["tenant"].clone()).collect()
}

/// The tenants that were granted it by this change; each takes the place of the others.
fn granted_by(detail: &Value) -> Value {
    let after = detail["after"].as_object().unwrap().iter();
    after.filter(|(_, hosts)| !hosts.is_null()).map(|(tenant, _)| tenant.clone()).collect()
}

#[tokio::test]
async fn grants_whose_caller_hangs_up_are_shown_and_audited_as_they_are_stored() {
    let mut host = TestHost::start().await;
    for round in 0..30_u64 {
        let grants = json!({"grants": [{"tenant": format!("tenant-{round}")}]});
        let after = Duration::from_micros(round * 200);
        hang_up(&host, "PUT", "/v1/plugins/http/grants", &grants, after).await;
        // The last request is not always the last change: each is done on its own.
        eventually("what is shown is what was audited last", async || {
            let newest = audited(&host, "plugin.granted").await.into_iter().next();
            let shown = granted(&host).await;
            match newest {
                Some(detail) => (granted_by(&detail) == shown).then_some(()),
                None => (shown == json!([])).then_some(()),
            }
        })
        .await;
    }
    // A change that is still under way is done before the host stops.
    host.restart().await;
    let newest = audited(&host, "plugin.granted").await.into_iter().next().unwrap();
    assert_eq!(
        granted(&host).await,
        granted_by(&newest),
        "what is stored is what was audited last"
    );
}

#[tokio::test]
async fn every_change_that_was_read_whole_is_done_when_its_caller_is_gone() {
    let host = TestHost::start().await;
    let limits = json!({"deadline_ms": 777});
    hang_up(&host, "PUT", "/v1/plugins/http/limits", &limits, Duration::from_millis(2)).await;
    eventually("the limits are in force and audited, or neither", async || {
        let shown = operator(&host).get("/v1/plugins/http/limits").await.expect(200);
        let audited = audited(&host, "plugin.limited").await;
        (audited.is_empty() == (shown == json!({}))).then_some(())
    })
    .await;
    let key = json!({"name": "ops", "role": "platform"});
    for round in 0..10_u64 {
        let after = Duration::from_micros(round * 300);
        hang_up(&host, "POST", "/v1/api-keys", &key, after).await;
    }
    eventually("each key that is listed is audited", async || {
        let listed = operator(&host).get("/v1/api-keys?limit=200").await.expect(200);
        let listed = listed["data"].as_array().unwrap().len();
        (audited(&host, "api_key.created").await.len() == listed).then_some(())
    })
    .await;
}
