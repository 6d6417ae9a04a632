//! Hostile plugins that are called all the time, and a tenant who notices nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::guest::{Target, step};
use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// Id of the plugin and of its tenant, file, the name of its fault, and the words of its error.
fn hostile(url: &str) -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let does = |id, code: &str| Target::new().id(id).before_answering(code).pack();
    let insatiable = Target::new().id("insatiable").answering(|image| {
        let ([m, ml], [u, ul]) = (image.bytes(b"POST"), image.bytes(url.as_bytes()));
        image.words(&[step::SEND, 0, m, ml, u, ul, 0, 0, 0, 0, 0, 0, 0])
    });
    let bomb = "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 64)) (i32.const -1))))
        (memory.fill (i32.const 131072) (i32.const 7) (i32.const 60000000)) unreachable";
    vec![
        ("endless", does("endless", "(loop $on (br $on))"), "out_of_fuel", "units of fuel"),
        ("bomb", does("bomb", bomb), "memory", "wanted more than 67108864 bytes of memory"),
        ("crashing", does("crashing", "unreachable"), "trap", "crashed"),
        ("insatiable", insatiable.pack(), "exchanges", "wanted more than 8 requests"),
    ]
}

/// Memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

/// Gives a hostile plugin work without a pause, until it is stopped. Answers with how
/// many calls were stopped, each with the words of the plugin's fault.
async fn torment(api: Api, endpoint: Value, words: &str, stop: Arc<AtomicBool>) -> usize {
    let path = format!("/v1/webhooks/{}/preview", endpoint["id"].as_str().unwrap());
    let mut stopped = 0;
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let answer = api.post(&path, json!({})).await;
        let told = answer.text();
        if answer.status == 200 {
            // It asked for a request, as honest ones do; what a preview shows is the first.
            assert!(words.contains("requests"), "{told}");
        } else {
            assert!(says(&told, words), "{told}");
            answer.problem(409);
            stopped += 1;
        }
        // Its trouble is no reason to refuse an event.
        if number % 10 == 0 {
            api.event(failed(&format!("evt-{number}"))).await;
        }
    }
    stopped
}

/// Whether a text tells the fault, or that its plugin rests after many of them: once
/// the circuit is open, nobody asks the plugin again for a while.
fn says(text: &str, words: &str) -> bool {
    text.contains(words) || text.contains("in a row and rests")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenants_alerts_arrive_while_anothers_plugins_are_hostile_without_a_pause() {
    const EVENTS: usize = 60;
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let elsewhere = Receiver::start().await;
    let healthy = host.tenant("healthy");
    let endpoint = healthy.endpoint(&receiver.url("/hook"), json!({})).await;
    healthy.rule(&endpoint, json!({"condition": "event.id != ''"})).await;
    let before = resident();

    let plugins = hostile(&elsewhere.url("/in"));
    let stop = Arc::new(AtomicBool::new(false));
    let mut attacks = Vec::new();
    for (id, wasm, _, words) in &plugins {
        let attacker = host.tenant(id);
        attacker.install(wasm.clone()).await;
        let endpoint = attacker.endpoint(&elsewhere.url("/in"), json!({"target": id})).await;
        attacker.rule(&endpoint, json!({"name": id})).await;
        attacks.push(tokio::spawn(torment(attacker.clone(), endpoint, words, stop.clone())));
    }
    for number in 0..EVENTS {
        healthy.event(failed(&format!("good-{number}"))).await;
    }
    let received = receiver.wait_for(EVENTS).await;
    let ids: BTreeSet<String> =
        received.iter().map(|r| r.json()["event"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((received.len(), ids.len()), (EVENTS, EVENTS));

    for (id, _, fault, _) in &plugins {
        eventually(&format!("{id} fails by {fault}"), async || {
            let plugin = host.api.plugin(id).await;
            (plugin["stats"]["faults_by_name"][*fault].as_u64()? > 0).then_some(())
        })
        .await;
    }
    eventually("the circuit of the one that crashes opens, and says so", async || {
        let circuit = host.api.plugin("crashing").await["circuit"].clone();
        let says = circuit["reason"].as_str()?.contains("crashed");
        (circuit["is_open"] == true && circuit["since"].is_string() && says).then_some(())
    })
    .await;
    let closed = host.api.plugin("http").await;
    assert_eq!(closed["circuit"]["is_open"], false);
    assert_eq!(closed["stats"]["faults"], 0);

    stop.store(true, Ordering::Relaxed);
    for (attack, (id, ..)) in attacks.into_iter().zip(&plugins) {
        let stopped = attack.await.unwrap();
        assert!(stopped > 0 || *id == "insatiable", "{id} was never stopped");
    }
    for (id, _, _, words) in &plugins {
        eventually(&format!("a delivery to {id} says what happened"), async || {
            let deliveries = host.tenant(id).deliveries().await;
            let mut told = deliveries.iter().filter_map(|delivery| delivery["last_error"].as_str());
            told.any(|text| says(text, words)).then_some(())
        })
        .await;
    }
    assert!(healthy.deliveries().await.iter().all(|delivery| delivery["status"] == "delivered"));
    // What two bombs at once had is given back. Allocators keep some.
    eventually("memory is given back", async || (resident() < before + (100 << 20)).then_some(()))
        .await;
}
