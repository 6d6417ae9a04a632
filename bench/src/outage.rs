//! After an outage: ten thousand alerts wait for a target that is back, and fresh
//! ones come in for the same target.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::host::Host;
use crate::load::{self, Load};
use crate::peer::{self, Peer};
use crate::report::Report;

const BACKLOG: usize = 10_000;
/// Fresh events a second, and for how long.
const RATE: f64 = 200.0;
const SECONDS: f64 = 10.0;

pub(crate) async fn measure(report: &mut Report) -> Outcome {
    let receiver = Peer::start(&["receiver"]).await?;
    let host = Host::start().await?;
    let types: Arc<[String]> = host.make_rules(&receiver.address, 1).await?.into();
    let load = |first, events, rate| Load {
        address: host.address.clone(),
        post: Host::post(),
        first,
        events,
        types: types.clone(),
        batch: 1,
        rate,
    };
    let fresh = (RATE * SECONDS) as usize;
    load::run(load(0, fresh, Some(RATE))).await?;
    let quiet = peer::wait_for(&receiver, fresh).await?;

    peer::set_well(&receiver, false).await?;
    load::run(load(1_000_000, BACKLOG, None)).await?;
    peer::set_well(&receiver, true).await?;
    let back = Instant::now();
    // The first probe may be some seconds away.
    let mut seen = Vec::new();
    while seen.is_empty() && back.elapsed() < Duration::from_secs(90) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        seen = peer::seen(&receiver).await?;
    }
    let (started, started_at) = (Instant::now(), jiff::Timestamp::now().as_microsecond());
    load::run(load(2_000_000, fresh, Some(RATE))).await?;
    while seen.len() < BACKLOG + fresh {
        if started.elapsed() > Duration::from_secs(120) {
            return Err(format!("only {} alerts arrived after the outage", seen.len()).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        seen.extend(peer::seen(&receiver).await?);
    }
    let drained = started.elapsed().as_secs_f64();
    // What was posted before the outage ended is older than the fresh load.
    let age_us = jiff::Timestamp::now().as_microsecond() - started_at;
    seen.sort_unstable();
    let during = seen.get(..fresh).ok_or("too few")?.to_vec();
    if during.last().is_some_and(|longest| *longest > age_us) {
        return Err("the fresh alerts cannot be told from the old ones".into());
    }
    report.add(
        "fresh alerts while 10,000 old ones leave for the same target",
        figures(during),
        format!("{} with nothing waiting", figures(quiet)),
        "",
        "",
    );
    report.add(
        "the 10,000 are out after",
        format!("{drained:.1} s"),
        format!("{RATE:.0} fresh ones a second beside them"),
        "",
        "",
    );
    Ok(())
}

fn figures(mut delays: Vec<i64>) -> String {
    delays.sort_unstable();
    let at = |part: usize| delays[(delays.len() - 1) * part / 100] as f64 / 1000.0;
    format!("p50 {:.1} ms, p99 {:.1} ms", at(50), at(99))
}
