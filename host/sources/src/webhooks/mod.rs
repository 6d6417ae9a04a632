//! Webhooks in: what other programs post in their own words becomes events.
//!
//! `manage` is how people change them, `receive` what is done with a request: its sender
//! is known by a secret (`proof`), its body is read as GitHub's, GitLab's, or by the source's
//! own mapping, and what is made of it goes through the ordinary intake.

mod github;
mod gitlab;
mod manage;
mod mapped;
mod notes;
mod payload;
mod proof;
mod receive;
mod request;
mod run_event;

pub use manage::{SourceDraft, SourcePatch, WebhookSources};
pub use receive::{Made, NotTaken, Received};
pub use request::Incoming;
