//! A plugin as people look at it: what it is, what it may use, and what has
//! become of its calls.

use std::collections::BTreeMap;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_engine::{PluginEntry, PluginState};
use alerts_package::{Digest, Kind as PluginKind, Manifest};
use alerts_sandbox::{Limits, OpenCircuit, Plugin, PluginStats};
use serde::Serialize;

/// A plugin: a condition language or a target adapter.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Plugin)]
pub(super) struct PluginView {
    /// The name by which rules and endpoints refer to it.
    #[schema(example = "http")]
    id: String,
    /// `condition` or `target`; null for a file that could not be read.
    #[schema(value_type = Option<String>, example = "target")]
    kind: Option<PluginKind>,
    /// Its own version.
    #[schema(example = "1.0.0")]
    version: Option<String>,
    /// SHA-256 of its newest file.
    #[schema(value_type = Option<String>)]
    digest: Option<Digest>,
    /// `compiling`, `ready` or `refused`.
    #[schema(example = "ready")]
    state: &'static str,
    /// Why its newest file was refused; an older one may still be in use.
    reason: Option<String>,
    /// What it says about itself: the schema of its settings, the secrets it takes.
    #[schema(value_type = Option<Object>)]
    manifest: Option<Manifest>,
    /// What one call may use, by name; null when nothing is in use.
    limits: Option<BTreeMap<&'static str, LimitView>>,
    /// What became of its calls on this host since it was loaded; null when
    /// nothing is in use.
    stats: Option<StatsView>,
    /// Whether it is called at all; null when nothing is in use.
    circuit: Option<CircuitView>,
}

/// One limit, as it is in force.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PluginLimit)]
struct LimitView {
    /// In the limit's own unit.
    value: u64,
    /// Whose number was the smallest: `manifest`, `operator` (for this plugin),
    /// `default` (of this host) or `ceiling`.
    #[schema(example = "default")]
    decided_by: &'static str,
    /// The most that an operator may grant.
    ceiling: u64,
}

/// Counts since a plugin was loaded.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PluginStats)]
struct StatsView {
    /// Calls.
    calls: u64,
    /// Times that it hit a limit, crashed or broke the contract.
    faults: u64,
    /// The same by name, such as `out_of_fuel` or `trap`.
    faults_by_name: BTreeMap<&'static str, u64>,
    /// Calls that were not made: all threads were busy, or the circuit was open.
    refused: u64,
    /// Milliseconds that all calls took together.
    total_ms: f64,
    /// Milliseconds that a call took, in the mean.
    mean_ms: f64,
    /// Milliseconds that the longest call took.
    max_ms: f64,
    /// Fuel of all calls.
    fuel: u64,
    /// The most fuel that was used in one go.
    max_fuel: u64,
    /// Bytes of linear memory of the instances there are now: warm ones, and those in calls.
    memory_bytes: usize,
    /// The most bytes of linear memory that one instance ever had.
    max_memory_bytes: usize,
}

/// Whether a plugin is called, or left alone for failing too often in a row.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PluginCircuit)]
struct CircuitView {
    /// Whether it is left alone.
    is_open: bool,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Until when; null while open when the next call will try it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Its last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<PluginEntry> for PluginView {
    fn from(entry: PluginEntry) -> Self {
        let state = match entry.state {
            PluginState::Compiling => "compiling",
            PluginState::Ready => "ready",
            PluginState::Refused => "refused",
        };
        let manifest = entry.manifest.as_ref();
        let in_use = entry.in_use.as_deref();
        Self {
            id: entry.id,
            kind: manifest.map(|manifest| manifest.kind),
            version: manifest.map(|manifest| manifest.version.clone()),
            digest: entry.digest,
            state,
            reason: entry.reason,
            limits: in_use.map(limits),
            stats: in_use.map(|plugin| plugin.stats().into()),
            circuit: in_use.map(|plugin| plugin.circuit().into()),
            manifest: entry.manifest,
        }
    }
}

fn limits(plugin: &Plugin) -> BTreeMap<&'static str, LimitView> {
    let ceilings = Limits::ceilings(plugin.kind());
    let decided = plugin.decided_limits().into_iter().zip(ceilings);
    let sends = plugin.kind() == PluginKind::Target;
    decided
        .filter(|(limit, _)| sends || limit.name != "exchanges")
        .map(|(limit, (_, ceiling))| {
            let decided_by = limit.decided_by.word();
            (limit.name, LimitView { value: limit.value, decided_by, ceiling })
        })
        .collect()
}

impl From<PluginStats> for StatsView {
    fn from(stats: PluginStats) -> Self {
        // To the microsecond.
        let ms = |time: Duration| time.as_micros() as f64 / 1_000.0;
        let calls = u32::try_from(stats.calls.max(1)).unwrap_or(u32::MAX);
        Self {
            calls: stats.calls,
            faults: stats.faults,
            faults_by_name: stats.faults_by_name.into_iter().collect(),
            refused: stats.refused,
            total_ms: ms(stats.time),
            mean_ms: ms(stats.time / calls),
            max_ms: ms(stats.max_time),
            fuel: stats.fuel,
            max_fuel: stats.max_fuel,
            memory_bytes: stats.memory_bytes,
            max_memory_bytes: stats.max_memory_bytes,
        }
    }
}

impl From<Option<OpenCircuit>> for CircuitView {
    fn from(open: Option<OpenCircuit>) -> Self {
        let is_open = open.is_some();
        match open {
            None => Self { is_open, since: None, until: None, reason: None },
            Some(OpenCircuit { since, until, reason }) => {
                Self { is_open, since: Some(since), until, reason: Some(reason.to_string()) }
            }
        }
    }
}
