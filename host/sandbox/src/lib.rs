//! Where plugins run: WebAssembly components with no authority at all.
//!
//! Owns wasmtime in every respect: which files are admitted, how they are
//! compiled and cached, what one call may use, and the threads on which guest
//! code runs. Knows neither the store nor HTTP nor an async runtime: a call is
//! a future that any executor may await.

mod admission;
mod breaker;
mod budget;
mod bundle;
mod cache;
mod child;
mod compiler;
mod config;
mod contract;
mod delivery;
mod diagnostic;
mod engine;
mod error;
mod evaluation;
mod fault;
mod guest;
mod limits;
mod plugin;
mod plugin_key;
mod queue;
mod said;
mod sandbox;
mod stats;
mod suspects;
mod uses;
mod v1;
mod warm;
mod workers;

pub use bundle::{BundleError, bundle};
pub use child::compile_child_main;
pub use config::{Compiler, SandboxConfig};
pub use delivery::{TargetDelivery, TargetEndpoint};
pub use diagnostic::Diagnostic;
pub use error::{CallError, ConditionError, LoadError, PluginName, SandboxError};
pub use limits::{CallLimits, DecidedLimit, LimitSource, Limits};
pub use plugin::{OpenCircuit, Plugin};
pub use said::{MAX_MESSAGES, MAX_POINTER_BYTES, MAX_TEXT_BYTES};
pub use sandbox::Sandbox;
pub use stats::PluginStats;
pub use uses::CallUse;
