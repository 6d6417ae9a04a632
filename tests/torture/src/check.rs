//! The assertions: what was promised is there after a blow, and in the end
//! everything has arrived.

use std::error::Error;
use std::time::{Duration, Instant};

use alerts_outside::Outcome;
use alerts_outside::host::{Host, NAMESPACE, Refused};
use reqwest::{Method, StatusCode};

use crate::load::{Accepted, Promised, change_in};
use crate::receiver::Receiver;

/// How long the last alerts may take: a circuit that opened looks again after
/// some seconds.
const ARRIVAL: Duration = Duration::from_secs(90);
/// How many lost ids are told.
const TOLD: usize = 5;

/// A host after a blow: these events are there, the last answered change is, and the
/// audit log is whole. `before` is what was promised when it was struck.
pub(crate) async fn is_kept(
    host: &Host,
    endpoint: &str,
    accepted: &[Accepted],
    before: (u64, u64),
    promised: &Promised,
) -> Outcome {
    let mut lost = Vec::new();
    for event in accepted {
        let path = format!("/v1/events/{}", event.stored);
        match host.call(NAMESPACE, Method::GET, &path, None).await {
            Ok(found) if found["event"]["id"] == event.event.as_str() => {}
            Ok(found) => return Err(format!("{} is another event: {found}", event.stored).into()),
            Err(error) if is_not_found(error.as_ref()) => lost.push(event.event.as_str()),
            Err(error) => return Err(error),
        }
    }
    if !lost.is_empty() {
        return Err(format!("answered 202 and lost: {}", told(&lost)).into());
    }
    let found = host.call(NAMESPACE, Method::GET, endpoint, None).await?;
    let change = change_in(&found).ok_or("the endpoint has a name that nobody gave it")?;
    // Changes go on meanwhile.
    let (least, most) = (before.0, promised.changes().1);
    if !(least..=most).contains(&change) {
        return Err(format!("change {least} was answered 200, and {change} is there").into());
    }
    let audit = host.call(NAMESPACE, Method::GET, "/v1/audit/verify", None).await?;
    if audit["intact"] != true {
        return Err(format!("the audit log is broken: {audit}").into());
    }
    Ok(())
}

fn is_not_found(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == StatusCode::NOT_FOUND)
}

/// What a whole run has come to.
#[derive(Debug)]
pub(crate) struct Sum {
    pub(crate) accepted: usize,
    pub(crate) taken_more_than_once: usize,
}

/// Waits until the alert of each accepted event has arrived. Each event has one
/// delivery, however often it was told and sent.
pub(crate) async fn has_arrived(promised: &Promised, receiver: &Receiver) -> Outcome<Sum> {
    let accepted = promised.accepted_after(0);
    let give_up = Instant::now() + ARRIVAL;
    loop {
        let missing = receiver.missing(accepted.iter().map(|one| one.event.as_str()));
        if missing.is_empty() {
            break;
        }
        if Instant::now() > give_up {
            return Err(format!("answered 202 and never sent: {}", told(&missing)).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let arrivals = receiver.arrivals();
    let with_more_ids: Vec<&str> = arrivals
        .iter()
        .filter(|(_, arrived)| arrived.deliveries.len() > 1)
        .map(|(event, _)| event.as_str())
        .collect();
    if !with_more_ids.is_empty() {
        return Err(format!("sent again under another id: {}", told(&with_more_ids)).into());
    }
    let taken_more_than_once = arrivals.values().filter(|arrived| arrived.taken > 1).count();
    Ok(Sum { accepted: accepted.len(), taken_more_than_once })
}

fn told(ids: &[&str]) -> String {
    let first = ids.iter().take(TOLD).copied().collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(TOLD) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
