//! The top floor: the HTTP API, the command line, settings and telemetry.
//!
//! HTTP status codes exist only here. What the words mean is decided in
//! `alerts-domain`, what happens in `alerts-engine`; this floor reads requests,
//! asks, and writes answers. Tests and benchmarks start a [`Server`] in their
//! own process, with a clock of their own.

pub mod builtin;
pub mod cli;
pub mod settings;

mod api;
mod bootstrap;
mod connections;
mod demo;
mod encryption;
mod housekeeping;
mod keys;
mod limits;
mod meters;
mod pace;
mod readiness;
mod remembered;
mod rotation;
mod say;
mod server;
mod sessions;
mod sign_in_pace;
mod state;
mod trouble;
mod unbroken;

pub use connections::Tls;
pub use encryption::KeysError;
pub use limits::ServerLimits;
pub use server::{Server, ServerOptions, StartError};
