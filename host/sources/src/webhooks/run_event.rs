//! What became of a run of a CI platform, as an event in the vocabulary of all sources.

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use serde_json::{Map, Value, json};

/// Longest attribute of an event, in bytes.
const MAX_ATTRIBUTE_BYTES: usize = 512;

/// What a platform's request tells.
#[derive(Debug)]
pub(super) enum Read {
    /// What became of a run.
    Run(Box<RunTold>),
    /// Nothing that becomes an event; why.
    Ignored(String),
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Started,
    /// Somebody has opened it again after its end.
    Restarted,
    Succeeded,
    Failed,
}

impl Phase {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Restarted => "restarted",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// What is told of a run.
#[derive(Debug)]
pub(super) struct RunTold {
    /// Where runs have their ids from: the repository's address.
    pub(super) source: String,
    pub(super) graph_name: String,
    pub(super) run_id: String,
    pub(super) phase: Phase,
    /// Tells the tries of one run apart, made of what the platform has signed: whoever sends
    /// the same fact again makes the same event.
    pub(super) epoch: String,
    /// The platform's own word.
    pub(super) status: String,
    pub(super) created_at: Option<Timestamp>,
    /// Since when this try runs.
    pub(super) began_at: Option<Timestamp>,
    /// When it happened.
    pub(super) at: Option<Timestamp>,
    /// Further fields; those that are null are left out.
    pub(super) more: Value,
}

impl RunTold {
    /// The event, in JSON.
    pub(super) fn event(self, namespace: &TenantId, received_at: Timestamp) -> Value {
        let Self { source, graph_name, run_id, phase, epoch, status, .. } = self;
        let at = self.at.unwrap_or(received_at);
        let mut data = Map::new();
        let mut tell = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
        tell("namespace", namespace.as_str().into());
        tell("graph_name", graph_name.as_str().into());
        tell("run_id", run_id.as_str().into());
        tell("status", status.into());
        if let Some(created_at) = self.created_at {
            tell("created_at", created_at.to_string().into());
        }
        if matches!(phase, Phase::Succeeded | Phase::Failed) {
            tell("finished_at", at.to_string().into());
            if let Some(began_at) = self.began_at.or(self.created_at) {
                let took_ms = at.duration_since(began_at).as_millis().max(0);
                tell("duration_ms", u64::try_from(took_ms).unwrap_or(u64::MAX).into());
            }
        }
        for (name, value) in self.more.as_object().into_iter().flatten() {
            if !value.is_null() {
                tell(name, value.clone());
            }
        }
        let mut event = json!({
            "specversion": "1.0",
            "id": format!("{run_id}/{}/{epoch}", phase.word()),
            "source": source,
            "type": format!("workflow.{}", phase.word()),
            "time": at,
            "namespace": namespace,
            "datacontenttype": "application/json",
            "data": data,
        });
        let subject = format!("graph/{graph_name}/run/{run_id}");
        // The data says the same; it has room for any name.
        if subject.len() <= MAX_ATTRIBUTE_BYTES && !subject.contains('\0') {
            event["subject"] = subject.into();
        }
        event
    }
}
