//! What an event says about a run: which one, and whether it starts or ends.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::run_key::RunKey;
use crate::event::{self, Event, EventTypePattern};

/// The type of the event with which a run starts, or is opened again.
pub const STARTED: &str = "workflow.started";
/// The type of the event with which a run goes on after it had ended. Emitters that know no
/// such word tell of another start.
pub const RESTARTED: &str = "workflow.restarted";
/// The types of the events with which a run ends.
pub const ENDED: [&str; 2] = ["workflow.succeeded", "workflow.failed"];
/// The type of the event that the host itself makes when a run takes too long.
pub const DURATION_EXCEEDED: &str = "workflow.duration_exceeded";

/// The types of the events that say something about how long a run takes.
pub(super) fn run_types() -> Vec<EventTypePattern> {
    let all = [STARTED, RESTARTED].into_iter().chain(ENDED);
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
    /// Which run.
    pub run: RunKey,
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
    pub fn of(event: &Event, received_at: Timestamp) -> Option<Self> {
        let is_end = ENDED.contains(&event.event_type.as_str());
        if !is_end && ![STARTED, RESTARTED].contains(&event.event_type.as_str()) {
            return None;
        }
        let shown = event.shown();
        let told = Told::of(&shown);
        let phase = match is_end {
            true => RunPhase::Ended { took_ms: told.took_ms() },
            false => RunPhase::Started,
        };
        let run = told.run(event.subject.as_deref())?;
        Some(Self { run, at: event.claimed_at(received_at), received_at, phase })
    }
}

/// The run that an event is about, whatever its type.
pub fn run_of(event: &Event) -> Option<RunKey> {
    Told::of(&event.shown()).run(event.subject.as_deref())
}

/// What `data` tells of a run, in its own digits.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    run_id: Option<&'a RawValue>,
    #[serde(borrow)]
    graph_name: Option<&'a RawValue>,
    #[serde(borrow)]
    duration_ms: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    finished_at: Option<&'a RawValue>,
}

impl<'a> Told<'a> {
    /// Nothing where `data` is no object.
    fn of(event: &'a [u8]) -> Self {
        #[derive(Deserialize)]
        struct Outer<'a> {
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        let data = serde_json::from_slice::<Outer<'_>>(event).ok().and_then(|event| event.data);
        data.filter(|data| data.get().starts_with('{'))
            .and_then(|data| serde_json::from_str(data.get()).ok())
            .unwrap_or_default()
    }

    /// By what `data` says, else by a subject like `graph/{graph_name}/run/{run_id}`.
    fn run(&self, subject: Option<&str>) -> Option<RunKey> {
        let of_subject = subject.and_then(|subject| subject.rsplit_once("/run/"));
        let graph_of_subject = of_subject.and_then(|(graph, _)| graph.strip_prefix("graph/"));
        let graph = id(self.graph_name).or(graph_of_subject.map(Cow::Borrowed));
        let run = id(self.run_id).or(of_subject.map(|(_, run)| Cow::Borrowed(run)))?;
        RunKey::new(graph.as_deref(), &run)
    }

    /// By its own figure, or from creation to end.
    fn took_ms(&self) -> Option<u64> {
        let time = |raw| event::told(&string(raw)?);
        self.duration_ms.and_then(milliseconds).or_else(|| {
            let took = time(self.finished_at?)?.duration_since(time(self.created_at?)?);
            u64::try_from(took.as_millis()).ok()
        })
    }
}

