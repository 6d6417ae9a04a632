//! A host whose encryption keys are not those of its database does not start.

use std::path::Path;

use alerts_domain::keyring::Keyring;
use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::host::TestHost;
use crate::support::process::{HostProcess, command, ended, free_address};
use crate::support::receiver::Receiver;

fn key(id: &str, seed: u8) -> String {
    Keyring::generate(id, std::array::from_fn(|index| seed.wrapping_add(index as u8)))
}

/// What a host says that does not start with these keys.
fn refused(folder: &Path, url: &str, keys: &str) -> String {
    let mut serve = command(folder);
    serve
        .env("ALERTS_DATABASE_URL", url)
        .env("ALERTS_ENCRYPTION_KEYS", keys)
        .env("ALERTS_CACHE_DIR", folder.join("plugin-cache"))
        .env("ALERTS_LISTEN", free_address().to_string());
    let output = ended(&mut serve);
    assert!(!output.status.success(), "it served and ended well");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn started(folder: &Path, url: &str, keys: &str) -> HostProcess {
    let mut serve = command(folder);
    serve
        .env("ALERTS_DATABASE_URL", url)
        .env("ALERTS_ENCRYPTION_KEYS", keys)
        .env("ALERTS_CACHE_DIR", folder.join("plugin-cache"));
    HostProcess::start_with(serve, free_address()).await
}

fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("alerts.db").display())
}

#[track_caller]
fn names(told: &str, id: &str) {
    assert!(told.contains("ALERTS_ENCRYPTION_KEYS") && told.contains(&format!("`{id}`")), "{told}");
}

#[tokio::test]
async fn with_another_key_nothing_is_tried_and_with_the_right_one_all_arrives() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let (folder, url) = (folder.path(), sqlite(folder.path()));
    receiver.answer("/hook", &[503, 503, 503, 503, 503, 200]);
    let host = started(folder, &url, &key("k1", 1)).await;
    let api = host.api("payments");
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    let policy =
        json!({"retry_policy": {"max_retries": 9, "strategy": "FIXED", "backoff_factor": 1000}});
    api.rule(&endpoint, policy).await;
    for number in 0..5 {
        api.event(failed(&format!("evt-{number}"))).await;
    }
    receiver.wait_for(5).await;
    assert_eq!(host.terminate(), Some(0));

    let other = refused(folder, &url, &key("k1", 2));
    names(&other, "k1");
    assert!(other.contains("another one"), "{other}");
    let missing = refused(folder, &url, &key("k2", 1));
    names(&missing, "k1");
    assert!(missing.contains("not in"), "{missing}");

    let host = started(folder, &url, &key("k1", 1)).await;
    let api = host.api("payments");
    crate::support::eventually("all five are delivered", async || {
        let deliveries = api.deliveries().await;
        assert!(deliveries.iter().all(|delivery| delivery["status"] != "dead"), "{deliveries:?}");
        deliveries.iter().all(|delivery| delivery["status"] == "delivered").then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_host_of_a_database_needs_each_key_that_any_host_seals_with() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, url) = (folder.path(), fresh_database().await);
    let (old, new) = (key("old", 1), key("new", 2));
    let first = started(folder, &url, &old).await;
    names(&refused(folder, &url, &new), "old");
    names(&refused(folder, &url, &key("old", 3)), "old");
    assert_eq!(first.terminate(), Some(0));
    let both = started(folder, &url, &format!("{new},{old}")).await;
    // From now on something may be sealed with the new one.
    names(&refused(folder, &url, &old), "new");
    let turned = started(folder, &url, &format!("{old},{new}")).await;
    assert_eq!(turned.terminate(), Some(0));
    assert_eq!(both.terminate(), Some(0));
}

#[tokio::test]
async fn in_a_database_of_an_older_release_the_secrets_themselves_tell() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let (folder, url) = (folder.path(), sqlite(folder.path()));
    let host = started(folder, &url, &key("k1", 1)).await;
    host.api("payments").endpoint(&receiver.url("/hook"), json!({})).await;
    assert_eq!(host.terminate(), Some(0));
    let without_checks = async || {
        sqlx::any::install_default_drivers();
        let pool = sqlx::AnyPool::connect(&url).await.unwrap();
        sqlx::query("UPDATE encryption_checks SET checks = '{}'").execute(&pool).await.unwrap();
        pool.close().await;
    };
    without_checks().await;
    names(&refused(folder, &url, &key("k1", 2)), "k1");
    names(&refused(folder, &url, &key("k2", 1)), "k1");
    let host = started(folder, &url, &format!("{},{}", key("k2", 7), key("k1", 1))).await;
    let found: Value = host.api("payments").get("/v1/webhooks").await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(host.terminate(), Some(0));
    names(&refused(folder, &url, &key("k2", 7)), "k1");
}

/// Puts another text in the place of an endpoint's sealed secrets; gives the one
/// that stood there.
async fn reseal(url: &str, sealed: &str) -> String {
    use sqlx::Row as _;

    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(url).await.unwrap();
    let before = sqlx::query("SELECT sealed_secrets FROM webhook_endpoints");
    let before: String = before.fetch_one(&pool).await.unwrap().get("sealed_secrets");
    let update = sqlx::query("UPDATE webhook_endpoints SET sealed_secrets = $1").bind(sealed);
    update.execute(&pool).await.unwrap();
    pool.close().await;
    before
}

#[tokio::test]
async fn an_alert_for_an_endpoint_whose_secrets_do_not_open_waits_and_says_why() {
    let (mut host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    let (url, good) = (host.url.clone(), std::cell::RefCell::new(String::new()));
    host.restart_with(async |store| {
        store.close().await;
        *good.borrow_mut() = reseal(&url, "v1.test.bm90aGluZyB0aGF0IG9wZW5z").await;
    })
    .await;
    host.api.event(failed("evt-1")).await;
    let waiting = crate::support::eventually("the delivery says why it waits", async || {
        let deliveries = host.api.deliveries().await;
        let told = deliveries.into_iter().next()?;
        (told["last_error"].is_string() && told["status"] == "scheduled").then_some(told)
    })
    .await;
    let why = waiting["last_error"].as_str().unwrap();
    assert!(why.contains(endpoint["id"].as_str().unwrap()) && why.contains("waiting"), "{why}");
    assert!(receiver.received().is_empty());

    host.restart_with(async |store| {
        store.close().await;
        let sealed = good.borrow().clone();
        reseal(&url, &sealed).await;
    })
    .await;
    host.later(std::time::Duration::from_secs(61));
    receiver.wait_for(1).await;
    host.api.delivery_with("delivered").await;
}
