//! From an event to what is stored of it: its rules are asked (`matching`), what
//! follows is put together (`alerting`), all is committed, and only then answered
//! (`accept`). Rules whose condition plugin cannot answer are asked later
//! (`deferred`). Sends nothing itself.

mod accept;
pub(crate) mod alerting;
pub(crate) mod condition_errors;
mod deferred;
pub(crate) mod matching;
pub(crate) mod outcomes;

pub use accept::{Accepted, Intake};
pub(crate) use alerting::Alerting;
pub(crate) use condition_errors::ConditionErrors;
pub(crate) use deferred::{Deferred, PAUSE};
pub(crate) use matching::{ConditionAnswer, Matcher};
