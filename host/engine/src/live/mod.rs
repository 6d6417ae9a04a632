//! Endpoints and rules as they are worked with: secrets opened, conditions shared
//! with the sandbox, limits put together. Knows neither how they come into
//! memory (`catalog`) nor how anything is sent (`egress`).

mod endpoint;
mod rate_limits;
mod reference;
mod rule;

pub use endpoint::LiveEndpoint;
pub(crate) use rate_limits::RateLimits;
pub(crate) use reference::Reference;
pub use rule::LiveRule;
