//! The first floor: all SQL, for SQLite and Postgres.
//!
//! One room for both databases: the same text wherever their dialects agree,
//! and `dialect` for the few places where they do not. Knows nothing of
//! plugins, sockets or HTTP, has no clock of its own, and binds every query to a
//! tenant, except for those of the host itself (claims, leases, deferred work).

mod accept;
mod api_keys;
mod audit;
mod batch;
mod change;
mod claim;
mod deliveries;
mod dialect;
mod endpoints;
mod error;
mod events;
mod finish;
mod gone;
mod hosts;
mod idempotency;
mod open;
mod page;
mod plugins;
mod redrive;
mod retention;
mod row;
mod rules;
mod sealed;
mod statement;
mod tenants;
mod timers;
mod triggers;
mod writer;

pub use accept::{NewDelivery, NewEvent, StoredId};
pub use audit::{AuditEntry, AuditRecord, AuditVerdict};
pub use claim::Claimed;
pub use deliveries::{DeliveryChange, DeliveryFilter};
pub use error::StoreError;
pub use events::{EventFilter, PendingEvent, ScannedEvent, StoredEvent};
pub use finish::{FinishOutcome, Finished};
pub use idempotency::Idempotency;
pub use open::Store;
pub use page::Page;
pub use plugins::{OperatorChange, PluginGrant, UploadedPlugin};
pub use redrive::{RedriveOutcome, RedriveScope, Redriven};
pub use retention::Kept;
pub use sealed::{SealedKind, SealedRow};
pub use tenants::{ActiveTenant, TenantMark};
pub use timers::{DueTimer, TimerAction, TriggerChange};
pub use triggers::{Alert, Observation, Observed};
