//! Of several hosts on one database one watches, and another when it dies.

use std::path::Path;
use std::process::Command;

use alerts_domain::keyring::Keyring;
use alerts_stand_in_exosphere::StandIn;
use alerts_test_support::postgres::fresh_database;
use serde_json::json;

use super::{SHOP, all_of, looked, source, stand_in, told_of, watching};
use crate::support::eventually;
use crate::support::process::{HostProcess, free_address};
use crate::support::receiver::Receiver;

fn on_postgres(folder: &Path, stand_in: &StandIn, url: &str) -> Command {
    let mut command = watching(folder, stand_in, SHOP);
    let key: [u8; 32] = std::array::from_fn(|index| index as u8);
    command
        .env("ALERTS_DATABASE_URL", url)
        .env("ALERTS_ENCRYPTION_KEYS", Keyring::generate("test", key))
        .env("ALERTS_CACHE_DIR", folder.join("cache"));
    command
}

async fn id_of(host: &HostProcess) -> String {
    let hosts = host.api(SHOP).get("/v1/hosts").await.expect(200);
    let own = hosts["data"].as_array().unwrap().iter().find(|host| !host["own"].is_null());
    own.unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn when_the_watcher_is_killed_another_host_goes_on_and_nothing_is_told_twice() {
    let (stand_in, url) = (stand_in().await, fresh_database().await);
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let start = async || {
        HostProcess::start_with(on_postgres(folder.path(), &stand_in, &url), free_address()).await
    };
    let (first, second) = (start().await, start().await);
    let api = first.api(SHOP);
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    api.rule(&endpoint, json!({"event_type": "workflow.*"})).await;
    looked(&api).await;
    let run = stand_in.trigger(SHOP, "taken-over");
    told_of(&api, &run, "started").await;

    let watching = source(&api).await.unwrap()["host_id"].as_str().unwrap().to_owned();
    let is_first = id_of(&first).await == watching;
    let (mut watcher, other) = if is_first { (first, second) } else { (second, first) };
    stand_in.error(&run);
    watcher.kill();
    let (api, heir) = (other.api(SHOP), id_of(&other).await);
    eventually("another watcher", async || {
        source(&api).await.filter(|source| source["host_id"] == heir.as_str())
    })
    .await;
    told_of(&api, &run, "failed/1").await;
    // One that ends in order leaves it at once.
    let third = start().await;
    assert_eq!(other.terminate(), Some(0));
    let api = third.api(SHOP);
    stand_in.retry(&run);
    stand_in.succeed(&run);
    told_of(&api, &run, "succeeded/2").await;
    assert_eq!(all_of(&api, &run).await, ["failed/1", "restarted/1", "started", "succeeded/2"]);
    let alerts = receiver.wait_for(4).await;
    let types: Vec<_> = alerts.iter().map(|alert| alert.json()["type"].clone()).collect();
    assert_eq!(types.len(), 4, "{types:?}");
}
