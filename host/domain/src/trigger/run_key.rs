//! How a run is known within its tenant: by graph and id.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::text::is_storable;

/// Longest id of a run, and longest graph in a key, in bytes: the key is in an index.
const MAX_PART_BYTES: usize = 256;

/// Graph and id of a run, as one text: `["etl","run-7"]`, or `[null,"run-7"]` where no
/// graph is named. The same id in two graphs is two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunKey(String);

impl RunKey {
    /// None for an id that cannot be kept: empty, longer than 256 bytes, or with a NUL
    /// character. A longer graph is known by its digest.
    pub fn new(graph: Option<&str>, run: &str) -> Option<Self> {
        if run.is_empty() || run.len() > MAX_PART_BYTES || !is_storable(run) {
            return None;
        }
        let digest;
        let graph = match graph {
            Some(long) if long.len() > MAX_PART_BYTES => {
                digest = format!("sha256:{}", hex::encode(Sha256::digest(long)));
                Some(digest.as_str())
            }
            graph => graph,
        };
        // An escape takes the place of each NUL, so any text can be in it.
        serde_json::to_string(&(graph, run)).ok().map(Self)
    }

    /// Reads one back; None for a key of another kind.
    pub fn from_stored(key: &str) -> Option<Self> {
        serde_json::from_str::<(Option<String>, String)>(key).ok()?;
        Some(Self(key.to_owned()))
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Under which key the same run was kept before graphs were part of keys: its id
    /// alone. None for an id that would be taken for a key of today.
    pub fn of_older_release(&self) -> Option<String> {
        let (_, run): (Option<String>, String) = serde_json::from_str(&self.0).ok()?;
        Self::from_stored(&run).is_none().then_some(run)
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_in_two_graphs_is_two_runs() {
        let key = |graph, run| RunKey::new(graph, run).unwrap();
        assert_ne!(key(Some("a"), "run-7"), key(Some("b"), "run-7"));
        assert_ne!(key(None, "run-7"), key(Some(""), "run-7"));
        assert_ne!(key(Some("a\",\"b"), "c"), key(Some("a"), "b\",\"c"));
    }

    #[test]
    fn a_key_reads_back_and_tells_how_older_releases_kept_it() {
        let key = RunKey::new(Some("etl"), "run \"7\"").unwrap();
        assert_eq!(RunKey::from_stored(key.as_str()).as_ref(), Some(&key));
        assert_eq!(key.of_older_release().as_deref(), Some("run \"7\""));
        let deceptive = RunKey::new(None, "[null,\"run-7\"]").unwrap();
        assert_eq!(deceptive.of_older_release(), None);
        for other in ["run-7", "", "[]", "7", "[\"a\"]", "c0ffee"] {
            assert_eq!(RunKey::from_stored(other), None, "{other}");
        }
    }

    #[test]
    fn an_id_that_cannot_be_kept_is_no_run() {
        for run in ["", "a\0b", "\0"] {
            assert_eq!(RunKey::new(None, run), None, "{run:?}");
        }
        let of = |bytes: usize| RunKey::new(Some("etl"), &"r".repeat(bytes));
        assert!(of(MAX_PART_BYTES).is_some());
        assert_eq!(of(MAX_PART_BYTES + 1), None);
    }

    #[test]
    fn any_graph_makes_a_key_that_can_be_kept() {
        let key = RunKey::new(Some("a\0b"), "r").unwrap();
        assert!(is_storable(key.as_str()));
        let long = |last: &str| RunKey::new(Some(&("g".repeat(10_000) + last)), "r").unwrap();
        assert!(long("a").as_str().len() < MAX_PART_BYTES);
        assert_ne!(long("a"), long("b"));
    }
}
