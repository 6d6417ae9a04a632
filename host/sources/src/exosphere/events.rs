//! From something that happened to a run to the event that tells it.
//!
//! An event's id is made of what the platform serves, so whoever looks at the same run
//! arrives at the same id, and the intake takes it once.

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use serde_json::{Map, Value, json};

use super::answers::{End, Node, RunRow};
use super::run::Moment;

/// Longest subject, in bytes: what an event may have.
const MAX_SUBJECT_BYTES: usize = 512;

/// What is known of a moment beside the row in which it shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// When the run was made, in UTC.
    pub(super) created_at: Timestamp,
    /// Since when it runs: since it was opened again, if it was.
    pub(super) began_at: Timestamp,
    /// When the moment was, by the platform's clock.
    pub(super) at: Timestamp,
    /// Whether that is only when it was seen.
    pub(super) is_observed: bool,
    /// The state that failed.
    pub(super) failed: Option<Node>,
}

/// The event, in JSON.
pub(super) fn event(namespace: &TenantId, row: &RunRow, moment: Moment, known: &Known) -> Value {
    let (run_id, graph_name) = (&row.run_id, &row.graph_name);
    let (event_type, what) = named(moment, row);
    let mut event = json!({
        "specversion": "1.0",
        "id": format!("{namespace}/{run_id}/{what}"),
        "source": format!("/v0/namespace/{namespace}"),
        "type": event_type,
        "time": known.at,
        "namespace": namespace,
        "datacontenttype": "application/json",
        "data": data(namespace, row, moment, known),
    });
    let subject = format!("graph/{graph_name}/run/{run_id}");
    // The data says the same; it has room for any name.
    if subject.len() <= MAX_SUBJECT_BYTES && !subject.contains('\0') {
        event["subject"] = subject.into();
    }
    event
}

/// The type, and what tells this moment from others of the run.
fn named(moment: Moment, row: &RunRow) -> (&'static str, String) {
    let (event_type, what, repeat) = match moment {
        Moment::Started => return ("workflow.started", "started".to_owned()),
        Moment::Ended { end: End::Succeeded, repeat } => {
            ("workflow.succeeded", format!("succeeded/{}", row.counts.total_count), repeat)
        }
        Moment::Ended { end: End::Failed, repeat } => {
            ("workflow.failed", format!("failed/{}", row.counts.total_count), repeat)
        }
        Moment::Restarted { after_total, repeat, .. } => {
            ("workflow.restarted", format!("restarted/{after_total}"), repeat)
        }
    };
    match repeat {
        0 => (event_type, what),
        repeat => (event_type, format!("{what}/{repeat}")),
    }
}

fn data(namespace: &TenantId, row: &RunRow, moment: Moment, known: &Known) -> Map<String, Value> {
    let counts = row.counts;
    let status = match moment {
        // The row may show what came after.
        Moment::Started | Moment::Restarted { .. } => "PENDING",
        Moment::Ended { end: End::Succeeded, .. } => "SUCCESS",
        Moment::Ended { end: End::Failed, .. } => "FAILED",
    };
    let mut data = Map::new();
    let mut tell = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
    tell("namespace", namespace.as_str().into());
    tell("graph_name", row.graph_name.as_str().into());
    tell("run_id", row.run_id.as_str().into());
    tell("status", status.into());
    tell("created_at", known.created_at.to_string().into());
    for (name, count) in [
        ("success_count", counts.success_count),
        ("pending_count", counts.pending_count),
        ("errored_count", counts.errored_count),
        ("retried_count", counts.retried_count),
        ("total_count", counts.total_count),
    ] {
        tell(name, count.into());
    }
    if matches!(moment, Moment::Ended { .. }) {
        let took_ms = known.at.duration_since(known.began_at).as_millis().max(0);
        tell("finished_at", known.at.to_string().into());
        tell("duration_ms", u64::try_from(took_ms).unwrap_or(u64::MAX).into());
        if known.is_observed {
            tell("finished_at_is_observed", true.into());
        }
        if counts.total_count == 0 {
            tell("reason", "no states".into());
        }
    }
    // The error's text is of the user's code: it is looked up where people may see it.
    if let Some(Node { id, node_name, identifier, .. }) = &known.failed {
        tell("failed_state_id", id.as_str().into());
        tell("node_name", node_name.as_str().into());
        tell("identifier", identifier.as_str().into());
    }
    data
}

