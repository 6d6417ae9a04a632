//! Durable accept: events a second that are answered 202, beside the same rows
//! written by bare SQLite.

use std::sync::Arc;

use crate::host::Host;
use crate::load::{self, Load};
use crate::report::{Report, per_second, percent, times};
use crate::{Outcome, rows};

/// Rows for the comparison with one commit for each, which is slow.
const ONE_BY_ONE: usize = 1_000;

pub(crate) async fn measure(events: usize, report: &mut Report) -> Outcome {
    let batched = rows::batched(events).await?;
    let one_by_one = rows::one_by_one(ONE_BY_ONE).await?;
    let host = Host::start().await?;
    let at_rest = host.resident_bytes()?;
    let load = |first, events| Load {
        address: host.address.clone(),
        post: Host::post(),
        first,
        events,
        types: Arc::from(["workflow.failed".to_owned()]),
        batch: 1,
        rate: None,
    };
    load::run(load(0, events / 10)).await?;
    let took = load::run(load(events, events)).await?;
    let rate = events as f64 / took.as_secs_f64();
    report.add(
        "durable accept, SQLite FULL, 64 clients",
        per_second(rate, "events"),
        per_second(batched, "rows, bare SQLite, 64 a commit"),
        percent(rate, batched),
        "≥ 40%",
    );
    report.add(
        "the same, beside one commit a row",
        per_second(rate, "events"),
        per_second(one_by_one, "rows, one a commit"),
        times(rate, one_by_one),
        "",
    );
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    report.add(
        "memory at rest",
        format!("{:.0} MiB", mib(at_rest)),
        format!("{:.0} MiB after the load", mib(host.resident_bytes()?)),
        "",
        "≤ 48 MiB; ≤ 96 MiB after a million events",
    );
    Ok(())
}
