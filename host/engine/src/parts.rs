//! All parts of an engine, built and tied together. Starts none of them.

use std::sync::Arc;

use alerts_domain::id::HostId;
use alerts_sandbox::Sandbox;
use alerts_store::Store;

use crate::background::lease::Lease;
use crate::background::listing::ListingLoop;
use crate::background::retention::RetentionLoop;
use crate::background::stats::StatsLoop;
use crate::background::strays::Strays;
use crate::background::supervisor::Supervisor;
use crate::background::timers::Timers;
use crate::backtest::Backtests;
use crate::catalog::{Catalog, Endpoints, Loader, Rules, Tenants, Turns};
use crate::clock::Clock;
use crate::config::EngineParts;
use crate::dispatch::{
    Attempts, Bounds, Claims, Deliveries, Dispatcher, Limiters, Ordering, Recorder, TestPlaces,
    TryOut, WorkerNeeds, Workers,
};
use crate::egress::Egress;
use crate::entropy::Entropy;
use crate::error::EngineError;
use crate::intake::{Alerting, ConditionErrors, Deferred, Intake, Matcher};
use crate::mappings::Mappings;
use crate::plugins::Plugins;
use crate::plugins::admin::PluginAdmin;
use crate::stream::Streams;
use crate::trouble::TroubleNotes;
use crate::wakes::Wakes;

/// What an engine consists of.
pub(crate) struct Parts {
    pub(crate) host: HostId,
    pub(crate) store: Store,
    pub(crate) sandbox: Sandbox,
    pub(crate) plugins: Plugins,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) catalog: Catalog,
    pub(crate) endpoints: Endpoints,
    pub(crate) rules: Rules,
    pub(crate) tenants: Tenants,
    pub(crate) plugin_admin: PluginAdmin,
    pub(crate) intake: Intake,
    pub(crate) mappings: Mappings,
    pub(crate) deferred: Deferred,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) workers: Workers,
    pub(crate) limiters: Limiters,
    pub(crate) claims: Claims,
    pub(crate) deliveries: Deliveries,
    pub(crate) try_out: TryOut,
    pub(crate) backtests: Backtests,
    pub(crate) lease: Lease,
    pub(crate) strays: Strays,
    pub(crate) condition_errors: ConditionErrors,
    pub(crate) trouble: TroubleNotes,
    pub(crate) timers: Timers,
    pub(crate) retention: RetentionLoop,
    pub(crate) stats: StatsLoop,
    pub(crate) listing: ListingLoop,
    pub(crate) streams: Streams,
    pub(crate) supervisor: Supervisor,
}

impl Parts {
    /// Each part is given what it needs, so that this reads as a map of the engine.
    pub(crate) fn build(parts: EngineParts, is_driven: bool) -> Result<Self, EngineError> {
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
        let run_link = config.run_link.map(Arc::new);
        let catalog = Catalog::new(Loader {
            store: store.clone(),
            keyring: Arc::new(keyring),
            rollout: config.rollout,
            tenant_rate_limit: config.tenant_rate_limit,
        });
        let bounds = Bounds { in_flight: config.max_in_flight, rate: config.rate_limit };
        let trouble = TroubleNotes::default();
        let dispatcher = Dispatcher::new(bounds, wakes.clone());
        let recorder = Recorder {
            store: store.clone(),
            catalog: catalog.clone(),
            clock: clock.clone(),
            wakes: wakes.clone(),
            trouble: trouble.clone(),
        };
        let attempts = Arc::new(Attempts {
            catalog: catalog.clone(),
            plugins: plugins.clone(),
            sandbox: sandbox.clone(),
            egress: egress.clone(),
            ordering: Ordering {
                store: store.clone(),
                sandbox: sandbox.clone(),
                clock: clock.clone(),
            },
            clock: clock.clone(),
            entropy: entropy.clone(),
            run_link: run_link.clone(),
        });
        let limiters =
            Limiters::new(store.clone(), dispatcher.clone(), clock.clone(), config.rate_limit);
        let workers = Workers::new(WorkerNeeds {
            dispatcher: dispatcher.clone(),
            catalog: catalog.clone(),
            attempts: attempts.clone(),
            recorder: recorder.clone(),
            limiters: limiters.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            is_driven,
        });
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
            trouble: trouble.clone(),
        };
        let alerting = Alerting {
            host,
            dispatcher: dispatcher.clone(),
            plugins: plugins.clone(),
            entropy: entropy.clone(),
        };
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
            run_link,
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
            endpoints: endpoints.clone(),
            plugins: plugins.clone(),
            sandbox: sandbox.clone(),
            egress,
            dispatcher: dispatcher.clone(),
            attempts,
            recorder,
            test_places: TestPlaces::default(),
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
        let stats = StatsLoop::new(store.clone());
        let listing = ListingLoop { store: store.clone() };
        let streams = Streams::new(store.clone(), host);
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
            trouble,
            backtests: Backtests::new(store.clone(), matcher, rules.clone(), clock.clone()),
            supervisor: Supervisor::new(clock.clone()),
            mappings: Mappings { plugins: plugins.clone(), sandbox: sandbox.clone() },
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
            stats,
            listing,
            streams,
        })
    }
}
