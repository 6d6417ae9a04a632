//! The one door: everything that leaves the host goes through here.
//!
//! An adapter's request is checked, references become secrets, the bytes are
//! signed, and the one client connects to an address that was judged. What
//! comes back is cut at a bound.

mod client;
mod error;
mod prepare;
mod references;
mod resolver;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::exchange::{Outcome, Request, TransportError};
use alerts_domain::header;

use crate::error::EngineError;
use crate::live::LiveEndpoint;

pub use prepare::Prepared;
pub use transport::{Exchanged, Transport};

/// How long each part of an exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Name lookup, connection and TLS handshake together.
    pub connect: Duration,
    /// From sending to the response's head.
    pub first_byte: Duration,
    /// The whole exchange.
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
    rules: AddressRules,
}

impl Egress {
    /// A door that lets through to addresses that `rules` allow.
    pub fn new(rules: AddressRules, deadlines: Deadlines) -> Result<Self, EngineError> {
        let client = client::Client::new(rules.clone(), deadlines).map_err(EngineError::Client)?;
        Ok(Self::over(Arc::new(client), rules))
    }

    /// The same over another transport than HTTP.
    pub fn over(transport: Arc<dyn Transport>, rules: AddressRules) -> Self {
        Self { transport, rules }
    }

    /// The address rules in force.
    pub fn rules(&self) -> &AddressRules {
        &self.rules
    }

    /// Performs one request of one endpoint's adapter, which may go to the
    /// endpoint's own host and to `hosts`. `message_id` and `now` go into the
    /// signature.
    pub async fn perform(
        &self,
        request: &Request,
        endpoint: &LiveEndpoint,
        hosts: &[String],
        message_id: &str,
        now: Timestamp,
    ) -> Outcome {
        let prepared =
            match prepare::prepare(request, endpoint, hosts, &self.rules, message_id, now) {
                Ok(prepared) => prepared,
                Err(error) => return Outcome::Failed(error),
            };
        match self.transport.exchange(prepared).await {
            Ok(response) => Outcome::Response(references::hide(response, endpoint)),
            Err(error) => Outcome::Failed(error),
        }
    }
}

impl Egress {
    /// A request as [`Self::perform`] would send it now: checked and signed,
    /// but with references where the secrets would be.
    pub(crate) fn preview(
        &self,
        mut request: Request,
        endpoint: &LiveEndpoint,
        hosts: &[String],
        message_id: &str,
        now: Timestamp,
    ) -> Result<Request, TransportError> {
        let prepared = prepare::prepare(&request, endpoint, hosts, &self.rules, message_id, now)?;
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
        hosts: &[String],
        message_id: &str,
        now: Timestamp,
    ) -> Result<Request, TransportError> {
        let prepared = prepare::prepare(request, endpoint, hosts, &self.rules, message_id, now)?;
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
        resolver::judge_host(url, &self.rules).await
    }
}
