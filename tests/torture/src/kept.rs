//! What a power cut leaves.

/// How much of what was not synced is there after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// All, nothing or some of it, each file and each folder by itself.
    ByChance,
    /// Nothing: the worst that can happen.
    Nothing,
}
