//! What the scheduler must know of the work that it schedules.

use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;

/// A piece of work: a delivery, or in tests a number.
pub(crate) trait Work {
    fn tenant(&self) -> &TenantId;
    fn endpoint(&self) -> EndpointId;
    fn rule(&self) -> Option<RuleId>;
    /// What it takes in memory.
    fn bytes(&self) -> usize;
}

/// Work, and what matters about how it came here.
#[derive(Debug)]
pub(super) struct Piece<W> {
    pub(super) work: W,
    /// In this host's hands since its event came in, never in the database's, nor
    /// kept by an outage.
    pub(super) is_fresh: bool,
    /// Its rule's limit held it up, and it is its turn now.
    pub(super) has_waited: bool,
    pub(super) bytes: usize,
}
