//! Which events are about the same thing. PagerDuty joins events by their
//! `dedup_key`: a later one updates or resolves the incident of an earlier one.

use exosphere_alerts_sdk::text::push_percent_encoded;
use exosphere_alerts_sdk::{Alert, Run};
use sha2::{Digest, Sha256};

/// Longest key that PagerDuty takes, in characters; a key here is ASCII.
const MAX_KEY: usize = 255;

/// What an alert is about, whichever event or rule told of it:
///
/// - a threshold's is its rule and group, so that all alerts of one breach and its end
///   are one incident;
/// - a run's is namespace, graph and run;
/// - else the event's subject, else the delivery, which is about nothing that another
///   delivery could be about;
/// - a test's is the delivery too: its end must not resolve a run's incident.
pub(crate) fn key(alert: &Alert) -> String {
    if alert.is_test() {
        return fitted(joined(&["exosphere", "test", &alert.id]));
    }
    if let Some(rule) = alert.rule.id.as_deref().filter(|_| alert.trigger.is_threshold()) {
        let group = alert.trigger.group_key();
        return fitted(joined(&["exosphere", "threshold", &alert.namespace, rule, &group]));
    }
    fitted(if let Run { graph_name, run_id: Some(run) } = alert.run() {
        joined(&["exosphere", "run", &alert.namespace, graph_name.unwrap_or_default(), run])
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
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            key.push('/');
        }
        push_percent_encoded(&mut key, part);
    }
    key
}

/// A key that is too long keeps its beginning, for people, and gets the SHA-256 in hex
/// of the whole, so that two long keys differ where only their ends do. The same in
/// every release: an incident that one opened another has to resolve.
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
