//! Runs and their states, counted as the state-manager counts them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// What became of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateStatus {
    /// It waits for a worker.
    Created,
    /// A worker has it.
    Queued,
    /// The worker is done; what follows is not written yet.
    Executed,
    /// It failed, for the last time.
    Errored,
    /// What should follow it could not be made.
    NextCreatedError,
    /// It succeeded.
    Success,
    /// Its node said that nothing follows.
    Pruned,
    /// It was tried again, as another state.
    RetryCreated,
    /// Of a platform that is newer than any bucket.
    TimedOut,
}

impl StateStatus {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Queued => "QUEUED",
            Self::Executed => "EXECUTED",
            Self::Errored => "ERRORED",
            Self::NextCreatedError => "NEXT_CREATED_ERROR",
            Self::Success => "SUCCESS",
            Self::Pruned => "PRUNED",
            Self::RetryCreated => "RETRY_CREATED",
            Self::TimedOut => "TIMEDOUT",
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) ahead: SignedDuration,
    pub(crate) registered: BTreeSet<String>,
    runs: Vec<Run>,
    states: Vec<State>,
    made: u64,
}

#[derive(Debug)]
struct Run {
    id: String,
    namespace: String,
    graph: String,
    created_at: Timestamp,
}

#[derive(Debug)]
struct State {
    id: String,
    run: String,
    node: String,
    after: Option<String>,
    status: StateStatus,
    error: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Model {
    /// The wall clock, in milliseconds, as if it were UTC.
    fn now(&self) -> Timestamp {
        let now = Timestamp::now() + self.ahead;
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// All runs are gone; who is registered stays.
    pub(crate) fn forget_all(&mut self) {
        self.runs.clear();
        self.states.clear();
    }

    pub(crate) fn create_run(&mut self, namespace: &str, graph: &str) -> String {
        self.made += 1;
        let ns = Timestamp::now().subsec_nanosecond().unsigned_abs();
        let id = format!("{ns:08x}-0000-4000-8000-{:012x}", self.made);
        self.runs.push(Run {
            id: id.clone(),
            namespace: namespace.to_owned(),
            graph: graph.to_owned(),
            created_at: self.now(),
        });
        id
    }

    pub(crate) fn create_state(&mut self, run: &str, node: &str, after: Option<&str>) -> String {
        self.made += 1;
        let id = format!("{:08x}{:016x}", Timestamp::now().as_second(), self.made);
        let now = self.now();
        self.states.push(State {
            id: id.clone(),
            run: run.to_owned(),
            node: node.to_owned(),
            after: after.map(str::to_owned),
            status: StateStatus::Created,
            error: None,
            created_at: now,
            updated_at: now,
        });
        id
    }

    pub(crate) fn set(&mut self, state: &str, status: StateStatus) {
        let now = self.now();
        if let Some(state) = self.states.iter_mut().find(|known| known.id == state) {
            state.status = status;
            state.updated_at = now;
            if status == StateStatus::Errored {
                state.error = Some("card 4111-1111 was declined".to_owned());
            }
        }
    }

    pub(crate) fn retry(&mut self, state: &str) -> String {
        let found = self.states.iter().find(|known| known.id == state);
        let Some(State { run, node, after, .. }) = found else { return String::new() };
        let (run, node, after) = (run.clone(), node.clone(), after.clone());
        self.set(state, StateStatus::RetryCreated);
        self.create_state(&run, &node, after.as_deref())
    }

    /// The run's first state succeeds.
    pub(crate) fn succeed_first(&mut self, run: &str) {
        let first = self.states.iter().find(|state| state.run == run);
        if let Some(first) = first.map(|state| state.id.clone()) {
            self.set(&first, StateStatus::Success);
        }
    }

    pub(crate) fn last_state(&self, run: &str) -> String {
        let last = self.states.iter().rev().find(|state| state.run == run);
        last.map(|state| state.id.clone()).unwrap_or_default()
    }

    /// A page of runs, ordered by the wall clock alone.
    pub(crate) fn page(&self, namespace: &str, page: usize, size: usize) -> Value {
        let mut runs: Vec<&Run> =
            self.runs.iter().filter(|run| run.namespace == namespace).collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.created_at));
        let skip = if size == 0 { 0 } else { (page - 1) * size };
        let take = if size == 0 { usize::MAX } else { size };
        let rows: Vec<Value> = runs.iter().skip(skip).take(take).map(|run| self.row(run)).collect();
        json!({"namespace": namespace, "total": runs.len(), "page": page, "size": size,
            "runs": rows})
    }

