//! The engine itself: its parts, its start and its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::delivery::Transition;
use alerts_domain::id::HostId;
use alerts_domain::keyring::Keyring;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::Rollout;
use alerts_sandbox::Sandbox;
use alerts_store::Store;
use futures_util::future::join_all;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::dispatch::Dispatcher;
use crate::egress::{Deadlines, Egress, Transport};
use crate::entropy::Entropy;
use crate::error::EngineError;
use crate::matching::Matcher;
use crate::plugins::{PluginFolder, Plugins};
use crate::retention::Retention;
use crate::turns::Turns;

/// Backtests that run at once. They read much, and nobody is woken by them.
const BACKTESTS: usize = 2;

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Where alerts may go.
    pub addresses: AddressRules,
    /// How long exchanges may take.
    pub deadlines: Deadlines,
    /// Attempts that run at once, over all endpoints. Each holds a connection.
    pub max_in_flight: usize,
    /// Deliveries that may start, over all tenants, on this host.
    pub rate_limit: Option<RateLimit>,
    /// The same for each tenant.
    pub tenant_rate_limit: Option<RateLimit>,
    /// The operator's folder of plugins.
    pub plugins_dir: Option<PathBuf>,
    /// Which tenants alerts are open to.
    pub rollout: Rollout,
    /// How long things are kept.
    pub retention: Retention,
    /// What carries requests in place of HTTP, for simulations.
    pub transport: Option<Arc<dyn Transport>>,
}

impl Default for EngineConfig {
    /// 1,024 attempts at once: with receivers that take 100 ms, 10,000 deliveries
    /// a second. Needs that many open files; see what starts the host.
    fn default() -> Self {
        Self {
            addresses: AddressRules::default(),
            deadlines: Deadlines::default(),
            max_in_flight: 1024,
            rate_limit: None,
            tenant_rate_limit: None,
            plugins_dir: None,
            rollout: Rollout::Ga,
            retention: Retention::default(),
            transport: None,
        }
    }
}

/// What an engine is made of.
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct EngineParts {
    /// What the operator has set.
    pub config: EngineConfig,
    /// Where everything is kept.
    pub store: Store,
    /// Where plugins run.
    pub sandbox: Sandbox,
    /// The plugins to begin with.
    pub plugins: Plugins,
    /// What seals and opens the endpoints' secrets.
    pub keyring: Keyring,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids, nonces and jitter come from.
    pub entropy: Entropy,
}

/// The engine. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    host: HostId,
    store: Store,
    sandbox: Sandbox,
    plugins: Plugins,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    egress: Egress,
    catalog: Catalog,
    matcher: Matcher,
    dispatcher: Dispatcher,
    rollout: Rollout,
    retention: Retention,
    deferred: Notify,
    timers: Notify,
    backtests: Arc<Semaphore>,
    schema_checks: Turns,
    stop: CancellationToken,
    /// Nothing happens by itself: [`Engine::tick`] does everything.
    is_driven: bool,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("host", &self.0.host).finish_non_exhaustive()
    }
}

impl Engine {
    /// Takes over what an earlier process left, and starts to work.
    pub async fn start(parts: EngineParts) -> Result<Self, EngineError> {
        let folder = parts.config.plugins_dir.clone();
        let engine = Self::assemble(parts, false).await?;
        let mut folder = folder.map(PluginFolder::new);
        if let Some(folder) = &mut folder
            && let Err(error) = engine.look_at_folder(folder, true).await
        {
            tracing::error!(%error, "the plugin folder cannot be read");
        }
        engine.plugins().compiled_ones_are_in().await;
        engine.spawn(engine.clone().keep_plugins(folder));
        engine.spawn(engine.clone().keep_claims());
        engine.spawn(engine.clone().keep_lease());
        engine.spawn(engine.clone().keep_catalog());
        engine.spawn(engine.clone().keep_deferred());
        engine.spawn(engine.clone().keep_timers());
        engine.spawn(engine.clone().keep_retention());
        Ok(engine)
    }

    /// Takes over what an earlier process left, and then does nothing by itself:
    /// [`Self::tick`] does all that the keepers would. For simulations.
    pub async fn start_driven(parts: EngineParts) -> Result<Self, EngineError> {
        Self::assemble(parts, true).await
    }