/// An id: a string that is not empty, or a number in the digits in which it was sent.
fn id(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let raw = raw?;
    match raw.get().as_bytes().first()? {
        b'"' => string(raw).filter(|id| !id.is_empty()).map(Cow::Owned),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw.get())),
        _ => None,
    }
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// A number of milliseconds, 0 or more. A fraction counts as the whole one that it has
/// begun, so that what is over a limit by a fraction is over it.
fn milliseconds(raw: &RawValue) -> Option<u64> {
    let whole = raw.get().parse::<u64>().ok();
    whole.or_else(|| {
        let number: f64 = serde_json::from_str(raw.get()).ok()?;
        // Far beyond any run's time an `as` stops at the largest number.
        (number >= 0.0).then(|| number.ceil() as u64)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn seen_in(event_type: &str, subject: Option<&str>, data: &str) -> Option<RunSighting> {
        let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": event_type,
            "subject": subject});
        let mut event = event.to_string();
        event.pop();
        let event = Event::from_structured(Bytes::from(format!("{event},\"data\":{data}}}")));
        RunSighting::of(&event.unwrap(), Timestamp::UNIX_EPOCH)
    }

    fn seen(event_type: &str, subject: Option<&str>, data: Value) -> Option<RunSighting> {
        seen_in(event_type, subject, &data.to_string())
    }

    #[test]
    fn a_run_that_is_restarted_is_seen_as_one_that_starts() {
        let run = json!({"run_id": "r1"});
        for start in [STARTED, RESTARTED] {
            assert_eq!(seen(start, None, run.clone()).unwrap().phase, RunPhase::Started);
        }
        assert!(run_types().iter().any(|types| types.matches(RESTARTED)), "rules are asked");
    }

    fn run(subject: Option<&str>, data: Value) -> RunKey {
        seen(STARTED, subject, data).unwrap().run
    }

    fn key(graph: Option<&str>, run: &str) -> RunKey {
        RunKey::new(graph, run).unwrap()
    }

    #[test]
    fn a_run_is_known_by_graph_and_id_from_data_or_from_the_subject() {
        let named = json!({"graph_name": "etl", "run_id": "r1"});
        assert_eq!(run(None, named.clone()), key(Some("etl"), "r1"));
        assert_eq!(
            run(Some("graph/elt/run/r2"), named),
            key(Some("etl"), "r1"),
            "data comes first"
        );
        assert_eq!(run(Some("graph/etl/run/r2"), json!(null)), key(Some("etl"), "r2"));
        assert_eq!(run(Some("graph/etl/run/r2"), json!({"run_id": "r3"})), key(Some("etl"), "r3"));
        assert_eq!(run(None, json!({"run_id": "r1"})), key(None, "r1"));
        assert_eq!(run(Some("job/run/r1"), json!({})), key(None, "r1"));
        assert_eq!(seen(STARTED, Some("graph/etl"), json!({})), None);
        assert_eq!(seen("task.started", None, json!({"run_id": "r1"})), None);
    }

    #[test]
    fn an_id_may_be_a_number_and_keeps_its_digits() {
        let of = |id: &str| seen_in(STARTED, None, &format!("{{\"run_id\":{id}}}"));
        assert_eq!(of("1090123456789012").unwrap().run, key(None, "1090123456789012"));
        assert_eq!(
            of("12345678901234567890123").unwrap().run,
            key(None, "12345678901234567890123")
        );
        assert_eq!(of("7").unwrap().run, of("\"7\"").unwrap().run);
        for no_id in ["true", "null", "{}", "[1]", "\"\""] {
            assert_eq!(of(no_id), None, "{no_id}");
        }
    }

    fn took(data: Value) -> Option<u64> {
        match seen("workflow.failed", Some("a/run/r"), data).unwrap().phase {
            RunPhase::Ended { took_ms } => took_ms,
            RunPhase::Started => unreachable!("it ended"),
        }
    }

    #[test]
    fn how_long_it_took_is_read_or_reckoned() {
        assert_eq!(took(json!({"duration_ms": 7})), Some(7));
        let times = json!({"created_at": "2026-01-01T00:00:00Z",
            "finished_at": "2026-01-01T00:00:02Z"});
        assert_eq!(took(times), Some(2000));
        assert_eq!(took(json!({"duration_ms": -7})), None);
        assert_eq!(took(json!({"duration_ms": "7"})), None);
        assert_eq!(took(json!({})), None);
    }

    #[test]
    fn a_figure_may_have_a_fraction() {
        assert_eq!(took(json!({"duration_ms": 1200000.0})), Some(1_200_000));
        assert_eq!(took(json!({"duration_ms": 900000.25})), Some(900_001));
        assert_eq!(took(json!({"duration_ms": 1.2e6})), Some(1_200_000));
        assert_eq!(took(json!({"duration_ms": 1e300})), Some(u64::MAX));
        assert_eq!(took(json!({"duration_ms": -0.5})), None);
    }

    #[test]
    fn a_creation_that_was_never_set_tells_no_length() {
        let times = json!({"created_at": "0001-01-01T00:00:00Z",
            "finished_at": "2026-01-01T00:00:02Z"});
        assert_eq!(took(times), None);
    }

    #[test]
    fn a_run_in_base64_is_seen() {
        let body = r#"{"specversion":"1.0","id":"1","source":"/s","type":"workflow.started",
            "datacontenttype":"application/json","data_base64":"eyJydW5faWQiOiJyMSJ9"}"#;
        let event = Event::from_structured(Bytes::from_static(body.as_bytes())).unwrap();
        let seen = RunSighting::of(&event, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(seen.run, key(None, "r1"));
    }
}
