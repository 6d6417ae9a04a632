//! A setting that is wrong.

/// Which setting, what is wrong with it, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}; {advice}")]
pub struct SettingError {
    /// The environment variable's name.
    pub setting: &'static str,
    /// What is wrong. Never a secret's value.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

impl SettingError {
    /// A wrong setting.
    pub fn new(
        setting: &'static str,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { setting, problem: problem.into(), advice: advice.into() }
    }
}
