//! The ground floor: what the words of the product mean.
//!
//! Ids, events, rules, delivery states, the retry policy, signatures, address
//! rules. Everything here is a pure function of its arguments: no sockets, no
//! database, no sandbox, and neither a clock nor randomness of its own; both
//! are passed in.

pub mod address;
pub mod alert;
pub mod api_key;
pub mod condition;
pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod exchange;
pub mod header;
pub mod id;
pub mod json;
pub mod keyring;
pub mod label;
pub mod origin;
pub mod outcome;
pub mod own_event;
pub mod plugin_limits;
pub mod problem;
pub mod quota;
pub mod rate_limit;
pub mod retry;
pub mod rule;
pub mod run_url;
pub mod secret;
pub mod session;
pub mod signature;
pub mod source;
pub mod stats;
pub mod target_url;
pub mod tenant;
pub mod text;
pub mod trigger;

pub use jiff::Timestamp;
