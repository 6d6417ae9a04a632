//! What can go wrong, told to the person who can mend it: the plugin's author,
//! the operator, or the tenant who wrote a condition.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use alerts_package::{Digest, Kind, ManifestError};

use crate::diagnostic::Diagnostic;
use crate::fault::Fault;

/// Which plugin an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginName {
    /// From its manifest.
    pub id: Arc<str>,
    /// Of its file.
    pub digest: Digest,
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}` ({})", self.id, self.digest)
    }
}

/// The sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A limit is zero or above what any operator may grant.
    #[error(
        "sandbox limit `{name}` must be at least 1 and at most {ceiling}; change the configuration"
    )]
    Limit {
        /// The field of the configuration.
        name: &'static str,
        /// The most it may be.
        ceiling: u64,
    },
    /// The folder for compiled plugins cannot be made private and used.
    #[error("the plugin cache `{}` cannot be used: {source}; give this user a folder of its own", path.display())]
    CacheDir {
        /// As configured.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Threads could not be started.
    #[error("the sandbox's threads did not start: {0}; raise the limit on processes")]
    Threads(#[source] std::io::Error),
    /// The WebAssembly engine refused the configuration, usually for want of address space.
    #[error(
        "the WebAssembly engine did not start: {0:#}; grant fewer warm instances or more address space"
    )]
    Engine(wasmtime::Error),
}

/// A plugin file was refused.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Too big to look at.
    #[error(
        "the file is {bytes} bytes; at most {limit_bytes} are accepted: strip debug information, or have the operator raise ALERTS_PLUGIN_FILE_MIB"
    )]
    TooLarge {
        /// Of the file.
        bytes: usize,
        /// The operator's.
        limit_bytes: usize,
    },
    /// Not a component with a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Not valid WebAssembly, or of a kind that is not accepted.
    #[error(
        "{plugin} does not compile: {detail}; build it again for `wasm32-unknown-unknown` without threads, memory64 and relaxed SIMD"
    )]
    Compile {
        /// Which.
        plugin: PluginName,
        /// In the compiler's words.
        detail: String,
    },
    /// The compiling child process used up its time or memory, or did not start.
    #[error(
        "{plugin} could not be compiled: the compiling process {detail}; make the plugin smaller, or see the host's log"
    )]
    Compiler {
        /// Which.
        plugin: PluginName,
        /// What became of the process.
        detail: String,
    },
    /// It speaks a version of the contract that this host does not know.
    #[error(
        "{plugin} exports `{exports}`, and this host speaks `{interface}` and what came before it: build the plugin against this host's `wit` folder, or have the operator install a newer host"
    )]
    Version {
        /// Which.
        plugin: PluginName,
        /// The interface as the plugin has it.
        exports: String,
        /// The same interface as this host has it.
        interface: &'static str,
    },
    /// It wants something from the host.
    #[error(
        "{plugin} imports {imports}, but plugins get nothing from the host: build it without WASI (Rust: `wasm32-unknown-unknown`; Python: `--stub-wasi`; JavaScript: all features disabled): {source:#}"
    )]
    Imports {
        /// Which.
        plugin: PluginName,
        /// Their names.
        imports: String,
        /// The first of them that is missing.
        source: wasmtime::Error,
    },
    /// Its exports are not those of its manifest's kind.
    #[error("{plugin} says it is a {} but does not export `{interface}` (it exports {exports}): change `kind` in plugin.toml or build it against this host's `wit` folder: {source:#}", kind.word())]
    World {
        /// Which.
        plugin: PluginName,
        /// From the manifest.
        kind: Kind,
        /// The interface that this kind exports.
        interface: &'static str,
        /// What it exports instead.
        exports: String,
        /// The first mismatch.
        source: wasmtime::Error,
    },
    /// One instance would take more than the operator grants.
    #[error(
        "{plugin} needs {needs} {what} for one instance, and {granted} are granted: build it smaller{}",
        remedy(plugin, what)
    )]
    Resources {
        /// Which.
        plugin: PluginName,
        /// `memories`, `tables`, `bytes of memory` or `table elements`.
        what: &'static str,
        /// By the file.
        needs: u64,
        /// By the operator, or as the manifest asks.
        granted: u64,
    },
    /// One instance would take more than there is room for, in a way for which
    /// a file cannot be asked beforehand.
    #[error(
        "{plugin} is too large for one instance: {detail}; build it smaller, no operator can grant more"
    )]
    Unfit {
        /// Which.
        plugin: PluginName,
        /// In the engine's words.
        detail: String,
    },
    /// The first call failed.
    #[error("the first call of the plugin failed: {0}")]
    FirstCall(#[source] CallError),
}

/// A call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It executed too much. The same call will always end like this.
    #[error(
        "{plugin} used up its {fuel} units of fuel in one call: its author must make it do less, or the operator grant more `fuel` by {}",
        setting(plugin)
    )]
    OutOfFuel {
        /// Which.
        plugin: PluginName,
        /// What it had.
        fuel: u64,
    },
    /// It took too long.
    #[error(
        "{plugin} was stopped after {deadline_ms} ms: its author must make it faster, or the operator grant a longer `deadline_ms` by {}",
        setting(plugin)
    )]
    Deadline {
        /// Which.
        plugin: PluginName,
        /// What it had.
        deadline_ms: u64,
    },
    /// It wanted more memory, and failed when it got none.
    #[error(
        "{plugin} wanted more than {limit_bytes} bytes of memory: its author must make it use less, or the operator grant more `memory_bytes` by {}",
        setting(plugin)
    )]
    Memory {
        /// Which.
        plugin: PluginName,
        /// What it may have.
        limit_bytes: usize,
    },
    /// It wanted a larger table, and failed when it got none.
    #[error(
        "{plugin} wanted a table of more than {limit_elements} elements: its author must make it use less"
    )]
    Table {
        /// Which.
        plugin: PluginName,
        /// What it may have.
        limit_elements: usize,
    },
    /// It returned too much.
    #[error(
        "{plugin} returned more than {limit_bytes} bytes: its author must make it return less, or the operator grant more `output_bytes` by {}",
        setting(plugin)
    )]
    OutputTooLarge {
        /// Which.
        plugin: PluginName,
        /// What it may return.
        limit_bytes: usize,
    },
    /// It wanted another request after its last.
    #[error(
        "{plugin} wanted more than {limit} requests in one attempt: its author must make it finish, or the operator grant more `exchanges` by {}",
        setting(plugin)
    )]
    Exchanges {
        /// Which.
        plugin: PluginName,
        /// What it may send.
        limit: u32,
    },
    /// It crashed.
    #[error("{plugin} crashed ({cause}): its author must mend it")]
    Trap {
        /// Which.
        plugin: PluginName,
        /// In WebAssembly's words.
        cause: String,
    },
    /// It answered with something that the contract rules out.
    #[error("{plugin} broke the plugin contract ({detail}): its author must mend it")]
    Contract {
        /// Which.
        plugin: PluginName,
        /// How.
        detail: String,
    },
    /// It failed so often in a row that it is left alone for a while.
    #[error(
        "{plugin} failed many times in a row and rests for {rest_ms} ms: its author must mend it, or the operator put the last good version back"
    )]
    Suspended {
        /// Which.
        plugin: PluginName,
        /// How long still.
        rest_ms: u64,
    },
    /// All threads are at work and the queue is full. Try again.
    #[error("the sandbox is busy; try again, or have the operator raise ALERTS_PLUGIN_THREADS")]
    Busy {
        /// Which was to be called.
        plugin: PluginName,
    },
    /// This tenant's other calls keep all of its threads busy and fill its queue.
    /// Nobody else's calls wait for that. Try again.
    #[error(
        "too many calls of this namespace wait for the sandbox; try again, and make the conditions or adapters that are slow cheaper"
    )]
    TenantBusy {
        /// Which was to be called.
        plugin: PluginName,
    },
    /// The host's own code panicked.
    #[error("the host failed while calling {plugin}; the operator finds more in the log")]
    Host {
        /// Which was being called.
        plugin: PluginName,
    },
}

/// Where an operator grants a plugin more.
fn setting(plugin: &PluginName) -> String {
    format!("`PUT /v1/plugins/{}/limits`", plugin.id)
}

/// What an operator can do about a file that needs more than is granted.
fn remedy(plugin: &PluginName, what: &str) -> String {
    match what {
        MEMORY => format!(
            ", or have the operator grant more `memory_bytes` by {}, and load it again",
            setting(plugin)
        ),
        _ => "; no operator can grant more".to_owned(),
    }
}

/// The one need of [`LoadError::Resources`] that an operator can meet.
pub(crate) const MEMORY: &str = "bytes of memory";

impl CallError {
    /// The names of what is a plugin's fault.
    pub const FAULTS: [&str; 8] = [
        "out_of_fuel",
        "deadline",
        "memory",
        "table",
        "output_too_large",
        "exchanges",
        "trap",
        "contract",
    ];

    /// One word for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OutOfFuel { .. } => "out_of_fuel",
            Self::Deadline { .. } => "deadline",
            Self::Memory { .. } => "memory",
            Self::Table { .. } => "table",
            Self::OutputTooLarge { .. } => "output_too_large",
            Self::Exchanges { .. } => "exchanges",
            Self::Trap { .. } => "trap",
            Self::Contract { .. } => "contract",
            Self::Suspended { .. } => "suspended",
            Self::Busy { .. } => "busy",
            Self::TenantBusy { .. } => "tenant_busy",
            Self::Host { .. } => "host",
        }
    }

    pub(crate) fn new(plugin: PluginName, fault: Fault) -> Self {
        match fault {
            Fault::OutOfFuel { fuel } => Self::OutOfFuel { plugin, fuel },
            Fault::Deadline { deadline_ms } => Self::Deadline { plugin, deadline_ms },
            Fault::Memory { limit_bytes } => Self::Memory { plugin, limit_bytes },
            Fault::Table { limit_elements } => Self::Table { plugin, limit_elements },
            Fault::Output { limit_bytes } => Self::OutputTooLarge { plugin, limit_bytes },
            Fault::Exchanges { limit } => Self::Exchanges { plugin, limit },
            Fault::Trap { cause } => Self::Trap { plugin, cause },
            Fault::Contract { detail } => Self::Contract { plugin, detail },
        }
    }

    /// Whether nothing was called, so that the call is worth repeating soon and
    /// should not count as an attempt.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::TenantBusy { .. } | Self::Suspended { .. })
    }
}

/// One condition gave no answer for one event. It does not fire its rule and
/// does not stop others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// The language says why: a missing field, a wrong type. The tenant's to mend.
    #[error("{message}")]
    Evaluation {
        /// In the language's words.
        message: String,
    },
    /// It no longer compiles: the language changed since the rule was saved.
    #[error("the condition no longer compiles: {}", first_message(.0))]
    Uncompilable(Vec<Diagnostic>),
    /// It made the plugin fail, alone.
    #[error("the condition could not be evaluated: {0}")]
    Failed(CallError),
    /// Other conditions of the same tenant used up the time.
    #[error(
        "the condition was not looked at: other conditions used up the {deadline_ms} ms for one event; simplify those that report an error"
    )]
    NotReached {
        /// For all conditions on one event.
        deadline_ms: u64,
    },
}

fn first_message(diagnostics: &[Diagnostic]) -> &str {
    diagnostics.first().map_or("no reason was given", |diagnostic| &diagnostic.message)
}
