//! A host in this process, with a clock that tests move by hand.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::keyring::Keyring;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::Rollout;
use alerts_engine::{
    Clock, Engine, EngineConfig, EngineParts, Entropy, ManualClock, Plugins, SystemClock,
};
use alerts_sandbox::{Sandbox, SandboxConfig};
use alerts_server::{Server, ServerLimits, ServerOptions, builtin};
use alerts_store::Store;
use tokio::net::TcpListener;

use crate::support::api::{Api, KEY};

/// The tenant that tests act for.
pub(crate) const TENANT: &str = "payments";

pub(crate) struct TestHost {
    pub(crate) api: Api,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) url: String,
    server: Option<Server>,
    folder: tempfile::TempDir,
}

impl TestHost {
    /// On SQLite, with a clock that stands still.
    pub(crate) async fn start() -> Self {
        Self::with(None, true).await
    }

    /// On SQLite, with the machine's clock.
    pub(crate) async fn in_real_time() -> Self {
        Self::with(None, false).await
    }

    /// On this database.
    pub(crate) async fn on(url: &str) -> Self {
        Self::with(Some(url), true).await
    }

    /// On SQLite, with alerts open to these tenants.
    pub(crate) async fn rolled_out(rollout: Rollout) -> Self {
        Self::configured(EngineConfig { rollout, ..EngineConfig::default() }).await
    }

    /// On SQLite, with a clock that stands still, and these settings.
    pub(crate) async fn configured(config: EngineConfig) -> Self {
        Self::built(None, true, config).await
    }

    /// On SQLite, with a clock that stands still at this time, and these settings.
    pub(crate) async fn configured_at(config: EngineConfig, at: Timestamp) -> Self {
        Self::built_with(None, Some(at), config, ServerOptions::default()).await
    }

    /// On SQLite, with the machine's clock, and these limits on what callers may take.
    pub(crate) async fn limited(limits: ServerLimits) -> Self {
        let options = ServerOptions { limits, ..ServerOptions::default() };
        Self::built_with(None, None, EngineConfig::default(), options).await
    }

    /// On SQLite, with a clock that stands still, and these options of the HTTP side.
    pub(crate) async fn served(options: ServerOptions) -> Self {
        Self::built_with(None, Some(Timestamp::now()), EngineConfig::default(), options).await
    }

    async fn with(url: Option<&str>, is_manual: bool) -> Self {
        Self::built(url, is_manual, EngineConfig::default()).await
    }

    async fn built(url: Option<&str>, is_manual: bool, config: EngineConfig) -> Self {
        let stands_at = is_manual.then(Timestamp::now);
        Self::built_with(url, stands_at, config, ServerOptions::default()).await
    }

    async fn built_with(
        url: Option<&str>,
        stands_at: Option<Timestamp>,
        config: EngineConfig,
        options: ServerOptions,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = format!("sqlite://{}", folder.path().join("alerts.db").display());
        let url = url.map_or(sqlite, str::to_owned);
        let clock = Arc::new(ManualClock::new(stands_at.unwrap_or_else(Timestamp::now)));
        let used: Arc<dyn Clock> = match stands_at {
            Some(_) => clock.clone(),
            None => Arc::new(SystemClock),
        };
        let server = serve(&url, used, config, options).await;
        let api = Api::new(server.address(), TENANT);
        Self { api, clock, url, server: Some(server), folder }
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.as_ref().unwrap().address()
    }

    /// A client that speaks for another tenant.
    pub(crate) fn tenant(&self, name: &str) -> Api {
        Api::new(self.address(), name)
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The engine behind it.
    pub(crate) fn engine(&self) -> &Engine {
        self.server.as_ref().unwrap().engine()
    }

    /// Ends once every timer that is due has been dealt with.
    pub(crate) async fn settled(&self) {
        self.engine().settle_due_timers().await.unwrap();
    }

    /// Removes what is old enough by now, as the host does by itself in a while.
    pub(crate) async fn cleaned(&self) {
        self.engine().remove_old().await.unwrap();
    }

    /// Moves the clock past every wait of the retry policies in these tests.
    pub(crate) fn later(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Stops it, and starts another on the same database.
    pub(crate) async fn restart(&mut self) {
        self.restart_with(async |_| ()).await;
    }

    /// The same, with some time in between.
    pub(crate) async fn restart_later(&mut self, by: Duration) {
        let clock = self.clock.clone();
        self.restart_with(async |_| clock.advance(by)).await;
    }

    /// The same, with something done to the database in between.
    pub(crate) async fn restart_with(&mut self, change: impl AsyncFnOnce(&Store)) {
        self.server.take().unwrap().shutdown(Duration::from_secs(10)).await;
        let store = Store::open(&self.url).await.unwrap();
        change(&store).await;
        store.close().await;
        drop(store);
        let (config, options) = (EngineConfig::default(), ServerOptions::default());
        let server = serve(&self.url, self.clock.clone(), config, options).await;
        self.api = Api::new(server.address(), TENANT);
        self.server = Some(server);
    }

    /// The folder that its files are in.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

async fn serve(
    url: &str,
    clock: Arc<dyn Clock>,
    config: EngineConfig,
    options: ServerOptions,
) -> Server {
    let store = Store::open(url).await.unwrap();
    let (sandbox, plugins) = match config.builtin {
        [] => loaded(),
        // It is to compile them itself.
        _ => (Sandbox::new(SandboxConfig::default()).unwrap(), Plugins::default()),
    };
    let keys: [u8; 32] = std::array::from_fn(|index| index as u8);
    let parts = EngineParts {
        store,
        sandbox,
        plugins,
        keyring: Keyring::parse(&Keyring::generate("test", keys)).unwrap(),
        config: EngineConfig {
            addresses: AddressRules::new(vec!["127.0.0.0/8".parse().unwrap()]),
            ..config
        },
        clock,
        entropy: Entropy::from_system(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Server::start_with(listener, parts, Some(Secret::new(KEY)), options).await.unwrap()
}

/// The built-in plugins, compiled once for all tests of a build.
fn loaded() -> (Sandbox, Plugins) {
    let cache = std::env::current_exe().unwrap().with_file_name("test-plugin-cache");
    let config = SandboxConfig { cache_dir: Some(cache), ..SandboxConfig::default() };
    let (sandbox, plugins) = (Sandbox::new(config).unwrap(), Plugins::default());
    builtin::load(&sandbox, &plugins).unwrap();
    (sandbox, plugins)
}
