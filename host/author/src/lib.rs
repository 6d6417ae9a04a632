//! What the author of a plugin works with: looking into a file, making one,
//! checking it, stepping through it, replaying what it did, and beginning a
//! new one.
//!
//! Everything runs on the production sandbox and through the production egress
//! rules, so what is fine here is fine on a host. Stores nothing and serves
//! nothing. Each command is one module with its arguments in it; who calls it
//! gives the place where its lines go.

pub mod bench;
pub mod check;
mod compare;
mod conversation;
mod error;
mod file;
pub mod inspect;
mod lab;
pub mod pack;
mod paper;
mod record;
pub mod replay;
pub mod run;
mod sample;
pub mod scaffold;
mod scene;
mod show;

pub use error::AuthorError;
pub use paper::Paper;
