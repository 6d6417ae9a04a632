//! The first floor: all SQL, for SQLite and Postgres.
//!
//! One room for both databases: the same text wherever their dialects agree,
//! and `dialect` for the few places where they do not. Knows nothing of
//! plugins, sockets or HTTP, has no clock of its own, and binds every query to a
//! tenant, except for those of the host itself (claims, leases, deferred work).

mod accept;
mod api_keys;
mod audit;
mod audit_log;
mod batch;
mod change;
mod claim;
mod columns;
mod condition_errors;
mod damaged;
mod deliveries;
mod delivery_list;
mod dialect;
mod encryption_checks;
mod endpoints;
mod error;
mod events;
mod finish;
mod finished;
mod gone;
mod grouped;
mod hosts;
mod idempotency;
mod idempotency_key;
mod migrations;
mod new_event;
mod open;
mod ordering;
mod page;
mod pending;
#[cfg(test)]
mod plans;
mod plugins;
mod pool;
mod postgres_url;
mod private_files;
mod quotas;
mod rate_limiters;
mod readable;
mod redrive;
mod retention;
mod row;
mod rules;
mod sealed;
mod sessions;
mod sqlite_file;
mod statement;
mod strays;
mod tenant_lock;
mod tenants;
mod timers;
mod transaction;
mod tries;
mod triggers;
mod writer;

pub use accept::StoredId;
pub use audit::{AuditEntry, AuditRecord};
pub use audit_log::AuditCheck;
pub use claim::Claimed;
pub use condition_errors::ConditionError;
pub use damaged::DamagedRow;
pub use deliveries::DeliveryChange;
pub use delivery_list::DeliveryFilter;
pub use encryption_checks::EncryptionChecks;
pub use error::StoreError;
pub use events::{EventFilter, ScannedEvent, StoredEvent};
pub use finished::{FinishOutcome, Finished};
pub use idempotency::{Idempotency, KeptAnswer};
pub use idempotency_key::Taken;
pub use new_event::{NewDelivery, NewEvent};
pub use open::Store;
pub use ordering::{Order, Ordered};
pub use page::Page;
pub use pending::PendingEvent;
pub use plugins::{OperatorChange, PluginGrant, UploadedPlugin};
pub use private_files::{folder_of, make_folder, sync_folder};
pub use rate_limiters::RateLimiter;
pub use redrive::{RedriveOutcome, RedriveScope, Redriven};
pub use retention::Kept;
pub use sealed::{SealedKind, SealedRow};
pub use sessions::SessionOpening;
pub use strays::StoredLease;
pub use tenants::{ActiveTenant, TenantMark, TenantPatch};
pub use timers::{DueTimer, TimerAction};
pub use triggers::TriggerChange;
pub use writer::WriterHealth;
