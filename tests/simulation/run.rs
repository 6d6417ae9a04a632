//! One run: the plan's steps, one after another, on real hosts with a real
//! database; after each, what was made is held against the model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::id::{DeliveryId, EndpointId, EventId, RuleId};
use alerts_domain::tenant::TenantId;
use alerts_engine::{Clock as _, ManualClock};
use alerts_store::Store;

use crate::database::Database;
use crate::faults::Outage;
use crate::hosts::{Ground, Host};
use crate::model::{Key, Model, Time};
use crate::observe::Seen;
use crate::plan::{MINUTE, Ms, Plan, Step, TENANTS};
use crate::random::Random;
use crate::trace::Trace;
use crate::world::World;

/// Longer than a host's lease.
pub(crate) const PAST_THE_LEASE: Duration = Duration::from_secs(31);

pub(crate) struct Run<'a> {
    pub(crate) ground: &'a Ground,
    pub(crate) plan: &'a Plan,
    pub(crate) trace: Trace,
    pub(crate) seed: u64,
    pub(crate) random: Random,
    pub(crate) world: World,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) database: Database,
    /// Of the one who looks; on SQLite it is that of the hosts too.
    pub(crate) store: Store,
    /// By place.
    pub(crate) hosts: Vec<Option<Host>>,
    /// The place of each host that was made, by its number less one.
    pub(crate) places: Vec<usize>,
    /// The places of hosts that an outage keeps from starting, and whether they
    /// have their condition language.
    pub(crate) held_up: BTreeMap<usize, bool>,
    pub(crate) model: Model<'a>,
    pub(crate) endpoints: Vec<EndpointId>,
    pub(crate) rules: Vec<RuleId>,
    pub(crate) accepted: BTreeMap<EventId, usize>,
    /// Facts for which emitters got no answer, or a refusal.
    pub(crate) untold: Vec<usize>,
    pub(crate) seen: BTreeMap<DeliveryId, Seen>,
    pub(crate) kept: BTreeSet<Key>,
    pub(crate) canceled: BTreeSet<DeliveryId>,
    pub(crate) crashes: usize,
    /// What the database refuses now.
    pub(crate) outage: Option<Outage>,
    /// How many there were.
    pub(crate) outages: usize,
    /// A host has switched a rule off, and others may not know.
    pub(crate) is_news: bool,
    /// A host that others have taken for dead.
    pub(crate) forgotten: Option<usize>,
}

pub(crate) fn origin() -> Timestamp {
    "2026-01-31T00:00:00Z".parse().unwrap()
}

pub(crate) fn moment(at: Ms) -> Timestamp {
    origin() + Duration::from_millis(at)
}

pub(crate) fn tenant(number: usize) -> TenantId {
    TenantId::new(TENANTS[number]).unwrap()
}

impl<'a> Run<'a> {
    /// Starts the hosts, and makes endpoints and rules.
    pub(crate) async fn start(
        ground: &'a Ground,
        plan: &'a Plan,
        seed: u64,
        database: Database,
        trace: Trace,
    ) -> Self {
        let mut random = plan.random.clone();
        let clock = Arc::new(ManualClock::new(origin()));
        let world = World::new(random.split(), &plan.endpoints, plan.disturbances, clock.clone());
        let store = Store::open(database.url()).await.unwrap();
        let mut run = Self {
            ground,
            plan,
            trace,
            seed,
            random,
            world,
            clock,
            database,
            store,
            hosts: Vec::new(),
            places: Vec::new(),
            held_up: BTreeMap::new(),
            model: Model::new(plan),
            endpoints: Vec::new(),
            rules: Vec::new(),
            accepted: BTreeMap::new(),
            untold: Vec::new(),
            seen: BTreeMap::new(),
            kept: BTreeSet::new(),
            canceled: BTreeSet::new(),
            crashes: 0,
            outage: None,
            outages: 0,
            is_news: false,
            forgotten: None,
        };
        run.trace.note(format!("{:?}", plan.disturbances));
        for place in 0..plan.disturbances.hosts {
            let host = run.new_host(place, true).await.unwrap();
            run.hosts.push(Some(host));
        }
        run.make_resources().await;
        run
    }

