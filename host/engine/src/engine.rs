//! The engine: builds its parts, starts them, and stops them. What it does is done
//! by the parts.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::id::{EndpointId, HostId};
use alerts_domain::quota::Quotas;
use alerts_sandbox::Sandbox;
use alerts_store::Store;
use futures_util::future::join_all;
use tokio_util::task::TaskTracker;

use crate::background::catalog::CatalogLoop;
use crate::background::claims::ClaimLoop;
use crate::background::deferred::DeferredLoop;
use crate::background::lease::Lease;
use crate::background::limiters::LimiterLoop;
use crate::background::plugins::PluginLoop;
use crate::background::retention::RetentionLoop;
use crate::background::strays::Strays;
use crate::background::supervisor::Supervisor;
use crate::background::timers::{TimerLoop, Timers};
use crate::backtest::Backtests;
use crate::catalog::{Catalog, Endpoints, Loader, Rules, Tenants, Turns};
use crate::clock::Clock;
use crate::config::EngineParts;
use crate::dispatch::{
    Attempts, Bounds, Circuit, Claims, Deliveries, Dispatcher, Limiters, Recorder, TryOut, Workers,
};
use crate::egress::Egress;
use crate::entropy::Entropy;
use crate::error::EngineError;
use crate::health::Trouble;
use crate::intake::{Alerting, ConditionErrors, Deferred, Intake, Matcher};
use crate::plugins::Plugins;
use crate::plugins::admin::PluginAdmin;
use crate::plugins::folder::PluginFolder;
use crate::wakes::Wakes;

