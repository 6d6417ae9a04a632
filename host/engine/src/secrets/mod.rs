//! An endpoint's secrets: what stands in their place for an adapter, how the
//! values get in as the bytes leave, and how they are taken out of what comes back.
//!
//! It knows endpoints' secrets, and neither requests nor how they travel.

mod decode;
mod forms;
mod mask;
mod place;
mod references;

pub(crate) use mask::Mask;
pub(crate) use place::Place;
pub(crate) use references::{References, TooLong};
