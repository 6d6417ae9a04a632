//! What the operator decides about the sandbox as a whole.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::limits::Limits;

/// How the sandbox is set up. The defaults are for a host with a handful of plugins.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where compiled plugins are kept between starts; made private to this
    /// user. Without it each start compiles anew.
    pub cache_dir: Option<PathBuf>,
    /// Where compiling happens.
    pub compiler: Compiler,
    /// Threads on which guest code runs.
    pub threads: usize,
    /// Calls that may wait for a thread; one more is refused as busy.
    pub queue: usize,
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
    /// A millisecond of work each at most in the usual case, so a second of waiting.
    pub const DEFAULT_QUEUE: usize = 1024;
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

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            compiler: Compiler::InProcess,
            // Two at least, so that one tenant's slow call does not hold up the others.
            threads: std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2)),
            queue: Self::DEFAULT_QUEUE,
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
