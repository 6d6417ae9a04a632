//! Condition languages of contract version 1.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::{InstancePre, ResourceAny};

use super::bindings::condition::{Condition, ConditionPre};
use super::convert;
use super::mapping::{self, MappingV1};
use crate::budget::{self, Meter};
use crate::contract::{Language, Session, Unbound};
use crate::diagnostic::Diagnostic;
use crate::engine::TickingEngine;
use crate::fault::Fault;
use crate::limits::{CallLimits, Limits};
use crate::uses::Uses;

pub(crate) const INTERFACE: &str = "exosphere:alerts/language@1.0.0";

pub(crate) fn bind(
    instance: InstancePre<Meter>,
    engine: &TickingEngine,
    limits: &Limits,
    uses: &Arc<Uses>,
) -> Result<Box<dyn Language>, Unbound> {
    let maps = instance.component().get_export_index(None, mapping::INTERFACE).is_some();
    let mapping = maps.then(|| MappingV1::bind(instance.clone(), engine, uses)).transpose()?;
    let pre = ConditionPre::new(instance)
        .map_err(|source| Unbound::World { interface: INTERFACE, source })?;
    let language = LanguageV1 { pre, mapping, engine: engine.clone(), uses: uses.clone() };
    language.start(limits).map_err(|fault| Unbound::at_start(INTERFACE, fault))?;
    if let Some(mapping) = &language.mapping {
        mapping.prove(limits)?;
    }
    Ok(Box::new(language))
}

struct LanguageV1 {
    pre: ConditionPre<Meter>,
    /// None of a plugin that does not export it.
    mapping: Option<MappingV1>,
    engine: TickingEngine,
    uses: Arc<Uses>,
}

impl LanguageV1 {
    fn mapping(&self) -> Result<&MappingV1, Fault> {
        self.mapping.as_ref().ok_or_else(|| {
            Fault::contract(format!(
                "it does not export `{}`, so no mapping can be written in it",
                mapping::INTERFACE
            ))
        })
    }
}

impl Language for LanguageV1 {
    fn check_mapping(
        &self,
        expressions: &[String],
        names: &[String],
        limits: &Limits,
    ) -> Result<Vec<Vec<Diagnostic>>, Fault> {
        self.mapping()?.check(expressions, names, limits)
    }

    fn map(
        &self,
        expressions: &[String],
        input: &[u8],
        limits: &Limits,
    ) -> Result<Vec<Result<Value, String>>, Fault> {
        self.mapping()?.evaluate(expressions, input, limits)
    }

    fn start(&self, limits: &Limits) -> Result<Box<dyn Session>, Fault> {
        let mut store = budget::store(&self.engine, *limits, self.uses.clone());
        // A guest may run code as it is instantiated.
        budget::allow(&mut store, &self.engine, limits.compile)?;
        let guest =
            self.pre.instantiate(&mut store).map_err(|error| budget::explain(&store, &error))?;
        let first_bytes = store.data().memory_bytes();
        Ok(Box::new(SessionV1 {
            store,
            guest,
            engine: self.engine.clone(),
            output_bytes: limits.output_bytes,
            programs: HashMap::new(),
            calls: 0,
            first_bytes,
        }))
    }
}

struct SessionV1 {
    store: Store<Meter>,
    guest: Condition,
    engine: TickingEngine,
    /// What one call may return.
    output_bytes: usize,
    programs: HashMap<Arc<str>, Result<ResourceAny, Vec<Diagnostic>>>,
    calls: u32,
    first_bytes: usize,
}

impl Session for SessionV1 {
    fn compile(
        &mut self,
        source: &Arc<str>,
        limits: CallLimits,
    ) -> Result<Result<(), Vec<Diagnostic>>, Fault> {
        if let Some(known) = self.programs.get(source) {
            return Ok(known.as_ref().map(drop).map_err(Clone::clone));
        }
        budget::allow(&mut self.store, &self.engine, limits)?;
        self.calls += 1;
        let language = self.guest.exosphere_alerts_language();
        let compiled = language.program().call_compile(&mut self.store, source);
        budget::note(&self.store);
        let compiled = match compiled.map_err(|error| budget::explain(&self.store, &error))? {
            Ok(program) => Ok(program),
            Err(diagnostics) => Err(convert::diagnostics(diagnostics, self.output_bytes)?),
        };
        let answer = compiled.as_ref().map(drop).map_err(Clone::clone);
        self.programs.insert(source.clone(), compiled);
        Ok(answer)
    }

    fn evaluate(
        &mut self,
        sources: &[&Arc<str>],
        event: &[u8],
        limits: CallLimits,
    ) -> Result<Vec<Result<bool, String>>, Fault> {
        let mut handles = Vec::with_capacity(sources.len());
        for source in sources {
            match self.programs.get(*source) {
                Some(Ok(program)) => handles.push(*program),
                _ => return Err(Fault::contract("a condition was evaluated before it compiled")),
            }
        }
        budget::allow(&mut self.store, &self.engine, limits)?;
        self.calls += 1;
        let verdicts = self
            .guest
            .exosphere_alerts_language()
            // The contract's alias `json` makes the binding want a vector.
            .call_evaluate_all(&mut self.store, &handles, &event.to_vec());
        budget::note(&self.store);
        let verdicts = verdicts.map_err(|error| budget::explain(&self.store, &error))?;
        if verdicts.len() != sources.len() {
            return Err(Fault::contract(format!(
                "`evaluate-all` gave {} verdicts for {} programs",
                verdicts.len(),
                sources.len()
            )));
        }
        convert::verdicts(verdicts, self.output_bytes)
    }

    fn calls(&self) -> u32 {
        self.calls
    }

    fn growth_bytes(&self) -> usize {
        self.store.data().memory_bytes() - self.first_bytes
    }
}
