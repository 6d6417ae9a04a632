//! What became of rules, counted.

use alerts_domain::outcome::Reason;

/// Counts what became of rules.
pub(crate) fn count(reasons: impl IntoIterator<Item = Reason>) {
    for reason in reasons {
        metrics::counter!("alerts_rule_outcomes_total", "reason" => reason.word()).increment(1);
    }
}
