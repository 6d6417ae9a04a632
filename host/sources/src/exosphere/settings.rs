//! What an operator decides about watching Exosphere.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use url::Url;

/// Which state-manager is watched, and how.
#[derive(Debug, Clone)]
pub struct ExosphereSettings {
    /// Where the state-manager is, with a slash at its end. Holds no password.
    pub url: Url,
    /// Its secret, which opens all of it.
    pub key: Secret,
    /// Which of its namespaces are watched.
    pub namespaces: Namespaces,
    /// Between two looks.
    pub interval: Duration,
    /// Name servers to ask in place of the machine's own.
    pub name_servers: Vec<SocketAddr>,
}

/// Namespaces to be watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// Those that are named.
    pub named: BTreeSet<TenantId>,
    /// Also all that the platform lists, whenever they appear there.
    pub all_listed: bool,
}

impl Namespaces {
    /// Names with commas between them; `*` is all that are listed.
    ///
    /// # Errors
    /// What no namespace is called.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut namespaces = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name == "*" {
                namespaces.all_listed = true;
            } else {
                let tenant = TenantId::new(name);
                namespaces
                    .named
                    .insert(tenant.map_err(|error| format!("`{name}`: {}", error.detail))?);
            }
        }
        Ok(namespaces)
    }

    /// Whether there is nothing to be watched.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && !self.all_listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_named_or_listed_or_both() {
        let parsed = Namespaces::parse("payments, *, billing,").unwrap();
        assert_eq!((parsed.named.len(), parsed.all_listed), (2, true));
        assert!(Namespaces::parse(" , ").unwrap().is_empty());
        let long = "n".repeat(TenantId::MAX_BYTES + 1);
        assert!(Namespaces::parse(&long).unwrap_err().contains("at most 128 bytes"));
    }

    #[test]
    fn the_key_is_not_shown() {
        let settings = ExosphereSettings {
            url: "http://state-manager:8000/".parse().unwrap(),
            key: Secret::new("exosphere@123"),
            namespaces: Namespaces::default(),
            interval: Duration::from_secs(3),
            name_servers: Vec::new(),
        };
        assert!(!format!("{settings:?}").contains("exosphere@123"));
    }
}
