//! From a leased delivery to its result: whose turn it is (`scheduler`), the
//! attempt itself, and writing down how it ended; and where leased deliveries come
//! from besides intake (`claims`).

mod attempt;
mod circuit;
mod claims;
mod dispatcher;
mod in_hand;
mod job;
mod limiters;
mod obstacle;
mod ordering;
mod rate;
mod recording;
mod redrive;
mod rest;
mod scheduler;
mod test_places;
mod try_out;
mod workers;

pub(crate) use attempt::Attempts;
pub use circuit::CircuitState;
pub(crate) use claims::Claims;
pub(crate) use dispatcher::Dispatcher;
pub(crate) use job::{Job, JobEvent};
pub(crate) use limiters::Limiters;
pub(crate) use ordering::Ordering;
pub(crate) use recording::{Recorder, TROUBLE};
pub use redrive::Deliveries;
pub(crate) use scheduler::Bounds;
pub(crate) use test_places::TestPlaces;
pub use try_out::{DraftTest, Preview, TryOut};
pub(crate) use workers::{WorkerNeeds, Workers};
