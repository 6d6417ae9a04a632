//! Ordering keys, which target plugins may tell since version 1.1 of the contract.

use std::sync::Arc;

use alerts_domain::text;
use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::ordered::{Ordered, OrderedPre};
use crate::budget::{self, Meter};
use crate::contract::Unbound;
use crate::engine::TickingEngine;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::uses::Uses;

pub(crate) const INTERFACE: &str = "exosphere:alerts/ordering@1.1.0";

/// Longest key, in bytes: it is an index key, and an adapter whose vendor takes longer
/// ones can hash them.
const MAX_KEY_BYTES: usize = 512;

/// The part of a target plugin that tells what an alert is about at the target.
pub(super) struct OrderingV1 {
    pre: OrderedPre<Meter>,
    engine: TickingEngine,
    uses: Arc<Uses>,
}

impl OrderingV1 {
    pub(super) fn bind(
        instance: InstancePre<Meter>,
        engine: &TickingEngine,
        uses: &Arc<Uses>,
    ) -> Result<Self, Unbound> {
        let pre = OrderedPre::new(instance)
            .map_err(|source| Unbound::World { interface: INTERFACE, source })?;
        Ok(Self { pre, engine: engine.clone(), uses: uses.clone() })
    }

    /// Makes an instance, which is when the types are compared with the contract's.
    pub(super) fn prove(&self, limits: &Limits) -> Result<(), Unbound> {
        self.instance(limits).map(drop).map_err(|fault| Unbound::at_start(INTERFACE, fault))
    }

    fn instance(&self, limits: &Limits) -> Result<(Store<Meter>, Ordered), Fault> {
        let mut store = budget::store(&self.engine, *limits, self.uses.clone());
        budget::allow(&mut store, &self.engine, limits.target)?;
        let ordered =
            self.pre.instantiate(&mut store).map_err(|error| budget::explain(&store, &error))?;
        Ok((store, ordered))
    }

    pub(super) fn key(
        &self,
        alert: &[u8],
        settings: &[u8],
        limits: &Limits,
    ) -> Result<Option<String>, Fault> {
        let (mut store, ordered) = self.instance(limits)?;
        let key = ordered.exosphere_alerts_ordering().call_key(&mut store, alert, settings);
        budget::note(&store);
        let key = key.map_err(|error| budget::explain(&store, &error))?;
        match key {
            Some(key) if key.len() > MAX_KEY_BYTES => Err(Fault::contract(format!(
                "its ordering key has {} bytes, and {MAX_KEY_BYTES} are allowed",
                key.len()
            ))),
            // A database may not hold each text, and all that matters is that it differs.
            key => Ok(key.map(|key| text::kept(&key, MAX_KEY_BYTES))),
        }
    }
}
