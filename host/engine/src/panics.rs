//! Panics where nothing may stop because of one: caught, told with the name of
//! the part, counted.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

/// Some work ended with a panic, which was told already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// What `work` comes to. What it shares with others must stay usable when it
/// panics: here that is locks whose poison is ignored, and guards.
pub(crate) async fn caught<T>(
    part: &'static str,
    work: impl Future<Output = T>,
) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|payload| {
        let message = message(payload.as_ref());
        metrics::counter!("alerts_panics_total", "part" => part).increment(1);
        tracing::error!(part, message, "a part of this host panicked; it is started again");
        Panicked
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
