//! Attacks by calling: what each call costs is out of proportion to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alerts_outside::Outcome;
use alerts_outside::events::failed_run;
use rand::RngExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::attacker::Attacker;
use super::receivers;

const TYPE: &str = "workflow.failed";

/// Conditions that fail on every event, and batches of such events.
pub(super) async fn failing_conditions(attacker: Attacker) -> Outcome {
    const RULES: usize = 20;
    const BATCH: usize = 100;
    let endpoint = attacker.endpoint(&receivers::closed()?).await?;
    for _ in 0..RULES {
        attacker.rule(&endpoint, "event.data.missing > 3").await?;
    }
    for first in (0..).step_by(BATCH) {
        let events: Vec<String> = (first..first + BATCH).map(|n| failed_run(n, TYPE)).collect();
        attacker.batch(&events).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Many rules that all fire for every event, towards one endpoint that answers.
pub(super) async fn rules_on_everything(attacker: Attacker) -> Outcome {
    const RULES: usize = 50;
    let endpoint = attacker.endpoint(&receivers::answering().await?).await?;
    for _ in 0..RULES {
        attacker.rule(&endpoint, "true").await?;
    }
    for number in 0.. {
        attacker.event(failed_run(number, TYPE)).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// Events of nearly a megabyte, which a rule looks at and which become alerts.
pub(super) async fn huge_events(attacker: Attacker) -> Outcome {
    const BYTES: usize = 900_000;
    let endpoint = attacker.endpoint(&receivers::answering().await?).await?;
    attacker.rule(&endpoint, "event.data.note.contains('y')").await?;
    let long = "x".repeat(BYTES);
    for number in 0.. {
        attacker
            .event(failed_run(number, TYPE).replace("\"note\":\"", &format!("\"note\":\"y{long}")))
            .await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    Ok(())
}

/// API keys that were never given out, each another one.
pub(super) async fn unknown_keys(attacker: Attacker) -> Outcome {
    const CALLERS: usize = 4;
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let attacker = attacker.clone();
        callers.spawn(async move {
            loop {
                let key = format!("exo_{:032x}", rand::rng().random::<u128>());
                let url = format!("http://{}/v1/events", attacker.address);
                let answered = attacker.http.get(url).header("x-api-key", key).send().await;
                attacker.note(answered.is_ok_and(|answer| answer.status().is_success()));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }
    // They go on until they are stopped from outside; one that ends has failed.
    if let Some(ended) = callers.join_next().await {
        ended?;
    }
    Ok(())
}

/// As many endpoints as it may have, all changed all the time, so that everything
/// of the tenant is loaded again and again.
pub(super) async fn endless_changes(attacker: Attacker) -> Outcome {
    const ENDPOINTS: usize = 1_500;
    const CALLERS: usize = 8;
    let url = receivers::closed()?;
    let mut endpoints = Vec::new();
    while endpoints.len() < ENDPOINTS {
        match attacker.endpoint(&url).await {
            Ok(endpoint) => endpoints.push(format!("/v1/webhooks/{endpoint}")),
            // A quota: fewer are what there is to attack with.
            Err(_) if !endpoints.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    let (endpoints, next) = (Arc::new(endpoints), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (attacker, endpoints, next) = (attacker.clone(), endpoints.clone(), next.clone());
        callers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let path = &endpoints[number % endpoints.len()];
                let name: Value = json!({"name": format!("x{number}")});
                attacker.call(Method::PATCH, path, name).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
    // They go on until they are stopped from outside; one that ends has failed.
    if let Some(ended) = callers.join_next().await {
        ended?;
    }
    Ok(())
}
