//! Statistics: what is counted of events, deliveries and attempts, and how counts
//! add up over steps of time and over hosts.

mod failure_reason;
mod figures;
mod latencies;
mod step;

pub use self::failure_reason::FailureReason;
pub use self::figures::Figures;
pub use self::latencies::Latencies;
pub use self::step::Step;
