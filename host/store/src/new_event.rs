//! New events and deliveries, as the store is told of them.

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, Lease};
use alerts_domain::event::Event;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::outcome::RuleOutcome;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::Observation;

/// An event to be stored, with everything that follows from it.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The id it gets here.
    pub id: EventId,
    /// Whose it is.
    pub tenant: TenantId,
    /// As it was posted.
    pub event: Event,
    /// When.
    pub received_at: Timestamp,
    /// What became of each rule that looked at it, but for those that have a
    /// memory: what becomes of them is found out as it is stored.
    pub outcomes: Vec<RuleOutcome>,
    /// The rules whose condition plugin could not answer yet.
    pub pending_rules: Option<Vec<RuleId>>,
    /// What the rules that fired send.
    pub deliveries: Vec<NewDelivery>,
    /// What rules with a memory see in it.
    pub observations: Vec<Observation>,
}

/// A delivery to be stored.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// In its first state.
    pub delivery: Delivery,
    /// Who works on it already, if it is leased.
    pub lease: Option<Lease>,
}
