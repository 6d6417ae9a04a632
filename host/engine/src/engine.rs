//! The engine: starts its parts and stops them. What it does is done by the parts.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use alerts_domain::id::{EndpointId, HostId};
use alerts_domain::quota::Quotas;
use alerts_sandbox::Sandbox;
use alerts_store::Store;
use futures_util::future::join_all;

use crate::background::catalog::CatalogLoop;
use crate::background::claims::ClaimLoop;
use crate::background::deferred::DeferredLoop;
use crate::background::limiters::LimiterLoop;
use crate::background::plugins::PluginLoop;
use crate::background::supervisor::BackgroundLoop;
use crate::background::timers::TimerLoop;
use crate::background::trouble::TroubleLoop;
use crate::backtest::Backtests;
use crate::catalog::{Endpoints, Rules, Tenants};
use crate::clock::Clock;
use crate::config::EngineParts;
use crate::dispatch::{CircuitState, Deliveries, TryOut};
use crate::entropy::Entropy;
use crate::error::EngineError;
use crate::health::Trouble;
use crate::intake::Intake;
use crate::mappings::Mappings;
use crate::parts::Parts;
use crate::plugins::Plugins;
use crate::plugins::admin::PluginAdmin;
use crate::plugins::folder::PluginFolder;
use crate::stream::{StreamLoop, Streams};

/// The engine. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Engine(Arc<Parts>);

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("host", &self.0.host).finish_non_exhaustive()
    }
}

impl Engine {
    /// Takes over what an earlier process left, and starts to work.
    pub async fn start(parts: EngineParts) -> Result<Self, EngineError> {
        let (folder, builtin) = (parts.config.plugins_dir.clone(), parts.config.builtin);
        let engine = Self::assemble(parts, false).await?;
        engine.0.plugin_admin.admit_builtin(builtin);
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
        let engine = Self(Arc::new(Parts::build(parts, is_driven)?));
        let Parts { host, store, clock, lease, limiters, plugin_admin, .. } = &*engine.0;
        lease.beat().await?;
        let taken = store.take_over(clock.now(), *host).await?;
        if taken > 0 {
            tracing::info!(taken, "took up unfinished deliveries");
        }
        limiters.restore().await?;
        if store.is_shared() {
            store.follow_watches(clock.now()).await?;
        }
        plugin_admin.follow_grants().await?;
        plugin_admin.follow_limits().await?;
        plugin_admin.follow_uploads().await?;
        Ok(engine)
    }

    fn start_loops(&self, folder: Option<PluginFolder>) {
        let Parts { store, clock, catalog, supervisor, .. } = &*self.0;
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
        supervisor.start(TroubleLoop {
            host: self.0.host,
            notes: self.0.trouble.clone(),
            intake: self.0.intake.clone(),
            catalog: catalog.clone(),
            dispatcher: self.0.dispatcher.clone(),
            plugins: self.0.plugins.clone(),
            clock: clock.clone(),
            resting: HashMap::new(),
            waiting: VecDeque::new(),
        });
        supervisor.start(LimiterLoop { limiters: self.0.limiters.clone(), clock: clock.clone() });
        supervisor.start(DeferredLoop::new(self.0.deferred.clone()));
        supervisor.start(TimerLoop::new(self.0.timers.clone()));
        supervisor.start(self.0.retention.clone());
        supervisor.start(self.0.stats.clone());
        supervisor.start(self.0.listing.clone());
        let Parts { streams, host, .. } = &*self.0;
        let (streams, store, clock) = (streams.clone(), store.clone(), clock.clone());
        supervisor.start(StreamLoop::new(streams, store, *host, clock));
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
        let Parts { supervisor, lease, .. } = &*self.0;
        let troubles = lease.trouble().into_iter().chain(supervisor.troubles());
        troubles.chain(self.plugins().troubles()).collect()
    }

    /// Runs a loop of the floor above beside the engine's own, until [`Self::shutdown`].
    pub fn run(&self, the_loop: impl BackgroundLoop) {
        self.0.supervisor.start(the_loop);
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

    /// What happens, for those who watch.
    pub fn streams(&self) -> &Streams {
        &self.0.streams
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
    pub fn circuit(&self, endpoint: EndpointId) -> CircuitState {
        self.0.dispatcher.circuit(endpoint)
    }

    /// Expressions that make values of what other programs send.
    pub fn mappings(&self) -> &Mappings {
        &self.0.mappings
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

    /// All parts, for a tick that drives them in place of the loops.
    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }
}
