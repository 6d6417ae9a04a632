//! What the attackers did, by attack: calls that were done, and calls that the host
//! refused.

use std::collections::BTreeMap;
use std::fmt;

/// Calls by attack: done, refused.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<String, (u64, u64)>);

impl Tally {
    /// Of one attack.
    pub(crate) fn of(attack: &str, done: u64, refused: u64) -> Self {
        Self(BTreeMap::from([(attack.to_owned(), (done, refused))]))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (attack, (done, refused)) in &other.0 {
            let sum = self.0.entry(attack.clone()).or_default();
            *sum = (sum.0 + done, sum.1 + refused);
        }
    }

    /// What was done between `earlier` and this.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let since = self.0.iter().map(|(attack, (done, refused))| {
            let (before, refused_before) = earlier.0.get(attack).copied().unwrap_or_default();
            let since = (done.saturating_sub(before), refused.saturating_sub(refused_before));
            (attack.clone(), since)
        });
        Self(since.collect())
    }

    pub(crate) fn done(&self) -> u64 {
        self.0.values().map(|(done, _)| done).sum()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.0.values().map(|(_, refused)| refused).sum()
    }

    /// For the process that judges.
    pub(super) fn to_line(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// What [`Tally::to_line`] has made; nothing of anything else.
    pub(super) fn parse(line: &str) -> Self {
        Self(serde_json::from_str(line).unwrap_or_default())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (attack, (done, refused)) in &self.0 {
            writeln!(f, "| {attack} | {done} | {refused} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_since_is_what_is_more() {
        let earlier = Tally::of("floods", 5, 1);
        let mut later = Tally::of("floods", 7, 1);
        later.add(&Tally::of("holes", 1, 2));
        let since = Tally::parse(&later.to_line()).since(&earlier);
        let mut expected = Tally::of("floods", 2, 0);
        expected.add(&Tally::of("holes", 1, 2));
        assert_eq!(since, expected);
        assert_eq!((since.done(), since.refused()), (3, 2));
    }
}
