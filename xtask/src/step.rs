//! How a step of `cargo xtask test` went.

/// How a step went that did not fail.
#[derive(Debug)]
pub(crate) enum Step {
    /// All of it held.
    Good,
    /// Some of it was not looked at, for want of what this says.
    Skipped(String),
}
