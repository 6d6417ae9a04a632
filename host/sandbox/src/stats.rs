//! What has become of a plugin's calls since it was loaded: counted here, and
//! told to Prometheus under the plugin's id.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::error::CallError;

const CALLS: &str = "alerts_plugin_calls_total";
const FAULTS: &str = "alerts_plugin_faults_total";
const SECONDS: &str = "alerts_plugin_call_seconds";
const COMPILED: &str = "alerts_plugin_compilations_total";
const OPEN: &str = "alerts_plugin_circuit_open";

/// What became of a plugin's calls since it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginStats {
    /// Calls that a thread took up.
    pub calls: u64,
    /// Times that a limit was hit, a trap happened or the contract was broken.
    pub faults: u64,
    /// The same by name, without those that never happened.
    pub faults_by_name: Vec<(&'static str, u64)>,
    /// Calls that were not made: all threads were busy, or the circuit was open.
    pub refused: u64,
    /// Time that all calls took together.
    pub time: Duration,
    /// Time of the longest call.
    pub max_time: Duration,
    /// Fuel of all calls. A call that evaluates compiles, too, where need be.
    pub fuel: u64,
    /// The most fuel that the guest used in one go.
    pub max_fuel: u64,
    /// Linear memory of the instances there are now: warm ones, and those in calls.
    pub memory_bytes: usize,
    /// The most linear memory that one instance ever had.
    pub max_memory_bytes: usize,
}

/// Additions alone, so that counting costs a call next to nothing.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    calls: AtomicU64,
    refused: AtomicU64,
    faults: [AtomicU64; CallError::FAULTS.len()],
    nanos: AtomicU64,
    max_nanos: AtomicU64,
    /// From the first call on: a plugin may be loaded before there is a recorder.
    meters: OnceLock<Meters>,
}

/// Handles of what every call counts; what is rare is looked up by name.
#[derive(Debug)]
struct Meters {
    answered: Counter,
    seconds: Histogram,
}

impl Meters {
    fn of(plugin: &str) -> Self {
        metrics::describe_counter!(CALLS, "Calls of plugins, by how they ended.");
        metrics::describe_counter!(
            FAULTS,
            "Limits hit, crashes and broken contracts, also of single conditions."
        );
        metrics::describe_histogram!(SECONDS, "Time of a plugin's calls, on their thread.");
        let plugin = plugin.to_owned();
        Self {
            answered: metrics::counter!(CALLS, "plugin" => plugin.clone(), "outcome" => "answered"),
            seconds: metrics::histogram!(SECONDS, "plugin" => plugin),
        }
    }
}

impl Counts {
    pub(crate) fn began(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that [`began`](Self::began) has ended.
    pub(crate) fn ended(&self, plugin: &str, took: Duration, error: Option<&CallError>) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.max_nanos.fetch_max(nanos, Ordering::Relaxed);
        let meters = self.meters.get_or_init(|| Meters::of(plugin));
        meters.seconds.record(took);
        match error {
            None => meters.answered.increment(1),
            Some(error) => outcome(plugin, error),
        }
    }

    /// A call that was not made.
    pub(crate) fn refused(&self, plugin: &str, error: &CallError) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        outcome(plugin, error);
    }

    pub(crate) fn faulted(&self, plugin: &str, error: &CallError) {
        let index = CallError::FAULTS.iter().position(|name| *name == error.name());
        if let Some(count) = index.and_then(|index| self.faults.get(index)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let plugin = plugin.to_owned();
        metrics::counter!(FAULTS, "plugin" => plugin, "fault" => error.name()).increment(1);
    }

    /// Fills in what is counted here.
    pub(crate) fn get(&self, uses: &crate::uses::Uses) -> PluginStats {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let faults = self.faults.iter().map(count);
        let by_name = CallError::FAULTS.into_iter().zip(faults).filter(|(_, count)| *count > 0);
        let faults_by_name: Vec<_> = by_name.collect();
        let (fuel, max_fuel) = uses.fuel();
        let (memory_bytes, max_memory_bytes) = uses.memory_bytes();
        PluginStats {
            calls: count(&self.calls),
            faults: faults_by_name.iter().map(|(_, count)| count).sum(),
            faults_by_name,
            refused: count(&self.refused),
            time: Duration::from_nanos(count(&self.nanos)),
            max_time: Duration::from_nanos(count(&self.max_nanos)),
            fuel,
            max_fuel,
            memory_bytes,
            max_memory_bytes,
        }
    }
}

fn outcome(plugin: &str, error: &CallError) {
    let plugin = plugin.to_owned();
    metrics::counter!(CALLS, "plugin" => plugin, "outcome" => error.name()).increment(1);
}

/// A plugin was compiled, and not taken from the cache.
pub(crate) fn compiled(plugin: &str) {
    metrics::describe_counter!(COMPILED, "Plugins compiled; those in the cache are not.");
    metrics::counter!(COMPILED, "plugin" => plugin.to_owned()).increment(1);
}

/// One more circuit is open under this id, or one less: an old and a new file
/// may be in use at once.
pub(crate) fn circuit(plugin: &str, opened: bool) {
    metrics::describe_gauge!(OPEN, "Whether a plugin is left alone for failing too often.");
    let gauge = metrics::gauge!(OPEN, "plugin" => plugin.to_owned());
    gauge.increment(if opened { 1.0 } else { -1.0 });
}
