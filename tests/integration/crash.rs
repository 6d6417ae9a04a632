//! The power goes out: what was answered 202 is delivered all the same.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::stats;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::process::HostProcess;
use crate::support::receiver::Receiver;

const KILLS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twenty_times_under_load_every_accepted_event_is_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let mut host = HostProcess::start(folder.path(), None).await;
    let address = host.address;
    let api = host.api("payments");
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    api.rule(&endpoint, json!({})).await;

    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let posters: Vec<_> = (0..8)
        .map(|_| {
            let (api, stop, next) = (api.clone(), stop.clone(), next.clone());
            tokio::spawn(async move {
                let mut accepted = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let id = format!("evt-{}", next.fetch_add(1, Ordering::Relaxed));
                    let body = Some(failed(&id).to_string().into_bytes());
                    match api.try_send(reqwest::Method::POST, "/v1/events", body).await {
                        Ok(answer) if answer.status == 202 => accepted.push(id),
                        // The host is down: nothing was promised.
                        _ => tokio::time::sleep(Duration::from_millis(5)).await,
                    }
                }
                accepted
            })
        })
        .collect();
    for kill in 1..=KILLS {
        // Each time some more have come in, so that it dies under load.
        let before = receiver.received().len();
        receiver.wait_for(before + 20).await;
        host.kill();
        host = HostProcess::start(folder.path(), Some(address)).await;
        assert!(next.load(Ordering::Relaxed) > kill);
    }
    stop.store(true, Ordering::Relaxed);
    let mut accepted = HashSet::new();
    for poster in posters {
        accepted.extend(poster.await.unwrap());
    }

    eventually("all accepted events have arrived", async || {
        let arrived: HashSet<String> = receiver
            .received()
            .iter()
            .map(|received| received.json()["event"]["id"].as_str().unwrap().to_owned())
            .collect();
        accepted.is_subset(&arrived).then_some(())
    })
    .await;
    // Repeats carry the same delivery id, so that receivers can drop them.
    let mut ids: HashMap<String, HashSet<String>> = HashMap::new();
    for received in receiver.received() {
        let alert = received.json();
        let event = alert["event"]["id"].as_str().unwrap().to_owned();
        ids.entry(event).or_default().insert(alert["id"].as_str().unwrap().to_owned());
    }
    assert!(ids.values().all(|deliveries| deliveries.len() == 1));
    stats::agree(&api).await;
}
