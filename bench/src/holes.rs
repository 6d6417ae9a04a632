//! Half of the targets are black holes: what the healthy ones still get, and how
//! fast, beside the same load without the holes.

use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpListener;

use crate::Outcome;
use crate::host::Host;
use crate::load::{self, Load};
use crate::peer::{self, Peer};
use crate::report::{Report, percent, times};

/// Healthy targets, and as many that are not.
const TARGETS: usize = 100;
/// How long to look: beyond the host's ten seconds for a first byte, so that what
/// the holes hold is given up and tried again meanwhile.
const SECONDS: f64 = 20.0;

/// What the healthy targets got.
struct Healthy {
    per_second: f64,
    p99_ms: f64,
}

/// `rate` is that of the events for the healthy ones, and of those for the others.
pub(crate) async fn measure(rate: f64, report: &mut Report) -> Outcome {
    let without = run(rate, false).await?;
    let with = run(rate, true).await?;
    report.add(
        "healthy targets, as many black holes beside them",
        format!("{:.0} deliveries/s", with.per_second),
        format!("{:.0} without the holes/s", without.per_second),
        percent(with.per_second, without.per_second),
        "≥ 95%",
    );
    report.add(
        "the same, posted → first byte",
        format!("p99 {:.1} ms", with.p99_ms),
        format!("p99 {:.1} ms without the holes", without.p99_ms),
        times(with.p99_ms, without.p99_ms),
        "≤ 1.1×",
    );
    Ok(())
}

async fn run(rate: f64, with_holes: bool) -> Outcome<Healthy> {
    let receiver = Peer::start(&["receiver"]).await?;
    let host = Host::start().await?;
    let healthy = host.make_rules(&receiver.address, TARGETS).await?;
    let mut types = healthy.clone();
    // Accepts connections, as many as the system does by itself, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    // Refuses them: nobody listens there any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    for half in [silent.local_addr()?.to_string(), closed] {
        types.extend(host.make_rules_named("hole", &half, TARGETS / 2).await?);
    }
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = silent.accept().await {
            held.push(stream);
        }
    });
    let load = |first, events, types: &[String], rate| Load {
        address: host.address.clone(),
        post: Host::post(),
        first,
        events,
        types: Arc::from(types),
        rate: Some(rate),
    };
    let warm_up = rate as usize;
    load::run(load(0, warm_up, &healthy, rate)).await?;
    peer::wait_for(&receiver, warm_up).await?;
    let events = (rate * SECONDS) as usize / TARGETS * TARGETS;
    let started = Instant::now();
    let measured = if with_holes {
        // Healthy ones and holes in turn, at twice the rate.
        load(1_000_000, events * 2, &types, rate * 2.0)
    } else {
        load(1_000_000, events, &healthy, rate)
    };
    load::run(measured).await?;
    let mut delays = peer::wait_for(&receiver, events).await?;
    let per_second = events as f64 / started.elapsed().as_secs_f64();
    delays.sort_unstable();
    let p99_ms = delays[(delays.len() - 1) * 99 / 100] as f64 / 1000.0;
    Ok(Healthy { per_second, p99_ms })
}