    /// By the clock of the hosts.
    pub(crate) fn now(&self) -> Time {
        self.clock.now().duration_since(origin()).as_millis() as Time
    }

    pub(crate) fn note(&self, line: String) {
        self.trace.note(format!("{:>8} {:>9} {line}", self.model.doing, self.now()));
    }

    /// The adapter that all deliveries go through.
    pub(crate) fn ground_digest(&self) -> String {
        self.ground.target.digest().to_string()
    }

    /// Every event that a host has answered for.
    pub(crate) fn accepted_events(&self) -> impl Iterator<Item = (EventId, TenantId)> {
        let facts = &self.plan.facts;
        self.accepted.iter().map(|(id, fact)| (*id, tenant(facts[*fact].tenant)))
    }

    /// The plan, to its end; then all faults end, and everything comes to rest.
    pub(crate) async fn go(&mut self) {
        let mut at = 0;
        for (step_at, step) in &self.plan.steps {
            self.clock.advance(Duration::from_millis(step_at - at));
            at = *step_at;
            self.world.set_now(at);
            self.step(step).await;
        }
        self.come_to_rest().await;
    }

    async fn step(&mut self, step: &Step) {
        self.note(format!("{step:?}"));
        match step {
            Step::Tell(facts) => self.tell_someone(facts).await,
            Step::Tick => self.tick_some().await,
            Step::Crash { loses_language } => {
                if let Some(host) = self.any_living() {
                    self.crash(host);
                    if *loses_language {
                        self.restart(host, false).await;
                    }
                }
            }
            Step::Restart => {
                if let Some(host) = (0..self.hosts.len()).find(|host| self.hosts[*host].is_none()) {
                    self.restart(host, true).await;
                }
            }
            Step::MendLanguage => self.mend_language(),
            Step::Outage(outage) => self.break_database(*outage).await,
            Step::MendDatabase => self.recover().await,
            Step::Deadlocks(victims) => self.database.deadlock(*victims).await,
            Step::SetClock(by) => {
                let by_ms = Duration::from_millis(by.unsigned_abs());
                if *by > 0 { self.clock.advance(by_ms) } else { self.clock.set_back(by_ms) }
            }
            change => {
                if let Some(host) = self.any_living() {
                    self.change(host, change).await;
                    for other in self.living() {
                        if other != host && self.hosts[other].is_some() {
                            self.tick(other).await;
                        }
                    }
                }
            }
        }
    }

    async fn tick_some(&mut self) {
        if self.outage.is_some() && self.random.percent(20) {
            self.recover().await;
        }
        let is_calm = self.outage.is_none() && self.living().len() > 1;
        if self.database.is_shared() && is_calm && self.random.percent(50) {
            self.tick_together().await;
            return;
        }
        for host in self.living() {
            // Not all at every moment.
            if self.random.percent(80) && self.hosts[host].is_some() {
                self.tick(host).await;
            }
        }
    }

    async fn come_to_rest(&mut self) {
        self.note("all faults end".to_owned());
        self.world.heal();
        self.recover().await;
        if self.living().is_empty() {
            self.restart(0, true).await;
        }
        let host = self.living()[0];
        self.spread_news().await;
        self.tell_again(host).await;
        self.step(&Step::MendLanguage).await;
        if let Some(days) = self.plan.disturbances.absence_days {
            self.stay_away(days).await;
        }
        let host = self.living()[0];
        for endpoint in 0..self.endpoints.len() {
            self.change(host, &Step::SwitchEndpoint(endpoint, true)).await;
        }
        for _ in 0..60 {
            self.clock.advance(Duration::from_millis(5 * MINUTE));
            for host in self.living() {
                self.tick(host).await;
            }
            let is_final = self.seen.values().all(|seen| seen.delivery.status.is_terminal());
            if is_final && self.store.next_timer().await.unwrap().is_none() {
                return;
            }
        }
        let left = self.seen.values().filter(|seen| !seen.delivery.status.is_terminal());
        let (left, timer) = (left.collect::<Vec<_>>(), self.store.next_timer().await);
        panic!("five hours after the last fault there is left: {left:?}, timer {timer:?}");
    }
}
