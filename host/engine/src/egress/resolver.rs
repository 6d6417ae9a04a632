//! Name lookup that answers only with addresses the host may connect to.
//!
//! The client asks at each new connection and connects to what this answers,
//! so a second DNS answer cannot redirect it to an address nobody judged.

use std::net::SocketAddr;

use alerts_domain::address::{AddressRules, ForbiddenAddress};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A resolver over the system's own, with the address rules behind it.
#[derive(Debug, Clone)]
pub(super) struct JudgedResolver(pub(super) AddressRules);

/// Every address of a name is forbidden.
#[derive(Debug, thiserror::Error)]
#[error("{name} leads to a forbidden address: {first}")]
pub(super) struct ForbiddenName {
    name: String,
    first: ForbiddenAddress,
}

/// A name has no address.
#[derive(Debug, thiserror::Error)]
#[error("no address for {name}{}", .source.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
pub(super) struct UnknownName {
    name: String,
    source: Option<std::io::Error>,
}

impl JudgedResolver {
    /// The addresses of `name` that may be connected to.
    async fn addresses(
        self,
        name: String,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = tokio::net::lookup_host((name.as_str(), 0)).await.map(Vec::from_iter);
        let found = match found {
            Ok(found) => found,
            Err(error) => return Err(UnknownName { name, source: Some(error) }.into()),
        };
        let mut forbidden = None;
        let mut open: Vec<SocketAddr> = Vec::new();
        for address in found {
            match self.0.judge(address.ip()) {
                Ok(()) => open.push(address),
                Err(error) => forbidden = forbidden.or(Some(error)),
            }
        }
        match forbidden {
            _ if !open.is_empty() => Ok(open),
            Some(first) => Err(ForbiddenName { name, first }.into()),
            None => Err(UnknownName { name, source: None }.into()),
        }
    }
}

impl Resolve for JudgedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.clone().addresses(name.as_str().to_owned());
        Box::pin(async move { Ok(Box::new(lookup.await?.into_iter()) as Addrs) })
    }
}

/// How long saving an endpoint may wait for DNS.
const LOOKUP: std::time::Duration = std::time::Duration::from_secs(2);

/// Judges the addresses of a URL's host name as they are now.
pub(super) async fn judge_host(url: &str, rules: &AddressRules) -> Result<(), String> {
    let Some(name) = url::Url::parse(url).ok().and_then(|url| url.domain().map(str::to_owned))
    else {
        return Ok(());
    };
    let lookup = JudgedResolver(rules.clone()).addresses(name);
    match tokio::time::timeout(LOOKUP, lookup).await {
        Ok(Err(error)) if error.is::<ForbiddenName>() => Err(error.to_string()),
        _ => Ok(()),
    }
}
