//! Endpoints and rules as they are worked with: secrets opened, conditions shared
//! with the sandbox, limits put together. Knows neither how they come into
//! memory (`catalog`) nor how anything is sent (`egress`).

mod endpoint;
mod rate_limits;
mod rule;

pub use endpoint::{LiveEndpoint, target_endpoint};
pub(crate) use rate_limits::RateLimits;
pub use rule::LiveRule;
