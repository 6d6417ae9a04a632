//! Mappings, which condition languages may have since version 1.1 of the contract:
//! expressions that make JSON values. Each call has an instance of its own, so one
//! tenant's expressions never meet another's.

use std::sync::Arc;

use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::mapped::{Mapped, MappedPre};
use super::convert::within;
use crate::budget::{self, Meter};
use crate::contract::Unbound;
use crate::diagnostic::Diagnostic;
use crate::engine::TickingEngine;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::said;
use crate::uses::Uses;

pub(crate) const INTERFACE: &str = "exosphere:alerts/mapping@1.1.0";

/// The part of a condition language that makes values.
pub(super) struct MappingV1 {
    pre: MappedPre<Meter>,
    engine: TickingEngine,
    uses: Arc<Uses>,
}

impl MappingV1 {
    pub(super) fn bind(
        instance: InstancePre<Meter>,
        engine: &TickingEngine,
        uses: &Arc<Uses>,
    ) -> Result<Self, Unbound> {
        let pre = MappedPre::new(instance)
            .map_err(|source| Unbound::World { interface: INTERFACE, source })?;
        Ok(Self { pre, engine: engine.clone(), uses: uses.clone() })
    }

    /// Makes an instance, which is when the types are compared with the contract's.
    pub(super) fn prove(&self, limits: &Limits) -> Result<(), Unbound> {
        self.instance(limits).map(drop).map_err(|fault| Unbound::at_start(INTERFACE, fault))
    }

    /// All expressions are compiled anew in it, so it has the limits of a compilation.
    fn instance(&self, limits: &Limits) -> Result<(Store<Meter>, Mapped), Fault> {
        let mut store = budget::store(&self.engine, *limits, self.uses.clone());
        budget::allow(&mut store, &self.engine, limits.compile)?;
        let mapped =
            self.pre.instantiate(&mut store).map_err(|error| budget::explain(&store, &error))?;
        Ok((store, mapped))
    }

    pub(super) fn check(
        &self,
        expressions: &[String],
        names: &[String],
        limits: &Limits,
    ) -> Result<Vec<Vec<Diagnostic>>, Fault> {
        let (mut store, mapped) = self.instance(limits)?;
        let found = mapped.exosphere_alerts_mapping().call_check(&mut store, expressions, names);
        budget::note(&store);
        let found = found.map_err(|error| budget::explain(&store, &error))?;
        one_for_each("check", expressions, found.len())?;
        let messages = found.iter().flatten().map(|diagnostic| diagnostic.message.len());
        within(limits.output_bytes, messages)?;
        let one = |found: Vec<_>| match found.is_empty() {
            true => Vec::new(),
            false => said::diagnostics(found.into_iter().map(diagnostic)),
        };
        Ok(found.into_iter().map(one).collect())
    }

    pub(super) fn evaluate(
        &self,
        expressions: &[String],
        input: &[u8],
        limits: &Limits,
    ) -> Result<Vec<Result<Value, String>>, Fault> {
        let (mut store, mapped) = self.instance(limits)?;
        let values =
            mapped.exosphere_alerts_mapping().call_evaluate(&mut store, expressions, input);
        budget::note(&store);
        let values = values.map_err(|error| budget::explain(&store, &error))?;
        one_for_each("evaluate", expressions, values.len())?;
        let bytes = values.iter().map(|value| match value {
            Ok(json) => json.len(),
            Err(message) => message.len(),
        });
        within(limits.output_bytes, bytes)?;
        values
            .into_iter()
            .map(|value| value.map_or_else(|e| Ok(Err(said::text(e))), read))
            .collect()
    }
}

type Bound = super::bindings::mapped::exports::exosphere::alerts::mapping::Diagnostic;

fn diagnostic(Bound { message, offset, length }: Bound) -> Diagnostic {
    Diagnostic { message, offset, length }
}

fn one_for_each(call: &str, expressions: &[String], answers: usize) -> Result<(), Fault> {
    if answers == expressions.len() {
        return Ok(());
    }
    let expected = expressions.len();
    Err(Fault::contract(format!("`{call}` gave {answers} answers for {expected} expressions")))
}

fn read(json: Vec<u8>) -> Result<Result<Value, String>, Fault> {
    let value = serde_json::from_slice(&json);
    value.map(Ok).map_err(|error| Fault::contract(format!("a value is not JSON: {error}")))
}
