//! The demo company's workflows, and the events that their runs make. Which runs there
//! are, how long they take and how they end follows from their names and the time.

use alerts_domain::Timestamp;
use alerts_domain::event::Event;
use jiff::SignedDuration;
use serde_json::json;

use super::DemoError;
use super::chance::Chance;
use super::company::{ANALYTICS, MACHINE_LEARNING, PAYMENTS};

/// A workflow that runs again and again.
struct Workflow {
    namespace: &'static str,
    graph: &'static str,
    /// Between two starts, in seconds.
    every_s: i64,
    /// Shortest and longest run, in seconds.
    takes_s: (u32, u32),
    /// States of a run.
    steps: u32,
    /// How many of a thousand runs fail.
    fails: u32,
    /// How many of a thousand runs take four times as long as they should.
    stuck: u32,
    /// Where it fails, and with which error.
    errors: &'static [(&'static str, &'static str)],
    /// When it went wrong once.
    trouble: Option<Trouble>,
}

/// A bad time, in minutes before the demo was first started.
struct Trouble {
    from_min: i64,
    to_min: i64,
    /// How many of a thousand runs fail then.
    fails: u32,
}

/// How much longer a run takes that is stuck.
const STUCK_FACTOR: u32 = 4;
/// Longest run of all, in seconds: as far back as starts are looked for.
const LONGEST_S: i64 = 3 * 60 * 60;
/// Most errors of a run that fails badly.
const MAX_ERRORED: u32 = 9;

const WORKFLOWS: [Workflow; 11] = [
    Workflow {
        namespace: ANALYTICS,
        graph: "orders-ingest",
        every_s: 60,
        takes_s: (14, 38),
        steps: 6,
        fails: 20,
        stuck: 0,
        errors: &[
            ("read-kafka", "KafkaTimeout: no records from orders.v2 within 30 s"),
            ("load-warehouse", "DeadlockDetected: relation \"orders_raw\" is locked"),
        ],
        // What the rules on thresholds saw, and saw end.
        trouble: Some(Trouble { from_min: 400, to_min: 345, fails: 700 }),
    },
    Workflow {
        namespace: ANALYTICS,
        graph: "clickstream-sessions",
        every_s: 90,
        takes_s: (20, 45),
        steps: 9,
        fails: 12,
        stuck: 0,
        errors: &[("sessionize", "OutOfMemoryError: executor 3 lost after 4.1 GiB")],
        trouble: None,
    },
    Workflow {
        namespace: ANALYTICS,
        graph: "inventory-sync",
        every_s: 180,
        takes_s: (25, 70),
        steps: 5,
        fails: 25,
        stuck: 0,
        errors: &[("fetch-stock", "HTTP 502 from stock-api after 3 retries")],
        trouble: None,
    },
    Workflow {
        namespace: ANALYTICS,
        graph: "dbt-models",
        every_s: 900,
        takes_s: (240, 420),
        steps: 42,
        fails: 90,
        stuck: 60,
        errors: &[("test-models", "3 of 214 tests failed: not_null_orders_customer_id, …")],
        trouble: None,
    },
    Workflow {
        namespace: ANALYTICS,
        graph: "customer-360",
        every_s: 1800,
        takes_s: (420, 780),
        steps: 18,
        fails: 60,
        stuck: 160,
        errors: &[("merge-profiles", "SkewError: one key holds 71% of all rows")],
        trouble: None,
    },
    Workflow {
        namespace: ANALYTICS,
        graph: "warehouse-load",
        every_s: 5400,
        takes_s: (900, 1500),
        steps: 15,
        fails: 350,
        stuck: 0,
        errors: &[
            ("load-warehouse", "CopyError: column \"amount\" is of type numeric, found text"),
            ("vacuum", "DiskFull: could not extend file base/16401/24576"),
        ],
        trouble: None,
    },
    Workflow {
        namespace: ANALYTICS,
        graph: "export-fabrikam",
        every_s: 300,
        takes_s: (30, 90),
        steps: 4,
        fails: 30,
        stuck: 0,
        errors: &[("write-parquet", "AccessDenied: s3://fabrikam-exports is read only")],
        trouble: None,
    },
    Workflow {
        namespace: PAYMENTS,
        graph: "payout-batch",
        every_s: 300,
        takes_s: (40, 120),
        steps: 7,
        fails: 15,
        stuck: 15,
        errors: &[("submit-batch", "bank answered 409: batch was submitted before")],
        trouble: None,
    },
    Workflow {
        namespace: PAYMENTS,
        graph: "ledger-reconcile",
        every_s: 900,
        takes_s: (120, 300),
        steps: 12,
        fails: 40,
        stuck: 0,
        errors: &[("compare", "12 entries differ by more than 0.01 EUR")],
        trouble: None,
    },
    Workflow {
        namespace: MACHINE_LEARNING,
        graph: "train-ranker",
        every_s: 2700,
        takes_s: (900, 1600),
        steps: 20,
        fails: 120,
        stuck: 100,
        errors: &[("train", "CUDA out of memory: tried to allocate 2.50 GiB")],
        trouble: None,
    },
    Workflow {
        namespace: MACHINE_LEARNING,
        graph: "embed-catalog",
        every_s: 600,
        takes_s: (60, 200),
        steps: 8,
        fails: 50,
        stuck: 0,
        errors: &[("embed", "rate limit of the embedding service: 429 for 5 min")],
        trouble: None,
    },
];

/// An event, of whom and when.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    pub(super) namespace: &'static str,
    pub(super) event: Event,
}