#[cfg(test)]
mod tests {
    use alerts_domain::event::Event;
    use bytes::Bytes;

    use super::*;

    fn row() -> RunRow {
        let row = json!({"run_id": "r1", "graph_name": "etl", "status": "FAILED",
            "success_count": 5, "pending_count": 0, "errored_count": 1, "retried_count": 0,
            "total_count": 6, "created_at": "2026-11-27T12:00:00"});
        serde_json::from_value(row).unwrap()
    }

    fn known() -> Known {
        let (id, node_name) = ("6b097cd1bb7bbd78d9644853".to_owned(), "Work".to_owned());
        let (identifier, status) = ("work".to_owned(), "ERRORED".to_owned());
        Known {
            created_at: "2026-11-27T11:00:00Z".parse().unwrap(),
            began_at: "2026-11-27T12:00:00Z".parse().unwrap(),
            at: "2026-11-27T12:00:07.5Z".parse().unwrap(),
            is_observed: false,
            failed: Some(Node { id, node_name, identifier, status }),
        }
    }

    fn checked(row: &RunRow, moment: Moment) -> (Event, Value) {
        let ada = TenantId::new("ada").unwrap();
        let event = event(&ada, row, moment, &known());
        let event = Event::from_structured(Bytes::from(event.to_string())).unwrap();
        let data = event.data();
        (event, data)
    }

    #[test]
    fn an_event_is_what_the_intake_takes_and_says_what_rules_ask_for() {
        let failed = Moment::Ended { end: End::Failed, repeat: 0 };
        let (event, data) = checked(&row(), failed);
        assert_eq!(event.id, "ada/r1/failed/6");
        assert_eq!(event.source, "/v0/namespace/ada");
        assert_eq!(event.event_type, "workflow.failed");
        assert_eq!(event.subject.as_deref(), Some("graph/etl/run/r1"));
        assert_eq!(event.time.unwrap().to_string(), "2026-11-27T12:00:07.5Z");
        let expected = json!({"namespace": "ada", "graph_name": "etl", "run_id": "r1",
            "status": "FAILED", "created_at": "2026-11-27T11:00:00Z", "success_count": 5,
            "pending_count": 0, "errored_count": 1, "retried_count": 0, "total_count": 6,
            "finished_at": "2026-11-27T12:00:07.5Z", "duration_ms": 7500,
            "failed_state_id": "6b097cd1bb7bbd78d9644853", "node_name": "Work",
            "identifier": "work"});
        assert_eq!(data, expected);
    }

    #[test]
    fn each_moment_has_an_id_of_its_own() {
        let id = |moment| checked(&row(), moment).0.id;
        let restarted = |repeat| Moment::Restarted { after_total: 3, after_ms: 0, repeat };
        assert_eq!(id(Moment::Started), "ada/r1/started");
        assert_eq!(id(Moment::Ended { end: End::Succeeded, repeat: 0 }), "ada/r1/succeeded/6");
        assert_eq!(id(Moment::Ended { end: End::Failed, repeat: 2 }), "ada/r1/failed/6/2");
        assert_eq!(id(restarted(0)), "ada/r1/restarted/3");
        assert_eq!(id(restarted(1)), "ada/r1/restarted/3/1");
    }

    #[test]
    fn a_graph_may_have_any_name() {
        for name in ["g".repeat(600), "a\0b".to_owned(), "über/graph ü".to_owned()] {
            let mut row = row();
            row.graph_name = name.clone();
            let (event, data) = checked(&row, Moment::Started);
            assert_eq!(data["graph_name"], name);
            assert_eq!(event.subject.is_some(), name.len() < 500 && !name.contains('\0'));
        }
    }
}