    async fn assemble(parts: EngineParts, is_driven: bool) -> Result<Self, EngineError> {
        let EngineParts { config, store, sandbox, plugins, keyring, clock, entropy } = parts;
        let now = clock.now();
        let host = entropy.id(now, HostId::new);
        let dispatcher = Dispatcher::new(&config);
        let egress = match config.transport {
            Some(transport) => Egress::over(transport, config.addresses),
            None => Egress::new(config.addresses, config.deadlines)?,
        };
        let engine = Self(Arc::new(Inner {
            host,
            dispatcher,
            egress,
            catalog: Catalog::new(store.clone(), keyring),
            matcher: Matcher {
                sandbox: sandbox.clone(),
                plugins: plugins.clone(),
                store: store.clone(),
            },
            rollout: config.rollout,
            retention: config.retention,
            deferred: Notify::new(),
            timers: Notify::new(),
            backtests: Arc::new(Semaphore::new(BACKTESTS)),
            schema_checks: Turns::default(),
            stop: CancellationToken::new(),
            is_driven,
            store,
            sandbox,
            plugins,
            clock,
            entropy,
        }));
        engine.beat().await?;
        let taken = engine.store().take_over(now, host).await?;
        if taken > 0 {
            tracing::info!(taken, "took up unfinished deliveries");
        }
        engine.follow_grants().await?;
        engine.follow_limits().await?;
        engine.follow_uploads().await?;
        Ok(engine)
    }

    fn spawn(&self, keeper: impl Future<Output = ()> + Send + 'static) {
        let stop = self.0.stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(keeper).await });
    }

    /// Starts nothing more, waits up to `deadline` for what runs, gives back
    /// what waits. What is cut off here is taken up at the next start.
    pub async fn shutdown(&self, deadline: Duration) {
        let give_back = async {
            let now = self.clock().now();
            let jobs = self.dispatcher().close().await;
            // Together, so that they share commits: there may be thousands.
            join_all(jobs.into_iter().map(async |job| {
                let id = job.delivery.id;
                let transition = Transition::Release { at: now, reason: None };
                let released = job.ended(None, transition, now);
                if let Err(error) = self.store().finish(released).await {
                    tracing::warn!(delivery = %id, %error, "not given back; its lease will run out");
                }
            }))
            .await;
        };
        if tokio::time::timeout(deadline, give_back).await.is_err() {
            tracing::warn!(
                "the shutdown deadline passed; unfinished attempts are taken up at the next start"
            );
        }
        self.0.stop.cancel();
        // A lease that ends now lets other hosts go on at once.
        if let Err(error) = self.store().heartbeat(self.host_id(), Timestamp::UNIX_EPOCH).await {
            tracing::warn!(%error, "this host's lease could not be ended early");
        }
        self.store().close().await;
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The sandbox.
    pub fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
    }

    /// The plugins in use.
    pub fn plugins(&self) -> &Plugins {
        &self.0.plugins
    }

    /// The time.
    pub fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    /// Randomness.
    pub fn entropy(&self) -> &Entropy {
        &self.0.entropy
    }

    /// This process's id among the hosts.
    pub fn host_id(&self) -> HostId {
        self.0.host
    }

    pub(crate) fn egress(&self) -> &Egress {
        &self.0.egress
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    pub(crate) fn matcher(&self) -> &Matcher {
        &self.0.matcher
    }

    pub(crate) fn dispatcher(&self) -> &Dispatcher {
        &self.0.dispatcher
    }

    pub(crate) fn rollout(&self) -> Rollout {
        self.0.rollout
    }

    pub(crate) fn retention(&self) -> &Retention {
        &self.0.retention
    }

    pub(crate) fn backtest_turns(&self) -> Arc<Semaphore> {
        self.0.backtests.clone()
    }

    pub(crate) fn schema_checks(&self) -> &Turns {
        &self.0.schema_checks
    }

    pub(crate) fn is_driven(&self) -> bool {
        self.0.is_driven
    }

    pub(crate) fn wake_timers(&self) {
        self.0.timers.notify_one();
    }

    pub(crate) async fn timers_changed(&self) {
        self.0.timers.notified().await;
    }

    pub(crate) fn wake_deferred(&self) {
        self.0.deferred.notify_one();
    }

    pub(crate) async fn deferred_work(&self) {
        self.0.deferred.notified().await;
    }
}
