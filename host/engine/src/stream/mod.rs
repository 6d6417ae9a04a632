//! Streams: what happens to a tenant, told while it happens to everybody who watches it
//! on this host, whichever host did it.

mod channel;
mod follow;
mod message;
mod subscription;

pub(crate) use self::follow::StreamLoop;
pub use self::message::{Message, Told};
pub use self::subscription::{Streams, Subscription, TooManyStreams};