    fn row(&self, run: &Run) -> Value {
        use StateStatus::{
            Created, Errored, Executed, NextCreatedError, Pruned, Queued, RetryCreated, Success,
        };
        let of_run = || self.states.iter().filter(|state| state.run == run.id);
        let count =
            |among: &[StateStatus]| of_run().filter(|state| among.contains(&state.status)).count();
        let (pending, errored) =
            (count(&[Created, Queued, Executed]), count(&[Errored, NextCreatedError]));
        let total = of_run().count();
        let status = match () {
            () if pending > 0 => "PENDING",
            () if errored > 0 || total == 0 => "FAILED",
            () => "SUCCESS",
        };
        json!({"run_id": run.id, "graph_name": run.graph, "success_count": count(&[Success, Pruned]),
            "pending_count": pending, "errored_count": errored,
            "retried_count": count(&[RetryCreated]), "total_count": total, "status": status,
            "created_at": wall(run.created_at)})
    }

    /// The states of a run; none of one that is not known.
    pub(crate) fn graph(&self, run: &str) -> Value {
        let states: Vec<&State> = self.states.iter().filter(|state| state.run == run).collect();
        let node = |state: &&State| {
            json!({"id": state.id, "node_name": state.node,
                "identifier": state.node.to_lowercase(), "status": state.status.word(),
                "error": state.error})
        };
        let edge = |state: &&State| {
            state.after.as_ref().map(|after| json!({"source": after, "target": state.id}))
        };
        let nodes: Vec<Value> = states.iter().map(node).collect();
        let edges: Vec<Value> = states.iter().filter_map(edge).collect();
        json!({"root_states": [], "graph_name": "", "nodes": nodes, "edges": edges,
            "node_count": nodes.len(), "edge_count": edges.len(), "execution_summary": {}})
    }

    pub(crate) fn node(&self, state: &str) -> Option<Value> {
        let state = self.states.iter().find(|known| known.id == state)?;
        Some(json!({"id": state.id, "node_name": state.node, "run_id": state.run,
            "status": state.status.word(), "inputs": {}, "outputs": {}, "error": state.error,
            "created_at": wall(state.created_at), "updated_at": wall(state.updated_at)}))
    }
}

/// A time as it is served: without an offset, and without a fraction where that is zero.
fn wall(time: Timestamp) -> String {
    let time = jiff::tz::Offset::UTC.to_datetime(time);
    match time.subsec_nanosecond() {
        0 => time.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        _ => time.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_counted_as_the_platform_counts_and_errors_hide_while_others_run() {
        let mut model = Model::default();
        let run = model.create_run("ada", "etl");
        let status = |model: &Model| model.page("ada", 1, 10)["runs"][0]["status"].clone();
        assert_eq!(status(&model), "FAILED", "no states");
        let (one, other) =
            (model.create_state(&run, "A", None), model.create_state(&run, "B", None));
        model.set(&one, StateStatus::Errored);
        assert_eq!(status(&model), "PENDING");
        model.set(&other, StateStatus::Pruned);
        assert_eq!(status(&model), "FAILED");
        model.retry(&one);
        let row = &model.page("ada", 1, 10)["runs"][0];
        assert_eq!(row["status"], "PENDING");
        assert_eq!((&row["retried_count"], &row["total_count"]), (&json!(1), &json!(3)));
        assert_eq!(model.page("ada", 2, 10)["runs"], json!([]));
        assert_eq!(model.page("bob", 1, 10)["total"], 0);
    }

    #[test]
    fn times_have_no_offset_and_a_fraction_only_if_there_is_one() {
        assert_eq!(wall(Timestamp::from_second(0).unwrap()), "1970-01-01T00:00:00");
        let time = wall(Timestamp::from_millisecond(12).unwrap());
        assert_eq!(time, "1970-01-01T00:00:00.012000");
    }
}
