//! One instance's store: how much of everything it may use, and, when a call
//! fails, which of the limits it was.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{ResourceLimiter, Store, Trap};

use crate::engine::TickingEngine;
use crate::fault::Fault;
use crate::limits::{CallLimits, Limits};
use crate::uses::Uses;

/// Counts what an instance has, and remembers what it was refused.
pub(crate) struct Meter {
    limits: Limits,
    memory_bytes: usize,
    refused: Option<Fault>,
    /// Of the call that runs.
    call: CallLimits,
    uses: Arc<Uses>,
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.uses.shrank(self.memory_bytes);
    }
}

impl Meter {
    /// Linear memory that the instance has now.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Over all memories of the instance: the limiter is asked for each alone.
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory_bytes {
            self.refused = Some(Fault::Memory { limit_bytes: self.limits.memory_bytes });
            return Ok(false);
        }
        // The memory's own type rules this out; wasmtime asks nevertheless, and
        // what does not happen must not be counted.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.uses.grew(total - self.memory_bytes, total);
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.limits.table_elements {
            self.refused = Some(Fault::Table { limit_elements: self.limits.table_elements });
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.core_instances as usize
    }

    fn memories(&self) -> usize {
        self.limits.memories as usize
    }

    fn tables(&self) -> usize {
        self.limits.tables as usize
    }
}

/// The host's bookkeeping for a lifted value is a small multiple of its bytes
/// (a `String` is 24 of them), and wasmtime counts that.
const LIFT_OVERHEAD: usize = 2;
const LIFT_SPARE_BYTES: usize = 64 << 10;

/// A store that nothing may run in until [`allow`] says how long.
pub(crate) fn store(engine: &TickingEngine, limits: Limits, uses: Arc<Uses>) -> Store<Meter> {
    let call = CallLimits { fuel: 0, deadline_ms: 0 };
    let meter = Meter { limits, memory_bytes: 0, refused: None, call, uses };
    let mut store = Store::new(engine.engine(), meter);
    store.limiter(|meter| meter);
    store.set_hostcall_fuel(limits.output_bytes.saturating_mul(LIFT_OVERHEAD) + LIFT_SPARE_BYTES);
    store
}

/// Fuel and time for the next call.
pub(crate) fn allow(
    store: &mut Store<Meter>,
    engine: &TickingEngine,
    call: CallLimits,
) -> Result<(), Fault> {
    store.data_mut().refused = None;
    store.data_mut().call = call;
    store.set_epoch_deadline(engine.ticks(Duration::from_millis(call.deadline_ms)));
    store.set_fuel(call.fuel).map_err(|error| explain(store, &error))
}

/// Notes what the call that [`allow`] began has used, however it ended.
pub(crate) fn note(store: &Store<Meter>) {
    let left = store.get_fuel().unwrap_or(0);
    let meter = store.data();
    meter.uses.called(meter.call.fuel.saturating_sub(left), meter.memory_bytes);
}

/// What wasmtime says when a lifted value is larger than the hostcall fuel. Its
/// type is private; a test of ours fails when the words change.
const LIFTED_TOO_MUCH: &str = "fuel allocated for hostcalls has been exhausted";

/// Which limit it was. The store is poisoned and must be dropped.
pub(crate) fn explain(store: &Store<Meter>, error: &wasmtime::Error) -> Fault {
    let Meter { limits, refused, call, .. } = store.data();
    let trap = error.downcast_ref::<Trap>();
    match (trap, refused) {
        (Some(Trap::OutOfFuel), _) => Fault::OutOfFuel { fuel: call.fuel },
        (Some(Trap::Interrupt), _) => Fault::Deadline { deadline_ms: call.deadline_ms },
        // A guest that is refused memory gives up with whatever trap its language has.
        (_, Some(refused)) => refused.clone(),
        (Some(trap), None) => Fault::Trap { cause: trap.to_string() },
        (None, None) if error.chain().any(|cause| cause.to_string().contains(LIFTED_TOO_MUCH)) => {
            Fault::Output { limit_bytes: limits.output_bytes }
        }
        (None, None) => Fault::contract(format!("{error:#}")),
    }
}
