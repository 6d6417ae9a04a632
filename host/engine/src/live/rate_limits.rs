//! The rate limits that bind one delivery.

use alerts_domain::rate_limit::RateLimit;

/// The limits in force on one delivery, besides that of the whole host.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimits {
    pub(crate) tenant: Option<RateLimit>,
    pub(crate) endpoint: Option<RateLimit>,
    pub(crate) rule: Option<RateLimit>,
}
