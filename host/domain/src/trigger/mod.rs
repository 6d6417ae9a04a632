//! Triggers: how a rule fires, and what it remembers between two events.
//!
//! [`Trigger`] is what a tenant writes. A rule that looks beyond one event has a
//! [`Memory`] for each run or group, and [`evaluate`] is the one place where what
//! happens changes it and says what follows: in service, when a timer is due, and
//! when a rule is tried on the past. [`Observation`] makes of that what is stored
//! and sent. Where memories are kept is not known here.

mod duration;
mod evaluate;
mod exceeded;
mod group;
mod kind;
mod limits;
mod marks;
mod memory;
mod observation;
mod recovery;
mod run;
mod run_key;
mod threshold;
mod watch;
mod window;

pub use self::duration::DurationTrigger;
pub use self::evaluate::{Effects, Firing, Observed, Occasion, evaluate};
pub use self::group::{Group, MAX_GROUP_FIELDS, MAX_GROUPS};
pub use self::kind::Trigger;
pub use self::memory::{Memory, MemoryError, Older, WrittenMemory};
pub use self::observation::{Arrived, Followed, Made, MadeEvent, Observation, PreparedAlert};
pub use self::recovery::{RECOVERED, Watched};
pub use self::run::{DURATION_EXCEEDED, ENDED, RESTARTED, RunPhase, RunSighting, STARTED, run_of};
pub use self::run_key::RunKey;
pub use self::threshold::{Breach, Ratio, ThresholdTrigger};
