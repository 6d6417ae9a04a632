//! The second floor: an event's way to a delivery.
//!
//! Intake, matching, delivery workers, and the one door through which anything
//! leaves (`egress`). Joins the store and the sandbox, which never see each
//! other. Knows nothing of HTTP status codes for callers, nor of SQL.

mod actor;
mod background;
mod backtest;
mod catalog;
mod changes;
mod clock;
mod config;
mod diagnostics;
mod dispatch;
mod driven;
mod egress;
mod engine;
mod entropy;
mod error;
mod health;
mod intake;
mod live;
mod mappings;
mod panics;
mod parts;
mod plugins;
mod sample;
mod secrets;
mod stream;
mod trouble;
mod wakes;

pub use actor::Actor;
pub use alerts_store::TenantPatch;
pub use background::retention::Retention;
pub use background::supervisor::{BackgroundLoop, Pulse};
pub use backtest::{Backtest, BacktestMatch, BacktestProgress, BacktestReport, Backtests};
pub use catalog::{
    CreatedEndpoint, Draft, EndpointDraft, EndpointPatch, Endpoints, Expected, RuleDraft,
    RulePatch, Rules, Tenants, name_problems,
};
pub use changes::{Fields, between, made, value};
pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{EngineConfig, EngineParts};
pub use dispatch::{CircuitState, Deliveries, DraftTest, Preview, TryOut};
pub use egress::{Deadlines, Egress, Exchanged, Fetched, Fetcher, Prepared, Transport};
pub use engine::Engine;
pub use entropy::Entropy;
pub use error::{ChangeError, EngineError};
pub use health::Trouble;
pub use intake::{Accepted, Intake};
pub use live::{LiveEndpoint, LiveRule, target_endpoint};
pub use mappings::Mappings;
pub use plugins::admin::PluginAdmin;
pub use plugins::{PluginEntry, PluginSource, PluginState, Plugins};
pub use stream::{Message, Streams, Subscription, Told, TooManyStreams};
