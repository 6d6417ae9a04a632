//! Watching Exosphere, with the real program against a stand-in for the platform: nobody
//! posts an event here.

mod hosts;
mod kills;
mod telling;
mod trouble;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use alerts_stand_in_exosphere::{KEY, StandIn};
use serde_json::Value;

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::process::{self, HostProcess, free_address};

/// The namespace in which things happen.
const SHOP: &str = "shop";

async fn stand_in() -> StandIn {
    StandIn::start("127.0.0.1:0".parse().unwrap()).await.unwrap()
}

/// `serve` with a look at the platform five times a second.
fn watching(folder: &Path, stand_in: &StandIn, namespaces: &str) -> Command {
    let mut command = process::command(folder);
    command
        .env("ALERTS_EXOSPHERE_URL", stand_in.url())
        .env("ALERTS_EXOSPHERE_KEY", KEY)
        .env("ALERTS_EXOSPHERE_NAMESPACES", namespaces)
        .env("ALERTS_EXOSPHERE_INTERVAL_MS", "200");
    command
}

/// A host that has looked at the platform.
async fn watcher(command: Command) -> HostProcess {
    let host = HostProcess::start_with(command, free_address()).await;
    looked(&host.api(SHOP)).await;
    host
}

/// The source as it is after a look that began after this.
async fn looked(api: &Api) -> Value {
    let last = |source: &Value| source["last_success_at"].as_str().map(str::to_owned);
    let before = source(api).await;
    // Two: the first may have been under way.
    let mut seen = Vec::new();
    eventually("two looks that went well", async || {
        let now = source(api).await?;
        let at = last(&now)?;
        if before.as_ref().and_then(last).as_ref() != Some(&at) && !seen.contains(&at) {
            seen.push(at);
        }
        (seen.len() >= 2).then_some(now)
    })
    .await
}

async fn source(api: &Api) -> Option<Value> {
    let listed = api.try_send(reqwest::Method::GET, "/v1/sources", None).await.ok()?;
    listed.expect(200)["data"].as_array()?.first().cloned()
}

/// All events of the namespace, by their emitter's ids, and how often each is there.
/// None while the host is down.
async fn told(api: &Api) -> Option<BTreeMap<String, Value>> {
    let (mut all, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let path = format!("/v1/events?limit=200{cursor}");
        let page = api.try_send(reqwest::Method::GET, &path, None).await.ok()?;
        let page = if page.status == 200 { page.body } else { return None };
        for stored in page["data"].as_array()? {
            let id = stored["event"]["id"].as_str()?.to_owned();
            let twice = all.insert(id, stored["event"].clone());
            assert_eq!(twice, None, "an event is there twice");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Some(all),
        }
    }
}

/// The event with this id, once it is told.
async fn told_of(api: &Api, run: &str, what: &str) -> Value {
    let id = format!("{SHOP}/{run}/{what}");
    eventually(&id, async || told(api).await?.remove(&id)).await
}

/// What was told of a run, without its id.
async fn all_of(api: &Api, run: &str) -> Vec<String> {
    let prefix = format!("{SHOP}/{run}/");
    let told = told(api).await.unwrap();
    told.into_keys().filter_map(|id| id.strip_prefix(&prefix).map(str::to_owned)).collect()
}
