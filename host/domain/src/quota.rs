//! How much of each thing one tenant may have, so that none fills the memory and
//! the tables that all share.

use std::fmt;

/// What a tenant may have at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Alert rules that are not deleted. All of them are kept in memory, and each is
    /// asked about every event of its type.
    pub alert_rules: u32,
    /// Webhook endpoints that are not deleted, kept in memory with their secrets.
    pub webhook_endpoints: u32,
    /// API keys.
    pub api_keys: u32,
    /// Webhooks in. Each is an address that takes requests without a key.
    pub sources: u32,
    /// Bytes of all of its endpoints' secrets together, sealed, as they are stored.
    pub secret_bytes: u32,
}

impl Default for Quotas {
    /// Far above what a team sets up by hand, and some megabytes of memory for a
    /// tenant that uses all of it.
    fn default() -> Self {
        Self {
            alert_rules: 1000,
            webhook_endpoints: 1000,
            api_keys: 1000,
            sources: 100,
            secret_bytes: 4 * 1024 * 1024,
        }
    }
}

impl Quotas {
    /// For who is not bounded: the operator's own tools.
    pub const NONE: Self = Self {
        alert_rules: u32::MAX,
        webhook_endpoints: u32::MAX,
        api_keys: u32::MAX,
        sources: u32::MAX,
        secret_bytes: u32::MAX,
    };

    /// How many of these a tenant may have.
    pub fn limit(&self, what: Quota) -> u32 {
        match what {
            Quota::AlertRules => self.alert_rules,
            Quota::WebhookEndpoints => self.webhook_endpoints,
            Quota::ApiKeys => self.api_keys,
            Quota::Sources => self.sources,
            Quota::SecretBytes => self.secret_bytes,
        }
    }

    /// Refuses a tenant that would have `count` of these.
    ///
    /// # Errors
    /// The limit, and by how much it would be passed.
    pub fn check(&self, what: Quota, count: u64) -> Result<(), QuotaReached> {
        let limit = self.limit(what);
        if count <= u64::from(limit) {
            return Ok(());
        }
        Err(QuotaReached { what, limit, count })
    }
}

/// What a quota is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// See [`Quotas::alert_rules`].
    AlertRules,
    /// See [`Quotas::webhook_endpoints`].
    WebhookEndpoints,
    /// See [`Quotas::api_keys`].
    ApiKeys,
    /// See [`Quotas::sources`].
    Sources,
    /// See [`Quotas::secret_bytes`].
    SecretBytes,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlertRules => "alert rules",
            Self::WebhookEndpoints => "webhook endpoints",
            Self::ApiKeys => "API keys",
            Self::Sources => "sources",
            Self::SecretBytes => "bytes of endpoints' secrets",
        })
    }
}

/// A change that was refused: the tenant would have more than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the namespace may have {limit} {what}, and would have {count}; delete what is not used, or \
     ask the operator for a larger quota"
)]
pub struct QuotaReached {
    /// Of what.
    pub what: Quota,
    /// How many it may have.
    pub limit: u32,
    /// How many it would have.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_that_is_allowed_passes_and_the_next_is_told_the_limit() {
        let quotas = Quotas { alert_rules: 3, ..Quotas::default() };
        assert_eq!(quotas.check(Quota::AlertRules, 3), Ok(()));
        let refused = quotas.check(Quota::AlertRules, 4).unwrap_err();
        assert_eq!((refused.limit, refused.count), (3, 4));
        assert!(refused.to_string().contains("3 alert rules"), "{refused}");
    }
}
