//! Panics where nothing may stop because of one: caught, counted, and told by
//! whoever knows what it was about.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

/// Some work ended with a panic, whose message this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

/// What `work` comes to. What it shares with others must stay usable when it
/// panics: here that is locks whose poison is ignored, and guards.
pub(crate) async fn caught<T>(
    part: &'static str,
    work: impl Future<Output = T>,
) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|payload| {
        metrics::counter!("alerts_panics_total", "part" => part).increment(1);
        Panicked(message(payload.as_ref()).to_owned())
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
