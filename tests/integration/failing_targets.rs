//! Targets that give no answer: what the tenant is told about each.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::process::free_address;
use crate::support::receiver::Receiver;

/// A target that closes every connection after some words that are no HTTP.
async fn babbler() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            // Whether it is still there does not matter.
            let _ = connection.write_all(b"220 mail.example ready\r\n\r\n").await;
        }
    });
    format!("http://{address}/hook")
}

#[tokio::test]
async fn the_attempt_says_why_there_was_no_answer() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let plain = receiver.url("/hook").replace("http://", "https://");
    let targets = [
        (format!("http://{}/hook", free_address()), "could not connect"),
        ("https://no-such-host.invalid/hook".to_owned(), "did not resolve"),
        (plain, "the TLS handshake failed"),
        (babbler().await, "the exchange failed"),
    ];
    for (number, (url, why)) in targets.iter().enumerate() {
        let tenant = host.tenant(&format!("tenant-{number}"));
        let endpoint = tenant.endpoint(url, json!({})).await;
        tenant.rule(&endpoint, json!({"retry_policy": {"max_retries": 0}})).await;
        let mut event = failed("1");
        event["source"] = format!("/v0/namespace/tenant-{number}").into();
        tenant.event(event).await;
        let dead = eventually(why, async || {
            let deliveries = tenant.deliveries().await;
            deliveries.into_iter().find(|delivery| delivery["status"] == "dead")
        });
        let told = dead.await["last_error"].to_string();
        assert!(told.contains(why), "{url}: {told}");
    }
}
