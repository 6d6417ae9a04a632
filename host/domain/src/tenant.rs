//! The tenant: what the platform calls a namespace.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::problem::FieldError;

/// To which tenants alerts are open: how far the service is rolled out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rollout {
    /// To none. Events are stored and explained, and nothing is sent.
    Off,
    /// To those that are marked.
    Beta,
    /// To all: general availability.
    #[default]
    Ga,
}

impl Rollout {
    /// Whether alerts are open to a tenant with or without the mark.
    pub fn is_open_to(self, is_beta: bool) -> bool {
        match self {
            Self::Off => false,
            Self::Beta => is_beta,
            Self::Ga => true,
        }
    }
}

/// The name of a tenant. Free text in the platform, so only what would break a
/// header or a log line is refused. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// Longest name, in bytes: it stands in headers, logs and index keys.
    pub const MAX_BYTES: usize = 128;
    const HOST: &str = "*";
    const OPERATORS: &str = "exosphere-alerts";

    /// Checks a name. The error's pointer is empty: the caller knows where it stood.
    pub fn new(name: &str) -> Result<Self, FieldError> {
        let wrong = if name.is_empty() {
            "must not be empty".to_owned()
        } else if name == Self::HOST {
            "must not be `*`, which stands for the host itself".to_owned()
        } else if name.len() > Self::MAX_BYTES {
            format!("must be at most {} bytes long", Self::MAX_BYTES)
        } else if name.chars().any(char::is_control) || name.trim() != name {
            "must not hold control characters, nor begin or end with white space".to_owned()
        } else {
            return Ok(Self(name.into()));
        };
        Err(FieldError::new("", format!("the namespace {wrong}")))
    }

    /// Not a tenant: the name under which the host keeps its own audit log.
    pub fn host() -> Self {
        Self(Self::HOST.into())
    }

    /// The namespace in which operators are told of trouble that is no tenant's.
    pub fn operators() -> Self {
        Self(Self::OPERATORS.into())
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl TryFrom<String> for TenantId {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::new(&name).map_err(|error| error.detail)
    }
}

impl From<TenantId> for String {
    fn from(tenant: TenantId) -> Self {
        tenant.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_break_a_header_or_a_log_line_is_refused_wherever_it_is_read() {
        let long = "n".repeat(TenantId::MAX_BYTES + 1);
        for (name, why) in [
            ("", "must not be empty"),
            ("*", "stands for the host itself"),
            (long.as_str(), "at most 128 bytes"),
            ("a\nb", "control characters"),
            (" a", "white space"),
            ("a ", "white space"),
        ] {
            assert!(TenantId::new(name).unwrap_err().detail.contains(why), "{name:?}");
            let json = serde_json::to_string(name).unwrap();
            let read = serde_json::from_str::<TenantId>(&json).unwrap_err().to_string();
            assert!(read.contains(why), "{name:?}: {read}");
        }
    }

    #[test]
    fn any_other_name_is_kept_as_it_is() {
        for name in ["payments", "Zahlungen für März", &"n".repeat(TenantId::MAX_BYTES)] {
            let tenant = TenantId::new(name).unwrap();
            assert_eq!(tenant.to_string(), name);
            let json = serde_json::to_string(&tenant).unwrap();
            assert_eq!(serde_json::from_str::<TenantId>(&json).unwrap(), tenant);
        }
        assert_eq!(format!("{:?}", TenantId::new("a\"b").unwrap()), r#""a\"b""#);
    }
}
