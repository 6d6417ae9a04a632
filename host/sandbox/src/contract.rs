//! What every version of the plugin contract offers the host. One module for
//! each major version implements it ([`crate::v1`]), and [`bind`] is the one
//! place that chooses between them.

use std::sync::Arc;

use alerts_domain::exchange::{Exchange, Step};
use alerts_domain::problem::FieldError;
use alerts_package::Kind;
use wasmtime::component::{Component, Linker};

use crate::budget::{Fault, Meter};
use crate::delivery::TargetDelivery;
use crate::engine::TickingEngine;
use crate::limits::{CallLimits, Limits};
use crate::uses::Uses;
use crate::v1;

/// Why a condition's source does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// For the person who wrote it.
    pub message: String,
    /// Where it starts: byte offset into the source.
    pub offset: u32,
    /// How many bytes it spans; zero when it is a point.
    pub length: u32,
}

/// A plugin's code, ready to be instantiated.
pub(crate) enum Guest {
    Language(Box<dyn Language>),
    Adapter(Box<dyn Adapter>),
}

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
}

/// A condition language.
pub(crate) trait Language: Send + Sync {
    /// An instance that may use these as long as it lives.
    fn start(&self, limits: &Limits) -> Result<Box<dyn Session>, Fault>;
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

    /// A verdict for each source, in order, by one call of the guest. Sources
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

/// Finds the contract version that a component speaks, and makes one instance
/// to see that it really does. What the plugin's calls use is noted in `uses`.
pub(crate) fn bind(
    component: &Component,
    kind: Kind,
    engine: &TickingEngine,
    limits: &Limits,
    uses: &Arc<Uses>,
) -> Result<Guest, Unbound> {
    // Empty, and that is the proof: what a plugin cannot import it cannot do.
    let linker = Linker::<Meter>::new(engine.engine());
    let instance = linker.instantiate_pre(component).map_err(Unbound::Imports)?;
    match kind {
        Kind::Condition => v1::language::bind(instance, engine, limits, uses).map(Guest::Language),
        Kind::Target => v1::adapter::bind(instance, engine, limits, uses).map(Guest::Adapter),
    }
}
