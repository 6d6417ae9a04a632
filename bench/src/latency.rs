//! How long an alert takes at half of the peak: from the moment its event is
//! posted, so the commit is in it, to its arrival at the receiver.

use crate::Outcome;
use crate::deliver::ENDPOINTS;
use crate::host::Host;
use crate::load::{self, Load};
use crate::peer::{self, Peer};
use crate::report::{Report, per_second};

/// How long to look.
const SECONDS: f64 = 10.0;
/// Number of the first event that is looked at: above those of any other load.
const FIRST: usize = 10_000_000;

pub(crate) async fn measure(rate: f64, report: &mut Report) -> Outcome {
    let receiver = Peer::start(&["receiver"]).await?;
    let host = Host::start().await?;
    let types = host.make_rules(&receiver.address, ENDPOINTS).await?;
    let figures = at(&host, &receiver, &types, rate).await?;
    report.add(
        "posted → first byte at the receiver, at half of peak",
        figures,
        per_second(rate, "events"),
        "",
        "p50 ≤ 3 ms, p99 ≤ 15 ms",
    );
    Ok(())
}

/// The delays at `rate` events a second.
pub(crate) async fn at(
    host: &Host,
    receiver: &Peer,
    types: &[String],
    rate: f64,
) -> Outcome<String> {
    let load = |first, seconds: f64| Load {
        address: host.address.clone(),
        post: Host::post(),
        first,
        events: (rate * seconds) as usize,
        types: types.into(),
        batch: 1,
        rate: Some(rate),
    };
    let warm_up = load(FIRST, 1.0);
    let events = warm_up.events;
    load::run(warm_up).await?;
    peer::wait_for(receiver, events).await?;
    let measured = load(2 * FIRST, SECONDS);
    let events = measured.events;
    load::run(measured).await?;
    let mut delays = peer::wait_for(receiver, events).await?;
    delays.sort_unstable();
    let at = |part: f64| delays[((delays.len() - 1) as f64 * part) as usize] as f64 / 1000.0;
    Ok(format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", at(0.5), at(0.99), at(1.0)))
}
