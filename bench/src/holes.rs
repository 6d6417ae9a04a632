//! Half of the targets are black holes: what the healthy ones still get, and how
//! fast, beside the same load without the holes.

use tokio::net::TcpListener;

use crate::Outcome;
use crate::host::Host;
use crate::load::{self, Load};
use crate::peer::{self, Peer};
use crate::report::{Report, percent, times};

/// Healthy targets, and as many that are not.
pub(crate) const TARGETS: usize = 100;
/// How long to look: beyond the host's ten seconds for a first byte, so that what
/// the holes hold is given up and tried again meanwhile.
const SECONDS: f64 = 20.0;

/// `rate` is that of the events for the healthy ones, and of those for the others.
pub(crate) async fn measure(rate: f64, report: &mut Report) -> Outcome {
    // Accepts connections, as many as the system does by itself, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    // Refuses them: nobody listens there any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let halves = [silent.local_addr()?.to_string(), closed];
    let holding = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = silent.accept().await {
            held.push(stream);
        }
    });
    let without = Healthy::on(&Host::start().await?, &[], rate).await?;
    let with = Healthy::on(&Host::start().await?, &halves, rate).await?;
    holding.abort();
    with.report("black holes", &without, report);
    Ok(())
}

/// What the healthy targets got.
pub(crate) struct Healthy {
    per_second: f64,
    p99_ms: f64,
}

impl Healthy {
    /// Runs the load on this host, which is fresh; each of `others` gets its share of
    /// as many endpoints as the healthy targets have.
    pub(crate) async fn on(host: &Host, others: &[String], rate: f64) -> Outcome<Self> {
        let receiver = Peer::start(&["receiver"]).await?;
        let healthy = host.make_rules(&receiver.address, TARGETS).await?;
        let mut types = healthy.clone();
        for other in others {
            types.extend(host.make_rules_named("hole", other, TARGETS / others.len()).await?);
        }
        let load = |first, events, types: &[String], rate| Load {
            address: host.address.clone(),
            post: Host::post(),
            first,
            events,
            types: types.into(),
            batch: 1,
            rate: Some(rate),
        };
        let warm_up = rate as usize;
        load::run(load(0, warm_up, &healthy, rate)).await?;
        peer::wait_for(&receiver, warm_up).await?;
        let events = (rate * SECONDS) as usize / TARGETS * TARGETS;
        let started = std::time::Instant::now();
        let measured = if others.is_empty() {
            load(1_000_000, events, &healthy, rate)
        } else {
            // Healthy ones and others in turn, at twice the rate.
            load(1_000_000, events * 2, &types, rate * 2.0)
        };
        load::run(measured).await?;
        let mut delays = peer::wait_for(&receiver, events).await?;
        let per_second = events as f64 / started.elapsed().as_secs_f64();
        delays.sort_unstable();
        let p99_ms = delays[(delays.len() - 1) * 99 / 100] as f64 / 1000.0;
        Ok(Self { per_second, p99_ms })
    }

    /// Adds the rows that show what `others` cost, beside the figures `without` them.
    pub(crate) fn report(&self, others: &str, without: &Self, report: &mut Report) {
        report.add(
            &format!("healthy targets, as many {others} beside them"),
            format!("{:.0} deliveries/s", self.per_second),
            format!("{:.0} without the {others}/s", without.per_second),
            percent(self.per_second, without.per_second),
            "≥ 95%",
        );
        report.add(
            "the same, posted → first byte",
            format!("p99 {:.1} ms", self.p99_ms),
            format!("p99 {:.1} ms without the {others}", without.p99_ms),
            times(self.p99_ms, without.p99_ms),
            "≤ 1.1×",
        );
    }
}
