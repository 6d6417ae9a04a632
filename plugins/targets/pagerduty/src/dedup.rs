//! Which events are about the same thing. PagerDuty joins events by their
//! `dedup_key`: a later one updates or resolves the incident of an earlier one.

use exosphere_alerts_sdk::text::push_percent_encoded;
use exosphere_alerts_sdk::{Alert, Scalar};
use sha2::{Digest, Sha256};

use crate::event_type::TEST;

/// Longest key that PagerDuty takes, in characters; a key here is ASCII.
const MAX_KEY: usize = 255;

/// The run, if the alert tells which; else the event's subject; else the
/// delivery, which is about nothing that another delivery could be about. So is
/// a test: the end of one must not resolve a run's incident.
pub(crate) fn key(alert: &Alert) -> String {
    if alert.event_type == TEST {
        return fitted(joined(&["exosphere", "test", &alert.id]));
    }
    let run = &alert.workflow;
    let run = run.graph_name.as_ref().map(Scalar::text).zip(run.run_id.as_ref().map(Scalar::text));
    fitted(if let Some((graph, run)) = run {
        joined(&["exosphere", "run", &alert.namespace, graph, run])
    } else if let Some(subject) = &alert.event.subject {
        // A subject means something only to its source (CloudEvents 1.0, `subject`).
        joined(&["exosphere", "subject", &alert.namespace, &alert.event.source, subject])
    } else {
        joined(&["exosphere", "delivery", &alert.id])
    })
}

/// Parts that cannot run into each other: a `/` inside of one is encoded.
fn joined(parts: &[&str]) -> String {
    let mut key = String::new();
    for part in parts {
        if !key.is_empty() {
            key.push('/');
        }
        push_percent_encoded(&mut key, part);
    }
    key
}

/// A key that is too long keeps its beginning, for people, and gets the digest
/// of the whole, so that two long keys differ where only their ends do.
fn fitted(key: String) -> String {
    if key.len() <= MAX_KEY {
        return key;
    }
    let digest: String =
        Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}~{digest}", &key[..MAX_KEY - digest.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(joined(&["a/b", "c"]), joined(&["a", "b/c"]));
        assert_ne!(joined(&["a%2Fb"]), joined(&["a/b"]));
        assert_eq!(joined(&["exosphere", "run", "ü", "7"]), "exosphere/run/%C3%BC/7");
    }

    #[test]
    fn long_keys_that_differ_only_at_the_end_stay_apart() {
        let long = |end: &str| fitted("x".repeat(300) + end);
        assert_eq!(long("a").len(), MAX_KEY);
        assert_ne!(long("a"), long("b"));
        assert_eq!(long("a"), long("a"));
        assert_eq!(fitted("x".repeat(MAX_KEY)), "x".repeat(MAX_KEY));
    }
}
