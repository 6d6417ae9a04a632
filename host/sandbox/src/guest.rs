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
    let interfaces: &[&str] = match kind {
        Kind::Condition => &[v1::language::INTERFACE],
        Kind::Target => &[v1::adapter::INTERFACE, v1::ordering::INTERFACE],
    };
    let ty = component.component_type();
    for (exports, _) in ty.exports(engine.engine()) {
        if let Some(interface) = interfaces.iter().find(|known| is_unknown(exports, known)) {
            return Err(Unbound::Version { exports: exports.to_owned(), interface });
        }
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
