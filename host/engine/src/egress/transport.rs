//! How prepared requests travel: over HTTP in production, through a world with
//! faults of its own in the simulation.

use std::fmt::Debug;
use std::pin::Pin;

use alerts_domain::exchange::{Response, TransportError};

use super::prepare::Prepared;

/// What comes of one request, once it is there.
pub type Exchanged<'a> =
    Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// Carries one request and brings its answer back.
pub trait Transport: Debug + Send + Sync + 'static {
    /// Sends a request and waits for what comes of it. The door takes secrets out of
    /// the answer and cuts it, so it is brought back as it came, within a bound.
    fn exchange(&self, request: Prepared) -> Exchanged<'_>;
}
