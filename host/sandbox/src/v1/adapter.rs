//! Target adapters of contract version 1.

use std::sync::Arc;

use alerts_domain::exchange::{Exchange, Step};
use alerts_domain::problem::FieldError;
use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::target::{Target, TargetPre};
use super::convert;
use super::ordering::{self, OrderingV1};
use crate::budget::{self, Meter};
use crate::contract::{Adapter, Unbound};
use crate::delivery::TargetDelivery;
use crate::engine::TickingEngine;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::uses::Uses;

pub(crate) const INTERFACE: &str = "exosphere:alerts/adapter@1.0.0";

pub(crate) fn bind(
    instance: InstancePre<Meter>,
    engine: &TickingEngine,
    limits: &Limits,
    uses: &Arc<Uses>,
) -> Result<Box<dyn Adapter>, Unbound> {
    let is_ordered = instance.component().get_export_index(None, ordering::INTERFACE).is_some();
    let ordering =
        is_ordered.then(|| OrderingV1::bind(instance.clone(), engine, uses)).transpose()?;
    let pre = TargetPre::new(instance)
        .map_err(|source| Unbound::World { interface: INTERFACE, source })?;
    let adapter = AdapterV1 { pre, ordering, engine: engine.clone(), uses: uses.clone() };
    adapter.instance(limits).map_err(|fault| Unbound::at_start(INTERFACE, fault))?;
    if let Some(ordering) = &adapter.ordering {
        ordering.prove(limits)?;
    }
    Ok(Box::new(adapter))
}

struct AdapterV1 {
    pre: TargetPre<Meter>,
    /// None of a plugin that does not export it.
    ordering: Option<OrderingV1>,
    engine: TickingEngine,
    uses: Arc<Uses>,
}

impl AdapterV1 {
    /// An instance for one call. Instantiating counts against the call.
    fn instance(&self, limits: &Limits) -> Result<(Store<Meter>, Target), Fault> {
        let mut store = budget::store(&self.engine, *limits, self.uses.clone());
        budget::allow(&mut store, &self.engine, limits.target)?;
        let target =
            self.pre.instantiate(&mut store).map_err(|error| budget::explain(&store, &error))?;
        Ok((store, target))
    }
}

impl Adapter for AdapterV1 {
    fn check(
        &self,
        settings: &[u8],
        limits: &Limits,
    ) -> Result<Result<(), Vec<FieldError>>, Fault> {
        let (mut store, target) = self.instance(limits)?;
        let answer = target.exosphere_alerts_adapter().call_check(&mut store, settings);
        budget::note(&store);
        let answer = answer.map_err(|error| budget::explain(&store, &error))?;
        match answer {
            Ok(()) => Ok(Ok(())),
            Err(problems) => convert::problems(problems, limits).map(Err),
        }
    }

    fn next(
        &self,
        delivery: &TargetDelivery,
        exchanges: &[Exchange],
        limits: &Limits,
    ) -> Result<Step, Fault> {
        let (mut store, target) = self.instance(limits)?;
        let step = convert::with_call(delivery, exchanges, |delivery, exchanges| {
            target.exosphere_alerts_adapter().call_next(&mut store, delivery, exchanges)
        });
        budget::note(&store);
        convert::step(step.map_err(|error| budget::explain(&store, &error))?, limits)
    }

    fn is_ordered(&self) -> bool {
        self.ordering.is_some()
    }

    fn ordering_key(
        &self,
        alert: &[u8],
        settings: &[u8],
        limits: &Limits,
    ) -> Result<Option<String>, Fault> {
        match &self.ordering {
            Some(ordering) => ordering.key(alert, settings, limits),
            None => Ok(None),
        }
    }
}
