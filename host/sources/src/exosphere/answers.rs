//! What the state-manager answers, read with nothing taken for granted: a newer or an
//! older one may say more, less, or something else.

use alerts_domain::tenant::TenantId;
use serde::Deserialize;
use serde_json::Value;

use super::local_time::LocalTime;

/// Longest run id that is followed, in bytes; the platform's are 36 long. Ids of events
/// are made of them.
const MAX_RUN_ID_BYTES: usize = 128;
/// Most namespaces that are taken from a list.
const MAX_NAMESPACES: usize = 1_000;

/// One page of a namespace's runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunsPage {
    /// How many runs the namespace has.
    pub(crate) total: u64,
    /// Those of this page that can be read, each with its place on it.
    pub(crate) runs: Vec<(u64, RunRow)>,
    /// How many there are on it in all.
    pub(crate) served: u64,
    /// What is wrong with the first of those that cannot be read.
    pub(crate) unreadable: Option<String>,
}

/// A run, as it is listed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct RunRow {
    pub(crate) run_id: String,
    pub(crate) graph_name: String,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    pub(crate) status: String,
    pub(crate) created_at: LocalTime,
}

/// How many states a run has, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) success_count: u64,
    pub(crate) pending_count: u64,
    pub(crate) errored_count: u64,
    pub(crate) retried_count: u64,
    pub(crate) total_count: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    Succeeded,
    Failed,
}

/// What a row says of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStatus {
    /// It has no states: its first one is about to be written, or never will be.
    NoStates,
    /// It is under way.
    Pending,
    /// It looks as if it had ended. It may be about to go on.
    Ended(End),
    /// The row does not add up, or has a word that is not known here.
    Unknown,
}

impl RunRow {
    pub(crate) fn status(&self) -> RunStatus {
        let Counts { success_count, pending_count, errored_count, retried_count, total_count } =
            self.counts;
        let all = [success_count, pending_count, errored_count, retried_count];
        let sum = all.iter().try_fold(0u64, |sum, count| sum.checked_add(*count));
        if sum != Some(total_count) {
            return RunStatus::Unknown;
        }
        match self.status.as_str() {
            "FAILED" if total_count == 0 => RunStatus::NoStates,
            "PENDING" if pending_count > 0 => RunStatus::Pending,
            "FAILED" if pending_count == 0 && errored_count > 0 => RunStatus::Ended(End::Failed),
            "SUCCESS" if pending_count == 0 && errored_count == 0 && total_count > 0 => {
                RunStatus::Ended(End::Succeeded)
            }
            _ => RunStatus::Unknown,
        }
    }
}

impl RunsPage {
    /// # Errors
    /// What makes it no page of runs.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Page {
            total: u64,
            runs: Vec<Value>,
        }
        let Page { total, runs } = read(body, "a page of runs")?;
        let (served, mut unreadable) = (runs.len() as u64, None);
        let mut readable = Vec::with_capacity(runs.len());
        for (place, row) in (0..).zip(runs) {
            match run(row) {
                Ok(run) => readable.push((place, run)),
                Err(why) => unreadable = unreadable.or(Some(why)),
            }
        }
        Ok(Self { total, runs: readable, served, unreadable })
    }
}

fn run(row: Value) -> Result<RunRow, String> {
    let run: RunRow = serde_json::from_value(row).map_err(|error| error.to_string())?;
    let id = &run.run_id;
    let is_id = !id.is_empty() && id.len() <= MAX_RUN_ID_BYTES;
    if !is_id || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(format!("its id is not one: {:?}", id.chars().take(40).collect::<String>()));
    }
    Ok(run)
}

/// The states of one run that a namespace has.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct RunGraph {
    pub(crate) nodes: Vec<Node>,
    #[serde(default)]
    pub(crate) edges: Vec<Edge>,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) node_name: String,
    pub(crate) identifier: String,
    pub(crate) status: String,
}

/// That one state follows another.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Edge {
    pub(crate) source: String,
}

impl RunGraph {
    /// # Errors
    /// What makes it no graph of a run.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        read(body, "the graph of a run")
    }

    /// The state that failed first, of those that have.
    pub(crate) fn failed(&self) -> Option<&Node> {
        // A state that was tried again keeps its old error; its status tells.
        let failed = |node: &&Node| matches!(&*node.status, "ERRORED" | "NEXT_CREATED_ERROR");
        self.nodes.iter().filter(failed).min_by(|a, b| a.id.cmp(&b.id))
    }

    /// The states that nothing follows, and that were not tried again: the last of them
    /// to be reported was the end of the run.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = &Node> {
        let is_leaf = |node: &&Node| {
            node.status != "RETRY_CREATED" && !self.edges.iter().any(|edge| edge.source == node.id)
        };
        self.nodes.iter().filter(is_leaf)
    }

    /// The ids of its states, the oldest first and the newest last.
    pub(crate) fn oldest_and_newest(&self) -> Option<(&str, &str)> {
        let ids = || self.nodes.iter().map(|node| node.id.as_str());
        Some((ids().min()?, ids().max()?))
    }
}

/// When one state was made and when a worker last reported on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct NodeTimes {
    pub(crate) created_at: LocalTime,
    pub(crate) updated_at: LocalTime,
}

impl NodeTimes {
    /// # Errors
    /// What makes it no state.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        read(body, "a state")
    }
}

/// The namespaces that have registered nodes. One that only borrows them is not among
/// them.
///
/// # Errors
/// What makes it no list of namespaces.
pub(crate) fn namespaces(body: &[u8]) -> Result<Vec<TenantId>, String> {
    #[derive(Deserialize)]
    struct Listed {
        namespaces: Vec<String>,
    }
    let Listed { namespaces } = read(body, "the list of namespaces")?;
    let readable = namespaces.iter().filter_map(|name| {
        let tenant = TenantId::new(name);
        tenant.inspect_err(|error| tracing::warn!(name, error = error.detail, "not watched")).ok()
    });
    Ok(readable.take(MAX_NAMESPACES).collect())
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("it is not {what}: {error}"))
}

#[cfg(test)]
mod tests;
