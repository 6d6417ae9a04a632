//! What every version of the plugin contract offers the host. One module for
//! each major version implements it; [`crate::guest`] chooses between them.

use std::sync::Arc;

use alerts_domain::exchange::{Exchange, Step};
use alerts_domain::problem::FieldError;
use serde_json::Value;

use crate::delivery::TargetDelivery;
use crate::diagnostic::Diagnostic;
use crate::fault::Fault;
use crate::limits::{CallLimits, Limits};

/// A target adapter. Each call has an instance of its own.
pub(crate) trait Adapter: Send + Sync {
    fn check(&self, settings: &[u8], limits: &Limits)
    -> Result<Result<(), Vec<FieldError>>, Fault>;

    fn next(
        &self,
        delivery: &TargetDelivery,
        exchanges: &[Exchange],
        limits: &Limits,
    ) -> Result<Step, Fault>;

    /// Whether it tells ordering keys at all.
    fn is_ordered(&self) -> bool;

    /// What an alert is about at the target, if its order matters.
    fn ordering_key(
        &self,
        alert: &[u8],
        settings: &[u8],
        limits: &Limits,
    ) -> Result<Option<String>, Fault>;
}

/// A condition language.
pub(crate) trait Language: Send + Sync {
    /// An instance that may use these as long as it lives.
    fn start(&self, limits: &Limits) -> Result<Box<dyn Session>, Fault>;

    /// What is wrong with each expression of a mapping, in order.
    fn check_mapping(
        &self,
        expressions: &[String],
        names: &[String],
        limits: &Limits,
    ) -> Result<Vec<Vec<Diagnostic>>, Fault>;

    /// What each expression makes of the input, in order.
    fn map(
        &self,
        expressions: &[String],
        input: &[u8],
        limits: &Limits,
    ) -> Result<Vec<Result<Value, String>>, Fault>;
}

/// An instance of a condition language with the programs compiled in it. Of no
/// use after a fault.
pub(crate) trait Session: Send {
    /// Has `source` compiled here, once.
    fn compile(
        &mut self,
        source: &Arc<str>,
        limits: CallLimits,
    ) -> Result<Result<(), Vec<Diagnostic>>, Fault>;

    /// An answer for each source, in order, by one call of the guest. Sources
    /// that were not compiled here, or do not compile, are a fault.
    fn evaluate(
        &mut self,
        sources: &[&Arc<str>],
        event: &[u8],
        limits: CallLimits,
    ) -> Result<Vec<Result<bool, String>>, Fault>;

    /// Calls of the guest so far.
    fn calls(&self) -> u32;

    /// Memory that came on top of what the instance began with.
    fn growth_bytes(&self) -> usize;
}

/// Why a component is not a plugin of this kind.
pub(crate) enum Unbound {
    /// It speaks a version of the contract that this host does not know.
    Version { exports: String, interface: &'static str },
    /// It wants something from the host.
    Imports(wasmtime::Error),
    /// Its exports are not those of the world.
    World { interface: &'static str, source: wasmtime::Error },
    /// It could not be instantiated.
    Start(Fault),
}

impl Unbound {
    /// Why the first instance was not made. That is also when wasmtime compares
    /// the exports' types with the contract's: before, it looks at names alone.
    pub(crate) fn at_start(interface: &'static str, fault: Fault) -> Self {
        match fault {
            Fault::Contract { detail } => {
                Self::World { interface, source: wasmtime::Error::msg(detail) }
            }
            fault => Self::Start(fault),
        }
    }
}
