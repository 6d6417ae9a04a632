//! Name lookup that answers only with addresses the host may connect to.
//!
//! The client asks at each new connection and connects to what this answers,
//! so a second DNS answer cannot redirect it to an address nobody judged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alerts_domain::address::{AddressRules, ForbiddenAddress};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::names::{Names, NoAddress};

/// Names' addresses, with the address rules behind them.
#[derive(Debug, Clone)]
pub(super) struct JudgedResolver {
    names: Arc<Names>,
    rules: AddressRules,
}

/// Every address of a name is forbidden.
#[derive(Debug, thiserror::Error)]
#[error("{name} leads to a forbidden address: {first}")]
pub(super) struct ForbiddenName {
    name: String,
    first: ForbiddenAddress,
}

/// A name has no address.
#[derive(Debug, thiserror::Error)]
#[error("no address for {name}: {why}")]
pub(super) struct UnknownName {
    name: String,
    why: NoAddress,
}

/// How long saving an endpoint may wait for DNS.
const LOOKUP: Duration = Duration::from_secs(2);

impl JudgedResolver {
    pub(super) fn new(names: Names, rules: AddressRules) -> Self {
        Self { names: Arc::new(names), rules }
    }

    /// The addresses of `name` that may be connected to.
    async fn addresses(
        &self,
        name: &str,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = match self.names.addresses(name).await {
            Ok(found) => found,
            Err(why) => return Err(UnknownName { name: name.to_owned(), why }.into()),
        };
        let mut forbidden = None;
        let mut open: Vec<SocketAddr> = Vec::with_capacity(found.len());
        for address in found.iter().copied() {
            match self.rules.judge(address) {
                Ok(()) => open.push(SocketAddr::new(address, 0)),
                Err(error) => forbidden = forbidden.or(Some(error)),
            }
        }
        match forbidden {
            Some(first) if open.is_empty() => {
                Err(ForbiddenName { name: name.to_owned(), first }.into())
            }
            _ => Ok(open),
        }
    }

    /// Judges the addresses of a URL's host name as they are now. A name that has
    /// none, or none in time, passes.
    pub(super) async fn judge_host(&self, url: &str) -> Result<(), String> {
        let url = url::Url::parse(url).ok();
        let Some(name) = url.as_ref().and_then(url::Url::domain) else { return Ok(()) };
        match tokio::time::timeout(LOOKUP, self.addresses(name)).await {
            Ok(Err(error)) if error.is::<ForbiddenName>() => Err(error.to_string()),
            _ => Ok(()),
        }
    }
}

impl Resolve for JudgedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            Ok(Box::new(resolver.addresses(name.as_str()).await?.into_iter()) as Addrs)
        })
    }
}
