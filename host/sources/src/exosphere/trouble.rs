//! A platform that is in trouble for long: told in each namespace that is watched, since
//! no rule of theirs sees a run meanwhile.

use alerts_domain::Timestamp;
use alerts_domain::own_event::OwnEvent;
use alerts_domain::tenant::TenantId;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::SOURCE;
use crate::status::Trouble;

/// How long it must last: a platform that is restarted is back within a minute.
const LONG: SignedDuration = SignedDuration::from_secs(60);

/// Whether it is to be told by now, and is not yet.
pub(super) fn is_due(trouble: &Trouble, now: Timestamp) -> bool {
    !trouble.is_told && now.duration_since(trouble.since) >= LONG
}

/// The event for one namespace, in JSON. Where the platform is, and what to do about it,
/// is the operator's matter and not in it.
pub(super) fn event(
    namespace: &TenantId,
    event_type: &'static str,
    trouble: &Trouble,
    at: Timestamp,
) -> Value {
    let (kind, since) = (&trouble.kind, trouble.since);
    OwnEvent {
        namespace: namespace.clone(),
        event_type,
        subject: format!("source/{SOURCE}"),
        occasion: since.as_microsecond().to_string(),
        at,
        data: json!({"source": SOURCE, "kind": kind, "since": since}),
    }
    .json()
}
