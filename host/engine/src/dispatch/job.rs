//! A delivery in this host's hands, with all that an attempt needs.

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Attempt, Delivery, ErrorText, Lease, Transition};
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;
use alerts_store::Finished;
use bytes::Bytes;

use super::in_hand::Hold;
use super::scheduler::Work;
use crate::live::RateLimits;

/// What a waiting job takes in memory besides its event's body, about.
const JOB_BYTES: usize = 1024;

/// What an attempt needs of the event that its delivery is about.
#[derive(Debug)]
pub(crate) struct JobEvent {
    /// None where it is no longer stored.
    pub(crate) event_type: Option<String>,
    /// As it was posted; empty where it is no longer stored.
    pub(crate) body: Bytes,
    pub(crate) received_at: Timestamp,
}

/// A delivery in this host's hands, with all that an attempt needs.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) delivery: Delivery,
    pub(crate) lease: Lease,
    pub(crate) event: JobEvent,
    /// The limits on it when it came here: they hold while its tenant's catalog is
    /// not in memory.
    pub(super) limits: RateLimits,
    pub(super) hold: Hold,
}

impl Job {
    /// How it ended. It counts as held until the second part is dropped, which is
    /// once that is written down.
    pub(crate) fn ended(
        self,
        attempt: Option<Attempt>,
        transition: Transition,
        now: Timestamp,
    ) -> (Finished, Hold) {
        let finished = Finished {
            id: self.delivery.id,
            tenant: self.delivery.tenant,
            webhook_endpoint_id: self.delivery.webhook_endpoint_id,
            alert_rule_id: self.delivery.alert_rule_id,
            event_type: self.event.event_type,
            created_at: self.delivery.created_at,
            lease: self.lease,
            attempt,
            transition,
            now,
        };
        (finished, self.hold)
    }

    /// Given back without an attempt, to be due at a time.
    pub(crate) fn given_back(self, at: Timestamp, now: Timestamp) -> (Finished, Hold) {
        self.ended(None, Transition::Release { at, reason: None }, now)
    }
}

impl Job {
    /// Back to the database untried, as old as it was: what waits for something else
    /// than a time neither gains nor loses its place, and is given up when it is too
    /// old, whatever it waited for.
    pub(super) fn released_as_it_was(&self, reason: Option<ErrorText>) -> Transition {
        Transition::Release { at: self.delivery.created_at, reason }
    }
}

impl Work for Job {
    fn tenant(&self) -> &TenantId {
        &self.delivery.tenant
    }

    fn endpoint(&self) -> EndpointId {
        self.delivery.webhook_endpoint_id
    }

    fn rule(&self) -> Option<RuleId> {
        self.delivery.alert_rule_id
    }

    fn bytes(&self) -> usize {
        self.event.body.len() + JOB_BYTES
    }
}
