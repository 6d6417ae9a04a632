//! What the tests stand on: targets that answer what they are told to, an endpoint,
//! and a door to this machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::endpoint::{EndpointSecrets, EndpointSpec, WebhookEndpoint};
use alerts_domain::exchange::{Outcome, Request, TransportError};
use alerts_domain::header::Headers;
use alerts_domain::id::EndpointId;
use alerts_domain::keyring::Sealed;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Deadlines, Egress, LiveEndpoint, target_endpoint};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;
pub(crate) const TOKEN: &str = "t0ken \"quoted\"";

/// A target on this machine.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// The first that was read of each connection.
    pub(crate) received: tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Target {
    /// Answers each connection with the same bytes, and then keeps it open.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::behaving(move |mut connection, _| {
            let answer = answer.clone();
            async move {
                // Whether anybody still listens does not matter.
                let _ = connection.write_all(&answer).await;
                std::future::pending::<()>().await;
            }
        })
        .await
    }

    /// Does this with each connection, once something was read from it, and with how
    /// many came before.
    pub(crate) async fn behaving<B>(
        behave: impl Fn(TcpStream, usize) -> B + Send + Sync + 'static,
    ) -> Self
    where
        B: Future<Output = ()> + Send,
    {
        let behave = Arc::new(behave);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let (sender, received) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let before = counted.fetch_add(1, Ordering::SeqCst);
                let (sender, behave) = (sender.clone(), behave.clone());
                tokio::spawn(async move {
                    let mut buffer = vec![0; 64 * 1024];
                    let read = connection.read(&mut buffer).await.unwrap_or_default();
                    buffer.truncate(read);
                    // Not every test looks at it.
                    let _ = sender.send(buffer);
                    behave(connection, before).await;
                });
            }
        });
        Self { address, connections, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(crate) fn ok(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// An endpoint to this URL that holds a secret `token`.
pub(crate) fn endpoint(url: &str) -> LiveEndpoint {
    endpoint_with(url, TOKEN)
}

/// The same with this as the token.
pub(crate) fn endpoint_with(url: &str, token: &str) -> LiveEndpoint {
    let stored = WebhookEndpoint {
        id: EndpointId::new(NOW, 1),
        tenant: TenantId::new("payments").unwrap(),
        spec: EndpointSpec {
            name: "On call".to_owned(),
            target_url: url.to_owned(),
            target: EndpointSpec::DEFAULT_TARGET.to_owned(),
            settings: serde_json::Map::new(),
            headers: Headers::default(),
            is_active: true,
            include_event_data: false,
            rate_limit: None,
            gone_after: 1,
        },
        sealed_secrets: Sealed::from_stored(String::new()),
        version: 1,
        managed_by: None,
        created_by: "test".to_owned(),
        created_at: NOW,
        updated_at: NOW,
        deleted_at: None,
    };
    let secrets = EndpointSecrets {
        signing: Secret::generate_signing([7; 24]),
        previous_signing: None,
        url: None,
        named: BTreeMap::from([("token".to_owned(), Secret::new(token))]),
    };
    LiveEndpoint::new(stored, secrets)
}

/// What the adapter writes in place of `token`.
pub(crate) fn reference(endpoint: &LiveEndpoint) -> String {
    target_endpoint(endpoint).secrets[0].1.clone()
}

pub(crate) fn request(url: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: Headers::default(),
        body: Bytes::from_static(b"{}"),
        sign: true,
    }
}

/// A door to this machine.
pub(crate) fn door() -> Egress {
    door_with(Deadlines::default())
}

pub(crate) fn door_with(deadlines: Deadlines) -> Egress {
    let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
    Egress::new(AddressRules::new(loopback.to_vec()), deadlines).unwrap()
}

pub(crate) async fn perform(
    egress: &Egress,
    endpoint: &LiveEndpoint,
    request: &Request,
) -> Outcome {
    egress.perform(request, endpoint, &[], "dlv_1", NOW).await
}

/// What came back, of a request that was answered.
pub(crate) async fn answered(egress: &Egress, url: &str) -> alerts_domain::exchange::Response {
    match perform(egress, &endpoint(url), &request(url)).await {
        Outcome::Response(response) => response,
        Outcome::Failed(error) => panic!("it was not answered: {error}"),
    }
}

pub(crate) async fn failure(
    egress: &Egress,
    endpoint: &LiveEndpoint,
    request: &Request,
) -> TransportError {
    match perform(egress, endpoint, request).await {
        Outcome::Failed(error) => error,
        Outcome::Response(response) => panic!("it was answered: {response:?}"),
    }
}
