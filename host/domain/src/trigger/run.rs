//! What an event says about a run: which one, and whether it starts or ends.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::event::{Event, EventTypePattern};
use crate::id::EventId;
use crate::tenant::TenantId;
use crate::text::is_storable;

/// The type of the event with which a run starts, or is opened again.
pub const STARTED: &str = "workflow.started";
/// The types of the events with which a run ends.
pub const ENDED: [&str; 2] = ["workflow.succeeded", "workflow.failed"];
/// The type of the event that the host itself makes when a run takes too long.
pub const DURATION_EXCEEDED: &str = "workflow.duration_exceeded";

/// Longest id of a run, in bytes: it is an index key.
const MAX_RUN_BYTES: usize = 256;

/// The types of the events that say something about how long a run takes.
pub(super) fn run_types() -> Vec<EventTypePattern> {
    let all = [STARTED].into_iter().chain(ENDED);
    all.filter_map(|exact| EventTypePattern::new(exact).ok()).collect()
}

/// What happened to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPhase {
    /// It started, or was opened again.
    Started,
    /// It ended.
    Ended {
        /// How long it took, in milliseconds, if the event says so.
        took_ms: Option<u64>,
    },
}

/// A run as seen in one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSighting {
    /// The run's id.
    pub run: String,
    /// When it happened, by its emitter's clock ([`Event::claimed_at`]).
    pub at: Timestamp,
    /// When the event came in.
    pub received_at: Timestamp,
    /// What happened.
    pub phase: RunPhase,
}

impl RunSighting {
    /// Reads it out of an event that came in at `received_at`. None when the
    /// event names no run that can be watched, or is not about its start or end.
    pub fn of(event: &Event, data: &Value, received_at: Timestamp) -> Option<Self> {
        let phase = match event.event_type.as_str() {
            STARTED => RunPhase::Started,
            ended if ENDED.contains(&ended) => RunPhase::Ended { took_ms: took_ms(data) },
            _ => return None,
        };
        let run = match data.get("run_id").and_then(Value::as_str) {
            Some(run) if !run.is_empty() => run,
            // `graph/{graph_name}/run/{run_id}`
            _ => event.subject.as_deref()?.rsplit_once("/run/")?.1,
        };
        // It is a key in the database, which must be able to hold it.
        if run.len() > MAX_RUN_BYTES || !is_storable(run) {
            return None;
        }
        let at = event.claimed_at(received_at);
        Some(Self { run: run.to_owned(), at, received_at, phase })
    }
}

/// By its own figure, or from creation to end.
fn took_ms(data: &Value) -> Option<u64> {
    let time = |name: &str| data.get(name)?.as_str()?.parse::<Timestamp>().ok();
    data.get("duration_ms").and_then(Value::as_u64).or_else(|| {
        let took = time("finished_at")?.duration_since(time("created_at")?);
        u64::try_from(took.as_millis()).ok()
    })
}

/// The event that the host makes when a run has taken too long: `original` is
/// the event that told of the run, `at` is now.
pub(super) fn exceeded(
    id: EventId,
    tenant: &TenantId,
    original: &Value,
    at: Timestamp,
    elapsed_ms: u64,
) -> Event {
    let mut data = match original.get("data") {
        Some(Value::Object(data)) => data.clone(),
        _ => Map::new(),
    };
    data.insert("duration_ms".to_owned(), elapsed_ms.into());
    let mut event = json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("/v0/namespace/{tenant}"),
        "type": DURATION_EXCEEDED,
        "time": at,
        "namespace": tenant,
        "data": data,
    });
    let subject = original.get("subject").and_then(Value::as_str);
    if let Some(subject) = subject {
        event["subject"] = subject.into();
    }
    Event {
        id: id.to_string(),
        source: format!("/v0/namespace/{tenant}"),
        event_type: DURATION_EXCEEDED.to_owned(),
        subject: subject.map(str::to_owned),
        time: Some(at),
        namespace: Some(tenant.clone()),
        body: Bytes::from(event.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(event_type: &str, subject: Option<&str>, data: Value) -> Option<RunSighting> {
        let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": event_type,
            "subject": subject, "data": data});
        let event = Event::from_structured(Bytes::from(event.to_string())).unwrap();
        RunSighting::of(&event, &data, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_run_is_known_by_its_id_or_by_the_subject() {
        let named = seen(STARTED, None, json!({"run_id": "r1"})).unwrap();
        assert_eq!((named.run.as_str(), named.phase), ("r1", RunPhase::Started));
        let subject = seen(STARTED, Some("graph/etl/run/r2"), json!(null)).unwrap();
        assert_eq!(subject.run, "r2");
        assert_eq!(seen(STARTED, Some("graph/etl"), json!({})), None);
        assert_eq!(seen("task.started", None, json!({"run_id": "r1"})), None);
    }

    #[test]
    fn how_long_it_took_is_read_or_reckoned() {
        let took = |data: Value| match seen("workflow.failed", Some("a/run/r"), data).unwrap().phase
        {
            RunPhase::Ended { took_ms } => took_ms,
            RunPhase::Started => unreachable!("it ended"),
        };
        assert_eq!(took(json!({"duration_ms": 7})), Some(7));
        let times = json!({"created_at": "2026-01-01T00:00:00Z",
            "finished_at": "2026-01-01T00:00:02Z"});
        assert_eq!(took(times), Some(2000));
        assert_eq!(took(json!({"duration_ms": -7})), None);
        assert_eq!(took(json!({})), None);
    }

    #[test]
    fn the_event_that_the_host_makes_is_about_the_same_run() {
        let tenant = TenantId::new("payments").unwrap();
        let original = json!({"subject": "graph/etl/run/r", "data": {"graph_name": "etl"}});
        let id = EventId::new(Timestamp::UNIX_EPOCH, 1);
        let made = exceeded(id, &tenant, &original, Timestamp::UNIX_EPOCH, 1500);
        let read = Event::from_structured(made.body.clone()).unwrap();
        assert_eq!(read, made);
        let body: Value = serde_json::from_slice(&made.body).unwrap();
        assert_eq!(body["data"], json!({"graph_name": "etl", "duration_ms": 1500}));
    }

    #[test]
    fn an_id_that_cannot_be_kept_is_no_run() {
        for run in ["a\0b", "\0"] {
            assert_eq!(seen(STARTED, None, json!({"run_id": run})), None, "{run:?}");
        }
        let of = |bytes: usize| seen(STARTED, None, json!({"run_id": "r".repeat(bytes)}));
        assert!(of(MAX_RUN_BYTES).is_some());
        assert_eq!(of(MAX_RUN_BYTES + 1), None);
    }
}
