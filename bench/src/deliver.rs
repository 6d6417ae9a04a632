//! End to end: from a posted event to a signed POST that was answered 2xx,
//! beside a relay that stores nothing.

use std::sync::Arc;
use std::time::Instant;

use crate::Outcome;
use crate::client::Post;
use crate::host::Host;
use crate::load::{self, Load};
use crate::peer::{self, Peer};
use crate::report::{Report, per_second, percent};

/// Endpoints that share the deliveries: one alone is held to its own bound.
pub(crate) const ENDPOINTS: usize = 8;

/// Answers with the deliveries a second.
pub(crate) async fn measure(events: usize, report: &mut Report) -> Outcome<f64> {
    let receiver = Peer::start(&["receiver"]).await?;
    let direct = rate(&receiver, &receiver.address, &post(), events, &["t".to_owned()]).await?;

    let relay = Peer::start(&["relay", &receiver.address]).await?;
    let relayed = rate(&receiver, &relay.address, &post(), events, &["t".to_owned()]).await?;
    drop(relay);

    let host = Host::start().await?;
    let types = host.make_rules(&receiver.address, ENDPOINTS).await?;
    let delivered = rate(&receiver, &host.address, &Host::post(), events, &types).await?;
    report.add("a bare client to the receiver, for scale", per_second(direct, "posts"), "", "", "");
    report.add(
        "end to end, SQLite FULL",
        per_second(delivered, "deliveries"),
        per_second(relayed, "through a bare relay"),
        percent(delivered, relayed),
        "≥ 50%",
    );
    Ok(delivered)
}

fn post() -> Post {
    Post::new("/", &[("content-type", "application/json")])
}

/// Events a second from the first one posted to the last one received.
async fn rate(
    receiver: &Peer,
    address: &str,
    post: &Post,
    events: usize,
    types: &[String],
) -> Outcome<f64> {
    let load = |first, events| Load {
        address: address.to_owned(),
        post: post.clone(),
        first,
        events,
        types: Arc::from(types),
        rate: None,
    };
    // Connections, caches and instances are warm when the clock starts.
    load::run(load(0, events / 10)).await?;
    peer::wait_for(receiver, events / 10).await?;
    let started = Instant::now();
    load::run(load(events, events)).await?;
    peer::wait_for(receiver, events).await?;
    Ok(events as f64 / started.elapsed().as_secs_f64())
}