/// What happened after `from`, up to `to`, in order. `begun` is when the demo was first
/// started: past troubles are told from there.
pub(super) fn told(
    from: Timestamp,
    to: Timestamp,
    begun: Timestamp,
) -> Result<Vec<Told>, DemoError> {
    let mut told = Vec::new();
    for workflow in &WORKFLOWS {
        let first = (from.as_second() - LONGEST_S).div_euclid(workflow.every_s);
        let last = to.as_second().div_euclid(workflow.every_s);
        for number in first..=last {
            let run = Run::of(workflow, number, begun);
            for (at, is_start) in [(run.started_at, true), (run.finished_at, false)] {
                if from < at && at <= to {
                    let event = run.event(is_start)?;
                    told.push(Told { at, namespace: workflow.namespace, event });
                }
            }
        }
    }
    told.sort_by_key(|told| told.at);
    Ok(told)
}

/// One run of a workflow.
struct Run<'w> {
    workflow: &'w Workflow,
    run_id: String,
    started_at: Timestamp,
    finished_at: Timestamp,
    /// States that failed; none of a run that went well.
    errored: u32,
    error: (&'static str, &'static str),
    state_id: String,
}

impl<'w> Run<'w> {
    fn of(workflow: &'w Workflow, number: i64, begun: Timestamp) -> Self {
        let mut chance = Chance::of(workflow.graph, number);
        // Not all of them at the full minute: something happens all the time.
        let late_ms = i64::from(chance.below((workflow.every_s * 500) as u32));
        let started_at = Timestamp::from_millisecond(number * workflow.every_s * 1000 + late_ms)
            .unwrap_or(begun);
        let mut takes_ms =
            i64::from(chance.between(workflow.takes_s)) * 1000 + i64::from(chance.below(1000));
        if chance.happens(workflow.stuck) {
            takes_ms *= i64::from(STUCK_FACTOR);
        }
        let errored = match chance.happens(workflow.fails_at(started_at, begun)) {
            true => 1 + chance.below(MAX_ERRORED.min(workflow.steps - 1)),
            false => 0,
        };
        let which = chance.below(workflow.errors.len() as u32) as usize;
        Self {
            workflow,
            run_id: chance.uuid(),
            started_at,
            finished_at: started_at + SignedDuration::from_millis(takes_ms),
            errored,
            error: workflow.errors[which],
            state_id: chance.state_id(),
        }
    }

    /// As the platform posts it.
    fn event(&self, is_start: bool) -> Result<Event, DemoError> {
        let Workflow { namespace, graph, steps, .. } = self.workflow;
        let (event_type, status, at) = match (is_start, self.errored) {
            (true, _) => ("workflow.started", "PENDING", self.started_at),
            (false, 0) => ("workflow.succeeded", "SUCCESS", self.finished_at),
            (false, _) => ("workflow.failed", "FAILED", self.finished_at),
        };
        let mut data = json!({
            "namespace": namespace,
            "graph_name": graph,
            "run_id": self.run_id,
            "status": status,
            "created_at": self.started_at,
            "success_count": if is_start { 0 } else { steps - self.errored },
            "pending_count": if is_start { *steps } else { 0 },
            "errored_count": if is_start { 0 } else { self.errored },
            "retried_count": 0,
            "total_count": steps,
        });
        if !is_start {
            let took = self.finished_at.duration_since(self.started_at);
            data["finished_at"] = json!(self.finished_at);
            data["duration_ms"] = json!(took.as_millis() as i64);
        }
        if !is_start && self.errored > 0 {
            let (node, error) = self.error;
            data["failed_state_id"] = json!(self.state_id);
            data["node_name"] = json!(node);
            data["identifier"] = json!(node);
            data["error"] = json!(error);
        }
        let event = json!({
            "specversion": "1.0",
            "id": format!("{}/{}", self.run_id, status.to_lowercase()),
            "source": format!("/v0/namespace/{namespace}"),
            "type": event_type,
            "subject": format!("graph/{graph}/run/{}", self.run_id),
            "time": at,
            "data": data,
        });
        let read = Event::from_structured(event.to_string().into());
        read.map_err(|errors| format!("an event of {graph} is wrong: {errors:?}").into())
    }
}

impl Workflow {
    /// How many of a thousand runs fail that start then.
    fn fails_at(&self, at: Timestamp, begun: Timestamp) -> u32 {
        let ago_min = begun.duration_since(at).as_secs() / 60;
        match &self.trouble {
            Some(trouble) if (trouble.to_min..trouble.from_min).contains(&ago_min) => trouble.fails,
            _ => self.fails,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    #[test]
    fn what_is_told_in_two_parts_is_what_is_told_in_one() {
        let of = |from, to| told(at(from), at(to), at(0)).unwrap();
        let whole: Vec<_> = of(0, 7200).into_iter().map(|told| told.event.id).collect();
        let parts = of(0, 1234).into_iter().chain(of(1234, 7200));
        assert_eq!(parts.map(|told| told.event.id).collect::<Vec<_>>(), whole);
        assert!(whole.len() > 300, "{}", whole.len());
    }

    #[test]
    fn most_runs_go_well_and_all_that_start_end() {
        let day = told(at(-86_400), at(0), at(0)).unwrap();
        let of = |event_type: &str| {
            day.iter().filter(|told| told.event.event_type == event_type).count()
        };
        let (failed, succeeded) = (of("workflow.failed"), of("workflow.succeeded"));
        assert!((succeeded / 50..succeeded / 5).contains(&failed), "{failed} of {succeeded}");
        assert!(of("workflow.started").abs_diff(failed + succeeded) < 20);
    }
}
