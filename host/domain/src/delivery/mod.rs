//! Deliveries: one alert on its way to one endpoint, and every state it can be in.
//!
//! ```text
//!              ┌───────── retry ─────────┐
//!              ▼                         │
//!         Scheduled ──── claimed ───▶ Leased ──▶ Delivered
//!           │    ▲                    │   │
//!       cancel   └── host died ───────┘   └────▶ Dead
//!           ▼
//!        Canceled             Skipped (from the start)
//! ```
//!
//! Terminal states are never left. Redriving makes a new delivery that points
//! to the old one.

mod error_text;
mod status;
mod transition;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use self::error_text::ErrorText;
pub use self::status::DeliveryStatus;
pub use self::transition::Transition;
use crate::exchange::Exchange;
use crate::id::{DeliveryId, EndpointId, EventId, HostId, RuleId};
use crate::tenant::TenantId;

/// A stored delivery. The alert's bytes are not in it: they are built from it
/// and its event whenever they are needed (see [`crate::alert`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `dlv_…`, the same in every attempt.
    pub id: DeliveryId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What happened.
    pub event_id: EventId,
    /// Why it is sent; none for a test.
    pub alert_rule_id: Option<RuleId>,
    /// The rule's name when it fired, so that every attempt sends the same bytes.
    pub rule_name: String,
    /// The trigger's type and figures when it fired, as the alert shows them.
    pub trigger: serde_json::Value,
    /// Where it goes.
    pub webhook_endpoint_id: EndpointId,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts begun and recorded.
    pub attempt_count: u32,
    /// When it is due, while it is scheduled.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, or why it was skipped.
    pub last_error: Option<String>,
    /// The dead or skipped delivery it repeats.
    pub redrive_of: Option<DeliveryId>,
    /// When the rule fired.
    pub created_at: Timestamp,
    /// When it reached a terminal state.
    pub finished_at: Option<Timestamp>,
}

/// The right to work on a delivery. Every claim raises the fence, so that a
/// worker who was thought dead cannot write over the one who came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub host: HostId,
    /// Counts claims, not attempts.
    pub fence: i64,
}

/// One try at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Of the last response, if there was one.
    pub status_code: Option<u16>,
    /// [`crate::exchange::Verdict::word`].
    pub verdict: String,
    /// Why it failed, for the tenant.
    pub error: Option<ErrorText>,
    /// What the adapter noted of a delivery that went well: a vendor's message id.
    pub note: Option<String>,
    /// `sha256:…` of the plugin that decided it.
    pub plugin_digest: String,
    /// Version of the endpoint's settings it used.
    pub endpoint_version: i64,
    /// What was said, references in place of secrets.
    pub exchanges: Vec<Exchange>,
}

/// The randomness that an adapter may use in one attempt: known from the outside
/// too, so that any attempt can be replayed. The first eight bytes of a SHA-256.
pub fn attempt_seed(id: DeliveryId, number: u32) -> u64 {
    let digest = Sha256::digest(format!("exosphere attempt seed\0{id}:{number}"));
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
