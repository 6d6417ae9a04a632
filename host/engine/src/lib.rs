//! The second floor: an event's way to a delivery.
//!
//! Intake, matching, delivery workers, and the one door through which anything
//! leaves (`egress`). Joins the store and the sandbox, which never see each
//! other. Knows nothing of HTTP status codes for callers, nor of SQL.

mod alerting;
mod attempt;
mod backtest;
mod catalog;
mod clock;
mod deferred;
mod dispatch;
mod driven;
mod egress;
mod endpoints;
mod engine;
mod entropy;
mod error;
mod intake;
mod matching;
mod plugins;
mod recording;
mod redrive;
mod retention;
mod rules;
mod tenants;
mod timers;
mod try_out;
mod turns;

pub use attempt::target_endpoint;
pub use backtest::{Backtest, BacktestMatch, BacktestProgress, BacktestReport};
pub use catalog::{LiveEndpoint, LiveRule};
pub use clock::{Clock, ManualClock, SystemClock};
pub use dispatch::Circuit;
pub use egress::{Deadlines, Egress, Exchanged, Prepared, Transport};
pub use endpoints::{CreatedEndpoint, EndpointDraft, EndpointPatch};
pub use engine::{Engine, EngineConfig, EngineParts};
pub use entropy::Entropy;
pub use error::{ChangeError, EngineError};
pub use intake::Accepted;
pub use plugins::{PluginEntry, PluginSource, PluginState, Plugins};
pub use retention::Retention;
pub use rules::{RuleDraft, RulePatch};
pub use alerts_store::TenantPatch;
pub use try_out::Preview;

use alerts_domain::tenant::TenantId;

/// On whose behalf something is changed.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Whose resources.
    pub tenant: TenantId,
    /// Who, for the audit log and `created_by`.
    pub name: String,
}
