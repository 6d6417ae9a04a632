//! The whole host from outside: one file for each feature, on real sockets,
//! real plugins and a real database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alerting;
mod crash;
mod database;
mod delivering;
mod docs;
mod intake;
mod isolation;
mod plugins;
mod process;
mod resources;
mod retries;
mod support;
