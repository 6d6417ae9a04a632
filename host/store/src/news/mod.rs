//! What changed, for those who watch a tenant while it happens.
//!
//! A transaction that changes deliveries or events of a tenant that somebody watches
//! has its changes told once it is committed. SQLite has one host, so they are handed
//! over in memory; on Postgres they are a row of the same transaction, which every host
//! reads. Nothing is written or kept for a tenant that nobody watches. How they are read
//! is in `watching`.

mod change;
mod handed_over;
mod watched;
mod write;

pub use self::change::{DeliveryNews, News};
pub(crate) use self::handed_over::HandedOver;
pub(crate) use self::watched::Watched;
pub(crate) use self::write::write;
