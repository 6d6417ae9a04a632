//! The wasmtime engine: which WebAssembly is spoken, how instances are
//! allocated, and the ticker without which no deadline would pass.

use std::time::Duration;

use wasmtime::PoolingAllocationConfig;
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, OptLevel, WasmFeatures,
};

use crate::config::SandboxConfig;
use crate::limits::Limits;
use crate::workers::SPARE_THREADS;

/// Memory of a finished instance that is wiped in place instead of given back:
/// most guests touch less, and a page that stays is not faulted in again.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;
/// Slots kept ready for plugins that used them before, for each thread.
const WARM_SLOTS_PER_THREAD: u32 = 4;

/// An engine with its ticker.
#[derive(Clone)]
pub(crate) struct TickingEngine {
    engine: Engine,
    tick: Duration,
}

impl TickingEngine {
    /// The only way to an engine that runs guests, so epochs are never on
    /// without something that counts them.
    pub(crate) fn start(config: &SandboxConfig) -> Result<Self, wasmtime::Error> {
        let mut wasmtime = code_config();
        wasmtime.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
        let engine = Engine::new(&wasmtime)?;
        let (weak, tick) = (engine.weak(), config.tick);
        std::thread::Builder::new()
            .name("sandbox-ticker".to_owned())
            .spawn(move || count_epochs(&weak, tick))?;
        Ok(Self { engine, tick })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Ticks after which at least `time` has passed, and at most one tick more.
    pub(crate) fn ticks(&self, time: Duration) -> u64 {
        let whole = time.as_nanos().div_ceil(self.tick.as_nanos().max(1));
        // The current tick is partly over.
        u64::try_from(whole).unwrap_or(u64::MAX - 1) + 1
    }
}

fn count_epochs(engine: &EngineWeak, tick: Duration) {
    loop {
        std::thread::sleep(tick);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}

/// All that decides the machine code. The compiling child has the same, or its
/// work would not load.
pub(crate) fn code_config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        // The synchronous path; the other costs 50 to 100 times as much for each call.
        .concurrency_support(false)
        // The same bits on every machine, so that an answer can be had again.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        // Said outright, since a feature of the `wasmtime` crate that some other
        // crate asks for would turn them on.
        .wasm_features(
            WasmFeatures::THREADS
                | WasmFeatures::GC
                | WasmFeatures::EXCEPTIONS
                | WasmFeatures::CM_ASYNC,
            false,
        )
        // Interpreters' adapters bring a memory of their own.
        .wasm_multi_memory(true)
        .cranelift_opt_level(OptLevel::Speed);
    config
}

/// Slots for everything that can live at once: what is warm, one for each
/// thread, and one for the plugin that is being tried. Threads are the
/// semaphore before the pool, so it is never exhausted.
fn pool(config: &SandboxConfig) -> PoolingAllocationConfig {
    let limits = &config.limits;
    let threads = config.queue_bounds().tenant_running + SPARE_THREADS;
    let threads = u32::try_from(threads).unwrap_or(u32::MAX);
    let warm = u32::try_from(config.warm_instances).unwrap_or(u32::MAX);
    let instances = warm.saturating_add(threads).saturating_add(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(limits.core_instances))
        .total_memories(instances.saturating_mul(limits.memories))
        .total_tables(instances.saturating_mul(limits.tables))
        .max_core_instances_per_component(limits.core_instances)
        .max_memories_per_component(limits.memories)
        .max_tables_per_component(limits.tables)
        .max_memories_per_module(limits.memories)
        .max_tables_per_module(limits.tables)
        .table_elements(limits.table_elements)
        // What an operator may grant a plugin later. A slot takes the same address
        // space whatever this is; the limiter is what bounds the memory.
        .max_memory_size(Limits::CEILING.memory_bytes)
        .max_unused_warm_slots(WARM_SLOTS_PER_THREAD.saturating_mul(threads))
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early_and_at_most_one_tick_late() {
        let engine = TickingEngine::start(&SandboxConfig::default()).unwrap();
        let tick_ms = u64::try_from(engine.tick.as_millis()).unwrap();
        for ms in [1, 9, 10, 11, 150, 30_000] {
            // Of the first tick an unknown part is over when the call begins.
            let (soonest, latest) = (engine.ticks(Duration::from_millis(ms)) - 1, ms + tick_ms);
            assert!(soonest * tick_ms >= ms, "{ms} ms");
            assert!(soonest * tick_ms < latest, "{ms} ms");
        }
    }
}
