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
    let interface = match kind {
        Kind::Condition => v1::language::INTERFACE,
        Kind::Target => v1::adapter::INTERFACE,
    };
    let ty = component.component_type();
    let unknown = ty.exports(engine.engine()).find(|(name, _)| is_unknown(name, interface));
    if let Some((exports, _)) = unknown {
        return Err(Unbound::Version { exports: exports.to_owned(), interface });
    }
    match kind {
        Kind::Condition => v1::language::bind(instance, engine, limits, uses).map(Guest::Language),
        Kind::Target => v1::adapter::bind(instance, engine, limits, uses).map(Guest::Adapter),
    }
}

/// Whether an export is this interface in a version that the host does not know:
/// of another major version, or of a later minor one, from which a plugin may
/// expect what this host does not do. wasmtime alone would take the latter.
fn is_unknown(export: &str, interface: &str) -> bool {
    let (Some((name, version)), Some((known, host))) =
        (export.split_once('@'), interface.split_once('@'))
    else {
        return false;
    };
    let compatible = |version: &str| {
        let mut numbers = version.splitn(3, '.').map(|number| number.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    name == known
        && match (compatible(version), compatible(host)) {
            (Some((major, minor)), Some((host_major, host_minor))) => {
                major != host_major || minor > host_minor
            }
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_up_to_the_hosts_own() {
        for (exports, unknown) in [
            ("a:b/adapter@1.2.0", false),
            ("a:b/adapter@1.2.9", false),
            ("a:b/adapter@1.0.0", false),
            ("a:b/adapter@1.3.0", true),
            ("a:b/adapter@2.0.0", true),
            ("a:b/adapter@0.9.0", true),
            ("a:b/adapter@next", true),
            // Something else, which this has no say in.
            ("a:b/adapter", false),
            ("a:b/other@9.0.0", false),
        ] {
            assert_eq!(is_unknown(exports, "a:b/adapter@1.2.0"), unknown, "{exports}");
        }
    }
}
