//! What the operator decides about the sandbox as a whole.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::limits::Limits;
use crate::queue::QueueBounds;

/// How the sandbox is set up. The defaults are for a host with a handful of plugins.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where compiled plugins are kept between starts; made private to this
    /// user. Without it each start compiles anew.
    pub cache_dir: Option<PathBuf>,
    /// The program that compiled plugins may travel in: see [`bundle`](crate::bundle).
    /// They get into the cache.
    pub program: Option<PathBuf>,
    /// Where compiling happens.
    pub compiler: Compiler,
    /// Threads that one tenant's calls may keep busy. One more runs guest code, so
    /// that there is one for the other tenants.
    pub threads: usize,
    /// Calls that may wait for a thread; one more is refused as busy.
    pub queue: usize,
    /// The same of one tenant: its next call is refused, and nobody else's.
    pub tenant_queue: usize,
    /// Instances of condition plugins kept warm, over all tenants.
    pub warm_instances: usize,
    /// Calls after which a warm instance is replaced: what a guest leaks does
    /// not add up for ever.
    pub warm_calls: u32,
    /// Memory that a warm instance may have grown by before it is replaced.
    pub warm_growth_bytes: usize,
    /// Largest plugin file.
    pub wasm_bytes: usize,
    /// How often running guests look at the clock: a deadline is met to within
    /// this.
    pub tick: Duration,
    /// What a plugin may use.
    pub limits: Limits,
}

impl SandboxConfig {
    /// Some KiB each, so a few MiB when it is full.
    pub const DEFAULT_QUEUE: usize = 4096;
    /// Room for all attempts that a host makes at once (1,024), should they be one
    /// tenant's, and for as many events; half of the whole, so that no tenant alone
    /// fills it.
    pub const DEFAULT_TENANT_QUEUE: usize = 2048;
    /// Some hundred KiB each; tenants that are active at the same moment are few.
    pub const DEFAULT_WARM_INSTANCES: usize = 64;
    /// Making a new one costs some hundred times a call, so one in ten thousand
    /// is not noticed.
    pub const DEFAULT_WARM_CALLS: u32 = 10_000;
    /// Parsed events come and go; what is left beyond this is a leak, or an
    /// allocator that will not give a large event's memory back.
    pub const DEFAULT_WARM_GROWTH_BYTES: usize = 4 << 20;
    /// A Python or JavaScript runtime with a program is 12 to 18 MB.
    pub const DEFAULT_WASM_BYTES: usize = 32 << 20;
    /// A fifth of the shortest deadline, and too rare to cost anything.
    pub const DEFAULT_TICK: Duration = Duration::from_millis(10);
}

impl SandboxConfig {
    /// How much of what may wait and run. Nothing can be less than one.
    pub(crate) fn queue_bounds(&self) -> QueueBounds {
        QueueBounds {
            waiting: self.queue.max(1),
            tenant_waiting: self.tenant_queue.max(1),
            tenant_running: self.threads.max(1),
        }
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            program: None,
            compiler: Compiler::InProcess,
            // Two at least, so that one slow call does not hold up its tenant's others.
            threads: std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2)),
            queue: Self::DEFAULT_QUEUE,
            tenant_queue: Self::DEFAULT_TENANT_QUEUE,
            warm_instances: Self::DEFAULT_WARM_INSTANCES,
            warm_calls: Self::DEFAULT_WARM_CALLS,
            warm_growth_bytes: Self::DEFAULT_WARM_GROWTH_BYTES,
            wasm_bytes: Self::DEFAULT_WASM_BYTES,
            tick: Self::DEFAULT_TICK,
            limits: Limits::default(),
        }
    }
}

/// Where WebAssembly is compiled to machine code.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// In this process: for tests and tools, whose plugins are their own.
    InProcess,
    /// In a child process that ends up in [`compile_child_main`](crate::compile_child_main):
    /// what an uploaded file does to the compiler does not happen to the host.
    Child {
        /// This host's own executable.
        program: PathBuf,
        /// What makes it compile.
        args: Vec<OsString>,
    },
}
