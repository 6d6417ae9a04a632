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
/// Events in a batch.
const BATCH: usize = 100;

/// Answers with the deliveries a second of single posts.
pub(crate) async fn measure(events: usize, report: &mut Report) -> Outcome<f64> {
    let receiver = Peer::start(&["receiver"]).await?;
    let post = Post::new("/", &[("content-type", "application/json")]);
    let types = ["t".to_owned()];
    let direct = Posts { address: &receiver.address, post, batch: 1, types: &types };
    let relay = Peer::start(&["relay", &receiver.address]).await?;
    let relayed =
        Posts { address: &relay.address, ..direct.clone() }.rate(&receiver, events).await?;
    drop(relay);
    let direct = direct.rate(&receiver, events).await?;

    let host = Host::start().await?;
    let types = host.make_rules(&receiver.address, ENDPOINTS).await?;
    let single = Posts { address: &host.address, post: Host::post(), batch: 1, types: &types };
    let delivered = single.rate(&receiver, events).await?;
    // Another one: events of the same numbers would be repetitions for this.
    let host = Host::start().await?;
    let types = host.make_rules(&receiver.address, ENDPOINTS).await?;
    let post = Host::post_batch();
    let batches = Posts { address: &host.address, post, batch: BATCH, types: &types };
    let batched = batches.rate(&receiver, events).await?;
    report.add("a bare client to the receiver, for scale", per_second(direct, "posts"), "", "", "");
    let beside = per_second(relayed, "through a bare relay");
    report.add(
        "end to end, SQLite FULL",
        per_second(delivered, "deliveries"),
        &*beside,
        percent(delivered, relayed),
        "≥ 40%",
    );
    report.add(
        "the same in batches of 100 events",
        per_second(batched, "deliveries"),
        beside,
        percent(batched, relayed),
        "≥ 80%",
    );
    Ok(delivered)
}

/// What is posted, and where.
#[derive(Clone)]
pub(crate) struct Posts<'a> {
    pub(crate) address: &'a str,
    pub(crate) post: Post,
    pub(crate) batch: usize,
    pub(crate) types: &'a [String],
}

impl Posts<'_> {
    /// Events a second from the first one posted to the last one received.
    pub(crate) async fn rate(&self, receiver: &Peer, events: usize) -> Outcome<f64> {
        let load = |first, events| Load {
            address: self.address.to_owned(),
            post: self.post.clone(),
            first,
            events,
            types: Arc::from(self.types),
            batch: self.batch,
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
}
