//! How long an alert takes at half of the peak: from the moment its event is
//! posted, so the commit is in it, to its arrival at the receiver.

use std::sync::Arc;

use crate::Outcome;
use crate::deliver::ENDPOINTS;
use crate::host::Host;
use crate::load::{self, Load};
use crate::peer::{self, Peer};
use crate::report::{Report, per_second};

/// How long to look.
const SECONDS: f64 = 10.0;

pub(crate) async fn measure(rate: f64, report: &mut Report) -> Outcome {
    let receiver = Peer::start(&["receiver"]).await?;
    let host = Host::start().await?;
    let types: Arc<[String]> = host.make_rules(&receiver.address, ENDPOINTS).await?.into();
    let load = |first, seconds: f64| Load {
        address: host.address.clone(),
        post: Host::post(),
        first,
        events: (rate * seconds) as usize,
        types: types.clone(),
        rate: Some(rate),
    };
    let warm_up = load(0, 1.0);
    let events = warm_up.events;
    load::run(warm_up).await?;
    peer::wait_for(&receiver, events).await?;
    let measured = load(10_000_000, SECONDS);
    let events = measured.events;
    load::run(measured).await?;
    let mut delays = peer::wait_for(&receiver, events).await?;
    delays.sort_unstable();
    let at = |part: f64| delays[((delays.len() - 1) as f64 * part) as usize] as f64 / 1000.0;
    report.add(
        "posted → first byte at the receiver, at half of peak",
        format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", at(0.5), at(0.99), at(1.0)),
        per_second(rate, "events"),
        "",
        "p50 ≤ 5 ms, p99 ≤ 50 ms",
    );
    Ok(())
}
