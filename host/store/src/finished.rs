//! How an attempt ended, on its way to the writer.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Attempt, Lease, Transition};
use alerts_domain::id::{DeliveryId, EndpointId, RuleId};
use alerts_domain::tenant::TenantId;

use crate::row::json_text;

/// An attempt that has ended, or a delivery that is given back untried.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Which delivery.
    pub id: DeliveryId,
    /// Whose.
    pub tenant: TenantId,
    /// Where it was sent.
    pub webhook_endpoint_id: EndpointId,
    /// Why it was sent; none for a test.
    pub alert_rule_id: Option<RuleId>,
    /// Its event's type; none where the event is no longer stored.
    pub event_type: Option<String>,
    /// When the delivery was made.
    pub created_at: Timestamp,
    /// The right to say so.
    pub lease: Lease,
    /// What happened; none when nothing was tried.
    pub attempt: Option<Attempt>,
    /// Where the delivery goes.
    pub transition: Transition,
    /// When.
    pub now: Timestamp,
}

/// What became of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishOutcome {
    /// It is on the disk.
    Recorded,
    /// It is on the disk, and the delivery's rule is switched off: its target is gone.
    RuleDisabled,
    /// Somebody else holds the delivery now; nothing was written.
    LeaseLost,
}

/// On its way to the writer. What is large is made into text before it comes
/// there: there is one writer, and it should only write.
pub(crate) struct Ended {
    finished: Arc<Finished>,
    exchanges: Option<String>,
}

impl Ended {
    /// What has ended.
    pub(crate) fn finished(&self) -> &Finished {
        &self.finished
    }

    pub(crate) fn new(finished: Arc<Finished>) -> Self {
        let exchanges = finished.attempt.as_ref().map(|attempt| json_text(&attempt.exchanges));
        Self { finished, exchanges }
    }

    /// Its attempt's exchanges as they are stored.
    pub(crate) fn exchanges(&self) -> Option<&str> {
        self.exchanges.as_deref()
    }
}
