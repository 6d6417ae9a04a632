//! The one door: everything that leaves the host goes through here.
//!
//! An adapter's request is checked, references become secrets, the bytes are
//! signed, and the one client connects to an address that was judged. Out of what
//! comes back secrets are taken, and it is cut at a bound.

mod answer;
mod client;
mod error;
mod fetch;
mod name_servers;
mod names;
mod prepare;
mod resolver;
mod transport;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::exchange::{Outcome, Request, TransportError};
use alerts_domain::header;
use alerts_domain::origin::Origin;

use crate::error::EngineError;
use crate::live::LiveEndpoint;
use names::Names;
use resolver::JudgedResolver;

pub use fetch::{Fetched, Fetcher};
pub use prepare::Prepared;
pub(crate) use prepare::Refused;
pub use transport::{Exchanged, Transport};

/// How long each part of an exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Name lookup, connection and TLS handshake together.
    pub connect: Duration,
    /// From sending to the response's head, which says what became of the request.
    pub first_byte: Duration,
    /// The whole exchange. A body that has not ended by then is cut there.
    pub total: Duration,
}

impl Default for Deadlines {
    /// Webhook receivers are asked to answer within seconds; 15 s in all is
    /// what common senders allow.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            total: Duration::from_secs(15),
        }
    }
}

/// The door. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Egress {
    transport: Arc<dyn Transport>,
    resolver: JudgedResolver,
    rules: AddressRules,
}

impl Egress {
    /// A door that lets through to addresses that `rules` allow. Names are looked up as
    /// this machine is configured to.
    pub fn new(rules: AddressRules, deadlines: Deadlines) -> Result<Self, EngineError> {
        Self::with_name_servers(rules, deadlines, &[])
    }

    /// The same, where these name servers are asked in place of the machine's; with
    /// none, the machine's.
    pub fn with_name_servers(
        rules: AddressRules,
        deadlines: Deadlines,
        servers: &[SocketAddr],
    ) -> Result<Self, EngineError> {
        let resolver = JudgedResolver::new(Names::new(servers), rules.clone());
        let client = client::Client::new(resolver.clone(), deadlines);
        let transport = Arc::new(client.map_err(EngineError::Client)?);
        Ok(Self { transport, resolver, rules })
    }

    /// A door to another transport than HTTP.
    pub fn over(transport: Arc<dyn Transport>, rules: AddressRules) -> Self {
        let resolver = JudgedResolver::new(Names::new(&[]), rules.clone());
        Self { transport, resolver, rules }
    }

    /// The address rules in force.
    pub fn rules(&self) -> &AddressRules {
        &self.rules
    }

    /// Performs one request of one endpoint's adapter, which may go to the
    /// endpoint's own origin and to those `granted`. `message_id` and `now` go into
    /// the signature.
    pub async fn perform(
        &self,
        request: &Request,
        endpoint: &LiveEndpoint,
        granted: &[Origin],
        message_id: &str,
        now: Timestamp,
    ) -> Outcome {
        let prepared = prepare::prepare(request, endpoint, granted, &self.rules, message_id, now);
        let exchanged = match prepared {
            Ok(prepared) => self.transport.exchange(prepared).await,
            Err(refused) => Err(refused.into()),
        };
        let mask = endpoint.references().mask();
        match exchanged {
            Ok(response) => Outcome::Response(answer::kept(response, mask)),
            Err(error) => Outcome::Failed(answer::kept_error(error, mask)),
        }
    }

    /// Why a request could never leave, whatever the target: the host refuses what the
    /// adapter, or the tenant through it, put into a header.
    pub(crate) fn refused_header(
        &self,
        request: &Request,
        endpoint: &LiveEndpoint,
        granted: &[Origin],
        now: Timestamp,
    ) -> Option<Refused> {
        let prepared = prepare::prepare(request, endpoint, granted, &self.rules, "", now);
        prepared.err().filter(|refused| refused.header.is_some())
    }

    /// A request as [`Self::perform`] would send it now: checked and signed,
    /// but with references where the secrets would be.
    pub(crate) fn preview(
        &self,
        mut request: Request,
        endpoint: &LiveEndpoint,
        granted: &[Origin],
        message_id: &str,
        now: Timestamp,
    ) -> Result<Request, TransportError> {
        let prepared = prepare::prepare(&request, endpoint, granted, &self.rules, message_id, now);
        let prepared = prepared
            .map_err(|refused| answer::kept_error(refused.into(), endpoint.references().mask()))?;
        for (name, value) in &prepared.headers {
            if request.sign && header::is_reserved(name.as_str()) {
                request.headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
            }
        }
        Ok(request)
    }

    /// The bytes as they would leave now, secrets and signature in them. Only for
    /// a tool whose user owns those secrets: everything else shows a preview.
    pub fn reveal(
        &self,
        request: &Request,
        endpoint: &LiveEndpoint,
        granted: &[Origin],
        message_id: &str,
        now: Timestamp,
    ) -> Result<Request, TransportError> {
        let prepared = prepare::prepare(request, endpoint, granted, &self.rules, message_id, now)?;
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        Ok(Request {
            method: prepared.method.to_string(),
            url: prepared.url.into(),
            headers: prepared.headers.iter().map(|(name, v)| (name.as_str(), text(v))).collect(),
            body: prepared.body,
            sign: request.sign,
        })
    }

    /// Whether a URL's host name leads somewhere forbidden as DNS stands now.
    /// Told early for the tenant's sake; it is judged again at each connection.
    /// A name that does not resolve passes: it may tomorrow.
    pub(crate) async fn judge_now(&self, url: &str) -> Result<(), String> {
        self.resolver.judge_host(url).await
    }
}
