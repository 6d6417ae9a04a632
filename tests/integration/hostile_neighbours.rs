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

/// A plugin that misbehaves.
struct Hostile {
    /// Of the plugin and of its tenant.
    id: &'static str,
    wasm: Vec<u8>,
    /// The names of its fault, of which one is enough: which limit stops a loop first
    /// is the machine's affair.
    faults: &'static [&'static str],
    /// The words of its errors, in the same way.
    words: &'static [&'static str],
}

fn hostile(url: &str) -> Vec<Hostile> {
    let does = |id, code: &str| Target::new().id(id).before_answering(code).pack();
    let insatiable = Target::new().id("insatiable").answering(|image| {
        let ([m, ml], [u, ul]) = (image.bytes(b"POST"), image.bytes(url.as_bytes()));
        image.words(&[step::SEND, 0, m, ml, u, ul, 0, 0, 0, 0, 0, 0, 0])
    });
    let bomb = "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 64)) (i32.const -1))))
        (memory.fill (i32.const 131072) (i32.const 7) (i32.const 60000000)) unreachable";
    let of = |id, wasm, faults, words| Hostile { id, wasm, faults, words };
    vec![
        of(
            "endless",
            does("endless", "(loop $on (br $on))"),
            &["out_of_fuel", "deadline"],
            &["units of fuel", "was stopped after"],
        ),
        of("bomb", does("bomb", bomb), &["memory"], &["wanted more than 67108864 bytes of memory"]),
        of("crashing", does("crashing", "unreachable"), &["trap"], &["crashed"]),
        of("insatiable", insatiable.pack(), &["exchanges"], &["wanted more than 8 requests"]),
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
async fn torment(
    api: Api,
    endpoint: Value,
    words: &'static [&'static str],
    stop: Arc<AtomicBool>,
) -> usize {
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
            assert!(words.iter().any(|words| words.contains("requests")), "{told}");
        } else {
            assert!(says(&told, words), "{told}");
            // The plugin's failure, or its rest.
            assert!([500, 503].contains(&answer.status), "{told}");
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
fn says(text: &str, words: &[&str]) -> bool {
    words.iter().any(|words| text.contains(words)) || text.contains("in a row and rests")
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
    for Hostile { id, wasm, words, .. } in &plugins {
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

    for Hostile { id, faults, .. } in &plugins {
        eventually(&format!("{id} fails by {faults:?}"), async || {
            let plugin = host.api.plugin(id).await;
            let by_name = &plugin["stats"]["faults_by_name"];
            faults.iter().any(|fault| by_name[*fault].as_u64() > Some(0)).then_some(())
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
    for (attack, Hostile { id, .. }) in attacks.into_iter().zip(&plugins) {
        let stopped = attack.await.unwrap();
        assert!(stopped > 0 || *id == "insatiable", "{id} was never stopped");
    }
    for Hostile { id, words, .. } in &plugins {
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
