//! The server: its start and its end. The same for the `serve`
//! command, for tests and for benchmarks.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use alerts_domain::secret::Secret;
use alerts_engine::{Engine, EngineError, EngineParts};
use alerts_sources::{ExosphereSettings, ExosphereWatch};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connections::Tls;
use crate::encryption::{self, KeysError};
use crate::keys::KeyRegistry;
use crate::limits::{BodyMemory, ServerLimits};
use crate::settings::Site;
use crate::state::AppState;
use crate::{api, bootstrap, connections, housekeeping, meters};

/// The server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine did not.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// This host's encryption keys are not those of the database.
    #[error(transparent)]
    EncryptionKeys(#[from] KeysError),
    /// The first API key could not be looked up or made. The cause is in the text.
    #[error("the API keys could not be read: {0}")]
    ApiKeys(String),
    /// The listening socket has no address.
    #[error("the listening socket cannot be used: {0}")]
    Socket(#[source] std::io::Error),
}

/// What an operator decides about the HTTP side.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// What callers may take.
    pub limits: ServerLimits,
    /// Where browsers reach it, and which sites may show it in a frame.
    pub site: Site,
    /// The certificate that it serves with; none for plain HTTP.
    pub tls: Option<Tls>,
    /// Which Exosphere is watched, if any is.
    pub exosphere: Option<ExosphereSettings>,
}

/// A server that is serving.
#[must_use = "without `shutdown` it serves until the process ends"]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    state: AppState,
    made_key: Option<Secret>,
    serving: JoinHandle<()>,
    exosphere: Option<ExosphereWatch>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts the engine and serves its API on `listener`. `bootstrap_key` is the
    /// operator's platform key; without one, the first start makes one.
    pub async fn start(
        listener: TcpListener,
        parts: EngineParts,
        bootstrap_key: Option<Secret>,
    ) -> Result<Self, StartError> {
        Self::start_with(listener, parts, bootstrap_key, ServerOptions::default()).await
    }

    /// The same, with options.
    pub async fn start_with(
        listener: TcpListener,
        parts: EngineParts,
        bootstrap_key: Option<Secret>,
        options: ServerOptions,
    ) -> Result<Self, StartError> {
        let ServerOptions { limits, site, tls, exosphere } = options;
        let address = listener.local_addr().map_err(StartError::Socket)?;
        // First, so that what the engine registers is seen.
        meters::recorder();
        let (store, keyring) = (parts.store.clone(), parts.keyring.clone());
        // Before anything that is due is taken up.
        encryption::ensure(&store, &keyring, &parts.entropy).await?;
        let engine = Engine::start(parts).await?;
        let keys = KeyRegistry::new(store);
        let made_key = bootstrap::ensure_platform_key(&engine, &keys, bootstrap_key)
            .await
            .map_err(|error| StartError::ApiKeys(error.to_string()))?;
        let (stopping, memory) = (CancellationToken::new(), BodyMemory::new(limits.body_bytes));
        let state = AppState::new(engine, keys, keyring, memory, site, stopping.clone());
        housekeeping::start(&state, tls.clone());
        let watch = |settings| ExosphereWatch::start(state.engine(), settings);
        let exosphere = exosphere.map(watch).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let router = api::router(state.clone());
        let serving = tokio::spawn(connections::serve(listener, router, limits, tls, stopping));
        Ok(Self { address, scheme, state, made_key, serving, exosphere })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The platform key that was made because there was none. Shown this once.
    pub fn made_key(&self) -> Option<&Secret> {
        self.made_key.as_ref()
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Engine {
        self.state.engine()
    }

    /// The API keys, and the sessions of people.
    pub(crate) fn keys(&self) -> &KeyRegistry {
        self.state.keys()
    }

    /// Where a browser reaches it, as far as is known: scheme, host and port.
    pub(crate) fn url(&self) -> String {
        let site = self.state.site().public_url();
        site.map_or_else(|| url_of(self.scheme, self.address), str::to_owned)
    }

    /// Takes no more requests, lets those under way end, then the engine, all
    /// within `deadline`, of which requests get half at most.
    pub async fn shutdown(self, deadline: Duration) {
        let end = Instant::now() + deadline;
        self.state.stopping().cancel();
        let quiet = async {
            if let Err(error) = self.serving.await {
                tracing::error!(%error, "accepting connections ended badly");
            }
            self.state.changes().done().await;
        };
        if tokio::time::timeout(deadline / 2, quiet).await.is_err() {
            tracing::warn!("requests that were still under way at shutdown are cut off");
        }
        if let Some(watch) = &self.exosphere {
            watch.release().await;
        }
        let left = end.saturating_duration_since(Instant::now());
        self.state.engine().shutdown(left).await;
    }
}

/// An address that works on this machine, also when all are listened on.
pub(crate) fn url_of(scheme: &str, address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_shown_is_one_that_can_be_called() {
        let url = |scheme, address: &str| url_of(scheme, address.parse().unwrap());
        assert_eq!(url("http", "0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(url("https", "[::]:80"), "https://127.0.0.1:80");
        assert_eq!(url("http", "[::1]:80"), "http://[::1]:80");
    }
}