/// The engine. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    host: HostId,
    store: Store,
    sandbox: Sandbox,
    plugins: Plugins,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    catalog: Catalog,
    endpoints: Endpoints,
    rules: Rules,
    tenants: Tenants,
    plugin_admin: PluginAdmin,
    intake: Intake,
    deferred: Deferred,
    dispatcher: Dispatcher,
    workers: Workers,
    limiters: Limiters,
    claims: Claims,
    deliveries: Deliveries,
    try_out: TryOut,
    backtests: Backtests,
    lease: Lease,
    strays: Strays,
    condition_errors: ConditionErrors,
    timers: Timers,
    retention: RetentionLoop,
    supervisor: Supervisor,
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
            && let Err(error) = engine.0.plugin_admin.look_at_folder(folder, true).await
        {
            tracing::error!(%error, "the plugin folder cannot be read");
        }
        engine.plugins().compiled_ones_are_in().await;
        engine.start_loops(folder);
        Ok(engine)
    }

    /// Takes over what an earlier process left, and then does nothing by itself:
    /// [`Self::tick`] does all that the background loops would. For simulations.
    pub async fn start_driven(parts: EngineParts) -> Result<Self, EngineError> {
        Self::assemble(parts, true).await
    }

    async fn assemble(parts: EngineParts, is_driven: bool) -> Result<Self, EngineError> {
        let engine = Self(Arc::new(Inner::build(parts, is_driven)?));
        let Inner { host, store, clock, lease, limiters, plugin_admin, .. } = &*engine.0;
        lease.beat().await?;
        let taken = store.take_over(clock.now(), *host).await?;
        if taken > 0 {
            tracing::info!(taken, "took up unfinished deliveries");
        }
        limiters.restore().await?;
        plugin_admin.follow_grants().await?;
        plugin_admin.follow_limits().await?;
        plugin_admin.follow_uploads().await?;
        Ok(engine)
    }

    fn start_loops(&self, folder: Option<PluginFolder>) {
        let Inner { store, clock, catalog, supervisor, .. } = &*self.0;
        let is_shared = store.is_shared();
        if folder.is_some() || is_shared {
            supervisor.start(PluginLoop { admin: self.0.plugin_admin.clone(), folder, is_shared });
        }
        supervisor.start(CatalogLoop {
            catalog: catalog.clone(),
            is_shared,
            clock: clock.clone(),
            wakes: self.0.claims.wakes.clone(),
        });
        supervisor.start(ClaimLoop::new(self.0.claims.clone(), self.0.workers.clone()));
        supervisor.start(self.0.lease.clone());
        supervisor.start(self.0.strays.clone());
        supervisor.start(self.0.condition_errors.clone());
        supervisor.start(LimiterLoop { limiters: self.0.limiters.clone(), clock: clock.clone() });
        supervisor.start(DeferredLoop::new(self.0.deferred.clone()));
        supervisor.start(TimerLoop::new(self.0.timers.clone()));
        supervisor.start(self.0.retention.clone());
    }

    /// Starts nothing more, waits up to `deadline` for what runs, gives back
    /// what waits. What is cut off here is taken up at the next start.
    pub async fn shutdown(&self, deadline: Duration) {
        let give_back = async {
            let now = self.clock().now();
            let jobs = self.0.dispatcher.close().await;
            // Together, so that they share commits: there may be thousands.
            join_all(jobs.into_iter().map(async |job| {
                let id = job.delivery.id;
                let (released, _hold) = job.given_back(now, now);
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
        self.0.supervisor.stop();
        if let Err(error) = self.0.limiters.keep().await {
            tracing::warn!(%error, "rate limiters were not written down; a restart may forget them");
        }
        if let Err(error) = self.0.lease.end().await {
            tracing::warn!(%error, "this host's lease could not be ended early");
        }
        self.store().close().await;
    }

    /// How much of each thing one tenant may have.
    pub fn quotas(&self) -> &Quotas {
        &self.0.rules.quotas
    }

    /// What keeps this host from doing all of its work; nothing when all is well.
    pub fn health(&self) -> Vec<Trouble> {
        let Inner { supervisor, lease, .. } = &*self.0;
        lease.trouble().into_iter().chain(supervisor.troubles()).collect()
    }

    /// The way in for events.
    pub fn intake(&self) -> &Intake {
        &self.0.intake
    }

    /// The endpoints, to be changed.
    pub fn endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    /// The rules, to be changed.
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// The tenants, to be decided about.
    pub fn tenants(&self) -> &Tenants {
        &self.0.tenants
    }

    /// The deliveries, to be sent again, tried now or canceled.
    pub fn deliveries(&self) -> &Deliveries {
        &self.0.deliveries
    }

    /// Test alerts and previews.
    pub fn try_out(&self) -> &TryOut {
        &self.0.try_out
    }

    /// Draft rules on stored events.
    pub fn backtests(&self) -> &Backtests {
        &self.0.backtests
    }

    /// The plugins, to be changed.
    pub fn plugin_admin(&self) -> &PluginAdmin {
        &self.0.plugin_admin
    }

    /// The plugins in use.
    pub fn plugins(&self) -> &Plugins {
        &self.0.plugins
    }

    /// Whether alerts are sent to this endpoint now, as this host sees it.
    pub fn circuit(&self, endpoint: EndpointId) -> Circuit {
        self.0.dispatcher.circuit(endpoint)
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The sandbox.
    pub fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
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

    /// What a tick drives.
    pub(crate) fn driven_parts(&self) -> DrivenParts<'_> {
        let Inner {
            clock,
            lease,
            strays,
            condition_errors,
            dispatcher,
            catalog,
            deferred,
            timers,
            claims,
            workers,
            limiters,
            retention,
            ..
        } = &*self.0;
        DrivenParts {
            clock: clock.as_ref(),
            lease,
            strays,
            condition_errors,
            dispatcher,
            catalog,
            deferred,
            timers,
            claims,
            workers,
            limiters,
            retention,
        }
    }
}

/// The parts that background loops drive, for a tick that does so in their place.
pub(crate) struct DrivenParts<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) lease: &'a Lease,
    pub(crate) strays: &'a Strays,
    pub(crate) condition_errors: &'a ConditionErrors,
    pub(crate) dispatcher: &'a Dispatcher,
    pub(crate) catalog: &'a Catalog,
    pub(crate) deferred: &'a Deferred,
    pub(crate) timers: &'a Timers,
    pub(crate) claims: &'a Claims,
    pub(crate) workers: &'a Workers,
    pub(crate) limiters: &'a Limiters,
    pub(crate) retention: &'a RetentionLoop,
}

impl Inner {
    /// Each part is given what it needs, so that this reads as a map of the engine.
    fn build(parts: EngineParts, is_driven: bool) -> Result<Self, EngineError> {
        let EngineParts { config, store, sandbox, plugins, keyring, clock, entropy } = parts;
        let host = entropy.id(clock.now(), HostId::new);
        let (entropy, wakes) = (Arc::new(entropy), Wakes::default());
        let addresses = config.addresses.clone();
        let egress = match config.transport {
            Some(transport) => Egress::over(transport, config.addresses),
            None => {
                Egress::with_name_servers(config.addresses, config.deadlines, &config.name_servers)?
            }
        };
        let catalog = Catalog::new(Loader {
            store: store.clone(),
            keyring: Arc::new(keyring),
            rollout: config.rollout,
            tenant_rate_limit: config.tenant_rate_limit,
        });
        let bounds = Bounds { in_flight: config.max_in_flight, rate: config.rate_limit };
        let dispatcher = Dispatcher::new(bounds, wakes.clone());
        let recorder = Recorder {
            store: store.clone(),
            catalog: catalog.clone(),
            clock: clock.clone(),
            wakes: wakes.clone(),
            giving_back: TaskTracker::new(),
        };
        let attempts = Arc::new(Attempts {
            catalog: catalog.clone(),
            plugins: plugins.clone(),
            sandbox: sandbox.clone(),
            egress: egress.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        });
        let limiters =
            Limiters::new(store.clone(), dispatcher.clone(), clock.clone(), config.rate_limit);
        let workers = Workers::new(
            dispatcher.clone(),
            catalog.clone(),
            attempts.clone(),
            recorder.clone(),
            limiters.clone(),
            clock.clone(),
            entropy.clone(),
            is_driven,
        );
        let claims = Claims {
            host,
            store: store.clone(),
            catalog: catalog.clone(),
            plugins: plugins.clone(),
            dispatcher: dispatcher.clone(),
            recorder: recorder.clone(),
            clock: clock.clone(),
            wakes: wakes.clone(),
        };
        let condition_errors = ConditionErrors::new(store.clone());
        let matcher = Matcher {
            sandbox: sandbox.clone(),
            plugins: plugins.clone(),
            errors: condition_errors.clone(),
        };
        let alerting = Alerting { host, dispatcher: dispatcher.clone(), entropy: entropy.clone() };
        let intake = Intake {
            store: store.clone(),
            catalog: catalog.clone(),
            matcher: matcher.clone(),
            alerting: alerting.clone(),
            dispatcher: dispatcher.clone(),
            workers: workers.clone(),
            recorder: recorder.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            wakes: wakes.clone(),
        };
        let deferred = Deferred {
            store: store.clone(),
            catalog: catalog.clone(),
            matcher: matcher.clone(),
            alerting: alerting.clone(),
            clock: clock.clone(),
            wakes: wakes.clone(),
        };
        let timers = Timers {
            store: store.clone(),
            catalog: catalog.clone(),
            matcher: matcher.clone(),
            alerting,
            dispatcher: dispatcher.clone(),
            clock: clock.clone(),
            wakes: wakes.clone(),
        };
        let endpoints = Endpoints {
            store: store.clone(),
            catalog: catalog.clone(),
            plugins: plugins.clone(),
            sandbox: sandbox.clone(),
            egress: egress.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            schema_checks: Arc::new(Turns::default()),
            quotas: config.quotas,
            wakes: wakes.clone(),
        };
        let rules = Rules {
            store: store.clone(),
            catalog: catalog.clone(),
            plugins: plugins.clone(),
            sandbox: sandbox.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            wakes: wakes.clone(),
            quotas: config.quotas,
        };
        let tenants = Tenants {
            store: store.clone(),
            catalog: catalog.clone(),
            clock: clock.clone(),
            wakes: wakes.clone(),
        };
        let try_out = TryOut {
            host,
            store: store.clone(),
            catalog: catalog.clone(),
            plugins: plugins.clone(),
            sandbox: sandbox.clone(),
            egress,
            dispatcher: dispatcher.clone(),
            attempts,
            recorder,
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let deliveries = Deliveries {
            store: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            wakes: wakes.clone(),
        };
        let plugin_admin = PluginAdmin {
            store: store.clone(),
            sandbox: sandbox.clone(),
            plugins: plugins.clone(),
            clock: clock.clone(),
            addresses,
        };
        let retention = RetentionLoop {
            store: store.clone(),
            clock: clock.clone(),
            retention: config.retention,
        };
        Ok(Self {
            lease: Lease::new(
                host,
                store.clone(),
                dispatcher.clone(),
                clock.clone(),
                wakes.clone(),
            ),
            strays: Strays::new(host, store.clone(), dispatcher.clone(), clock.clone(), wakes),
            condition_errors,
            backtests: Backtests::new(store.clone(), matcher, rules.clone(), clock.clone()),
            supervisor: Supervisor::new(clock.clone()),
            host,
            store,
            sandbox,
            plugins,
            clock,
            entropy,
            catalog,
            endpoints,
            rules,
            tenants,
            plugin_admin,
            intake,
            deferred,
            dispatcher,
            workers,
            limiters,
            claims,
            deliveries,
            try_out,
            timers,
            retention,
        })
    }
}
