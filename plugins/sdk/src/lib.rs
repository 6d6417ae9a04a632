//! Write plugins for Exosphere Alerts in Rust.
//!
//! A plugin is a WebAssembly component behind the contract in `wit/`. There are
//! two kinds, and each is one trait and one macro here:
//!
//! - a **target adapter** turns an alert into one vendor's API calls:
//!   [`Target`] and [`export_target!`];
//! - a **condition language** is what tenants write rules in:
//!   [`Language`] and [`export_language!`].
//!
//! Both are pure functions. There are no sockets, no clock, no randomness and no
//! files: the host performs the requests, tells the time, and puts secrets in as
//! the bytes leave. So a plugin is tested with plain `cargo test`, and whatever
//! it did can be replayed byte for byte.
//!
//! Build with `cargo build --release --target wasm32-unknown-unknown` as a
//! `cdylib`, without dependencies that want an operating system: the finished
//! component may import nothing at all.
//!
//! # A whole target adapter
//!
//! ```
//! use exosphere_alerts_sdk::{
//!     Delivery, Exchange, Problem, Request, Settings, Step, Target, Verdict, export_target,
//! };
//! use serde::Deserialize;
//!
//! /// Opens a ticket, then adds a comment to it: two requests in one attempt.
//! struct Tickets;
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct TicketSettings {
//!     project: String,
//! }
//!
//! #[derive(Deserialize)]
//! struct Ticket {
//!     id: u64,
//! }
//!
//! impl Tickets {
//!     /// With `Verdict` as the error, `?` ends the attempt and says why.
//!     fn step(delivery: &Delivery, exchanges: &[Exchange]) -> Result<Step, Verdict> {
//!         let endpoint = &delivery.endpoint;
//!         let settings: TicketSettings = endpoint.read_settings()?;
//!         // A reference; the host puts the secret in its place on the way out.
//!         let authorization = format!("Bearer {}", endpoint.require_secret("api_token")?);
//!         match exchanges {
//!             [] => Ok(Step::Send(
//!                 Request::post_json(&endpoint.url, format!(r#"{{"project":"{}"}}"#, settings.project))
//!                     .header("authorization", &authorization)
//!                     // The vendor drops repeats by it: delivery is at least once.
//!                     .header("idempotency-key", &delivery.id),
//!             )),
//!             [created] => {
//!                 let ticket: Ticket = created.read_accepted(delivery.now)?;
//!                 let comments = format!("{}/{}/comments", endpoint.url, ticket.id);
//!                 Ok(Step::SendLast(
//!                     Request::post_json(comments, delivery.alert.clone())
//!                         .header("authorization", &authorization),
//!                 ))
//!             }
//!             _ => Err(Verdict::Rejected("more exchanges than this adapter asked for".into())),
//!         }
//!     }
//! }
//!
//! impl Target for Tickets {
//!     fn check(settings: Settings) -> Result<(), Vec<Problem>> {
//!         settings.read::<TicketSettings>().map(drop)
//!     }
//!
//!     fn next(delivery: Delivery, exchanges: Vec<Exchange>) -> Step {
//!         Self::step(&delivery, &exchanges).unwrap_or_else(Step::Done)
//!     }
//! }
//!
//! export_target!(Tickets);
//! ```
//!
//! An adapter that writes a message of its own reads the alert as [`Alert`]. What to
//! say is in its [`briefing`]; [`LinkTemplate`], [`text`] and [`when`] help to say it.
//!
//! For a whole condition language see [`Language`]; one in which events are made of what
//! other programs send is a [`Mapping`] too.
//!
//! The feature `heap`, on by default, sets the guest's global allocator: one that
//! starts in memory which a fresh instance has already. Turn it off to bring your own.

mod alert;
#[doc(hidden)]
pub mod bindings;
pub mod briefing;
#[cfg(all(feature = "heap", target_arch = "wasm32", not(target_feature = "atomics")))]
mod heap;
mod language;
mod link;
mod link_template;
mod mapping;
mod ordering;
mod retry_after;
mod run_subject;
mod settings;
mod target;
pub mod text;
mod trigger;
mod verdict;
pub mod when;

pub use alert::{Alert, EventReference, FiredRule, Run, Scalar, Workflow};
pub use bindings::condition::exports::exosphere::alerts::language::{Diagnostic, EvalError};
pub use bindings::target::exosphere::alerts::types::Problem;
pub use bindings::target::exports::exosphere::alerts::adapter::{
    Delivery, Endpoint, Exchange, Outcome, Request, Response, Retry, SecretRef, Step,
    TransportError, Verdict,
};
pub use language::Language;
pub use link_template::{LinkTemplate, Placeholder};
pub use mapping::Mapping;
pub use ordering::Ordered;
pub use settings::Settings;
pub use target::Target;
pub use trigger::Trigger;
pub use verdict::retry_after_ms;

#[doc(hidden)]
pub mod glue {
    //! What the export macros name; not for use by hand.
    pub use crate::language::Compiled;
    pub use crate::mapping::Mapped;
    pub use crate::ordering::Ordering;
    pub use crate::target::Adapter;
}
