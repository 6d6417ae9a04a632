//! A plugin's code, ready to be instantiated. The one place that knows all
//! versions of the contract, and chooses by what a component exports.

use std::sync::Arc;

use alerts_package::Kind;
use wasmtime::component::{Component, Linker};

use crate::budget::Meter;
use crate::contract::{Adapter, Language, Unbound};
use crate::engine::TickingEngine;
use crate::limits::Limits;
use crate::uses::Uses;
use crate::v1;

/// What begins the names of the contract's interfaces.
const PACKAGE: &str = "exosphere:alerts/";
/// All that a plugin may export of the contract.
const KNOWN: [&str; 4] = [
    v1::language::INTERFACE,
    v1::adapter::INTERFACE,
    v1::ordering::INTERFACE,
    v1::mapping::INTERFACE,
];

/// The one of the latest version.
const NEWEST: &str = v1::ordering::INTERFACE;

/// A plugin's code, ready to be instantiated.
pub(crate) enum Guest {
    Language(Box<dyn Language>),
    Adapter(Box<dyn Adapter>),
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
    let ty = component.component_type();
    for (exports, _) in ty.exports(engine.engine()) {
        let same = KNOWN.into_iter().find(|known| name(known) == name(exports));
        // What the host does not know at all it need not: unless it is of a later contract.
        let newest = exports.starts_with(PACKAGE).then_some(NEWEST);
        if let Some(interface) = same.or(newest).filter(|known| is_later(exports, known)) {
            return Err(Unbound::Version { exports: exports.to_owned(), interface });
        }
    }
    match kind {
        Kind::Condition => v1::language::bind(instance, engine, limits, uses).map(Guest::Language),
        Kind::Target => v1::adapter::bind(instance, engine, limits, uses).map(Guest::Adapter),
    }
}

/// An interface without its version.
fn name(interface: &str) -> &str {
    interface.split_once('@').map_or(interface, |(name, _)| name)
}

/// Whether an export has a version that the host does not know of this interface:
/// another major one, or a later minor one, from which a plugin may expect what this
/// host does not do. wasmtime alone would take the latter.
fn is_later(export: &str, interface: &str) -> bool {
    let (Some((_, version)), Some((_, host))) = (export.split_once('@'), interface.split_once('@'))
    else {
        return false;
    };
    let compatible = |version: &str| {
        let mut numbers = version.splitn(3, '.').map(|number| number.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    match (compatible(version), compatible(host)) {
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
        ] {
            assert_eq!(is_later(exports, "a:b/adapter@1.2.0"), unknown, "{exports}");
        }
    }
}
