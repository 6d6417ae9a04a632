//! One run: the plan's steps, one after another, on real hosts with a real
//! database; after each, what was made is held against the model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::delivery::{Delivery, DeliveryStatus};
use alerts_domain::endpoint::EndpointSpec;
use alerts_domain::event::Event;
use alerts_domain::header::Headers;
use alerts_domain::id::{DeliveryId, EndpointId, EventId, RuleId};
use alerts_domain::keyring::Keyring;
use alerts_domain::rule::{EventTypePattern, RuleSpec};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{DurationTrigger, Trigger};
use alerts_engine::{
    Actor, Clock as _, EndpointDraft, EndpointPatch, Engine, EngineConfig, EngineParts, Entropy,
    ManualClock, PluginSource, Plugins, RulePatch,
};
use alerts_sandbox::{Plugin, Sandbox};
use alerts_store::{DeliveryChange, DeliveryFilter, FinishOutcome, Store};
use serde_json::{Value, json};

use crate::model::{Key, Model, Time};
use crate::plan::{Fact, MINUTE, Ms, Plan, Step, TENANTS};
use crate::random::Random;
use crate::world::{Fate, Interrupt, World};

/// Longer than a host's lease.
const PAST_THE_LEASE: Duration = Duration::from_secs(31);

/// What all runs of a process share.
pub(crate) struct Ground {
    pub(crate) sandbox: Sandbox,
    pub(crate) target: Arc<Plugin>,
    pub(crate) language: Arc<Plugin>,
}

/// What happened, line by line. Cheap to clone; outlives a run that panics.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    fn note(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A delivery as it was last seen.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) delivery: Delivery,
    pub(crate) key: Key,
}

struct Host {
    engine: Engine,
    plugins: Plugins,
    has_language: bool,
}

pub(crate) struct Run<'a> {
    ground: &'a Ground,
    pub(crate) plan: &'a Plan,
    trace: Trace,
    seed: u64,
    random: Random,
    pub(crate) world: World,
    clock: Arc<ManualClock>,
    pub(crate) store: Store,
    hosts: Vec<Option<Host>>,
    hosts_made: usize,
    /// By place: which host stands there, or stood there last.
    numbers: Vec<usize>,
    pub(crate) model: Model<'a>,
    pub(crate) endpoints: Vec<EndpointId>,
    pub(crate) rules: Vec<RuleId>,
    accepted: BTreeMap<EventId, usize>,
    told_while_down: Vec<usize>,
    pub(crate) seen: BTreeMap<DeliveryId, Seen>,
    kept: BTreeSet<Key>,
    pub(crate) canceled: BTreeSet<DeliveryId>,
    pub(crate) crashes: usize,
    /// A host has switched a rule off, and others may not know.
    is_news: bool,
    /// A host that others have taken for dead.
    forgotten: Option<usize>,
}

pub(crate) fn origin() -> Timestamp {
    "2026-01-31T00:00:00Z".parse().unwrap()
}

fn moment(at: Ms) -> Timestamp {
    origin() + Duration::from_millis(at)
}

pub(crate) fn tenant(number: usize) -> TenantId {
    TenantId::new(TENANTS[number]).unwrap()
}

fn actor(number: usize) -> Actor {
    Actor { tenant: tenant(number), name: "simulation".to_owned() }
}

impl<'a> Run<'a> {
    /// Starts the hosts, and makes endpoints and rules.
    pub(crate) async fn start(
        ground: &'a Ground,
        plan: &'a Plan,
        seed: u64,
        database: &Path,
        trace: Trace,
    ) -> Self {
        let mut random = plan.random.clone();
        let clock = Arc::new(ManualClock::new(origin()));
        let world = World::new(random.split(), &plan.endpoints, plan.disturbances, clock.clone());
        let mut run = Self {
            ground,
            plan,
            trace,
            seed,
            random,
            world,
            clock: clock.clone(),
            store: Store::open(&format!("sqlite://{}", database.display())).await.unwrap(),
            hosts: Vec::new(),
            hosts_made: 0,
            numbers: Vec::new(),
            model: Model::new(plan),
            endpoints: Vec::new(),
            rules: Vec::new(),
            accepted: BTreeMap::new(),
            told_while_down: Vec::new(),
            seen: BTreeMap::new(),
            kept: BTreeSet::new(),
            canceled: BTreeSet::new(),
            crashes: 0,
            is_news: false,
            forgotten: None,
        };
        run.trace.note(format!("{:?}", plan.disturbances));
        for _ in 0..plan.disturbances.hosts {
            let host = run.new_host(true).await;
            run.hosts.push(Some(host));
            run.numbers.push(run.hosts_made);
        }
        run.make_resources().await;
        run
    }

    async fn new_host(&mut self, has_language: bool) -> Host {
        let plugins = Plugins::default();
        plugins.insert(PluginSource::BuiltIn, self.ground.target.clone());
        if has_language {
            plugins.insert(PluginSource::BuiltIn, self.ground.language.clone());
        }
        self.hosts_made += 1;
        let config = EngineConfig {
            addresses: AddressRules::new(vec!["127.0.0.0/8".parse().unwrap()]),
            transport: Some(self.world.transport(self.hosts_made)),
            ..EngineConfig::default()
        };
        let key: [u8; 32] = std::array::from_fn(|index| index as u8);
        let entropy = Entropy::from_seed(self.seed.wrapping_mul(64) + self.hosts_made as u64);
        let engine = Engine::start_driven(EngineParts {
            config,
            store: self.store.clone(),
            sandbox: self.ground.sandbox.clone(),
            plugins: plugins.clone(),
            keyring: Keyring::parse(&Keyring::generate("test", key)).unwrap(),
            clock: self.clock.clone(),
            entropy,
        });
        Host { engine: engine.await.unwrap(), plugins, has_language }
    }

    async fn make_resources(&mut self) {
        let engine = self.engine(0);
        for (number, endpoint) in self.plan.endpoints.iter().enumerate() {
            let spec = EndpointSpec {
                name: format!("endpoint {number}"),
                target_url: format!("http://127.0.0.1:9/t/{number}"),
                target: EndpointSpec::DEFAULT_TARGET.to_owned(),
                settings: serde_json::Map::new(),
                headers: Headers::default(),
                is_active: true,
                include_event_data: false,
                rate_limit: endpoint.rate_limit,
                gone_after: endpoint.gone_after,
            };
            let draft = EndpointDraft { spec, signing_secret: None, secrets: BTreeMap::new() };
            let made = engine.create_endpoint(&actor(endpoint.tenant), draft).await.unwrap();
            self.endpoints.push(made.endpoint.id);
        }
        for (number, rule) in self.plan.rules.iter().enumerate() {
            let condition = rule.condition.map(|condition| alerts_domain::condition::Condition {
                language: "cel".to_owned(),
                source: condition.source.to_owned(),
            });
            let spec = RuleSpec {
                name: format!("rule {number}"),
                event_type: EventTypePattern::new(rule.event_type).unwrap(),
                condition,
                webhook_endpoint_id: self.endpoints[rule.endpoint],
                trigger: rule.trigger.clone(),
                retry_policy: rule.retry,
                rate_limit: rule.rate_limit,
                is_active: true,
            };
            let made = engine.create_rule(&actor(rule.tenant), spec).await.unwrap();
            self.rules.push(made.id);
        }
        // The others learn of it, as they do within a second.
        for host in 0..self.hosts.len() {
            self.tick(host).await;
        }
    }

    fn engine(&self, host: usize) -> Engine {
        self.hosts[host].as_ref().unwrap().engine.clone()
    }

    fn now(&self) -> Time {
        self.clock.now().duration_since(origin()).as_millis() as Time
    }

    fn living(&self) -> Vec<usize> {
        (0..self.hosts.len()).filter(|host| self.hosts[*host].is_some()).collect()
    }

    fn any_living(&mut self) -> Option<usize> {
        let living = self.living();
        (!living.is_empty()).then(|| self.random.pick(&living))
    }

    fn note(&self, line: String) {
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
            Step::Tell(facts) => {
                self.spread_news().await;
                // Rather the one whose lease is over and who does not know it yet.
                let forgotten = self.forgotten.take().filter(|host| self.hosts[*host].is_some());
                match forgotten.or(self.any_living()) {
                    Some(host) => {
                        self.tell(host, facts).await;
                        if forgotten.is_some() && self.random.percent(40) {
                            self.note(format!("  host {host} dies before it beats again"));
                            self.crash(host);
                        }
                    }
                    None => self.told_while_down.extend(facts),
                }
            }
            Step::Tick => {
                for host in self.living() {
                    // Not all at every moment.
                    if self.random.percent(80) && self.hosts[host].is_some() {
                        self.tick(host).await;
                    }
                }
            }
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
            Step::MendLanguage => {
                for host in self.hosts.iter_mut().flatten() {
                    host.plugins.insert(PluginSource::BuiltIn, self.ground.language.clone());
                    host.has_language = true;
                }
            }
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

    /// Hosts learn within a second that another one has switched a rule off;
    /// here, before they are told of anything.
    async fn spread_news(&mut self) {
        if std::mem::take(&mut self.is_news) {
            for host in self.living() {
                self.tick(host).await;
            }
        }
    }

    async fn tell(&mut self, host: usize, facts: &[usize]) {
        self.model.doing += 1;
        let events = facts.iter().map(|fact| {
            let fact = &self.plan.facts[*fact];
            (tenant(fact.tenant), event(fact))
        });
        let accepted = self.engine(host).accept(events.collect()).await.unwrap();
        let has_language = self.hosts[host].as_ref().unwrap().has_language;
        for (fact, accepted) in facts.iter().zip(accepted) {
            let was_known = self.model.accept(*fact, self.now(), has_language);
            assert_eq!(accepted.duplicate, was_known, "fact {fact} told again?");
            let known = *self.accepted.entry(accepted.id).or_insert(*fact);
            let id = |fact: usize| &self.plan.facts[fact].id;
            assert_eq!(id(known), id(*fact), "another event's id was answered");
            self.note(format!("  host {host} has {} as {}", id(known), accepted.id));
        }
        self.observe().await;
        // A host that died before it answered is told again.
        let is_over = self.world.is_healed();
        if self.plan.disturbances.crashes && !is_over && self.random.percent(3) {
            self.note(format!("  host {host} dies before it answers"));
            self.crash(host);
            self.told_while_down.extend(facts);
        }
    }

    /// A host does what is due; it may be cut off in the middle.
    async fn tick(&mut self, host: usize) {
        self.model.doing += 1;
        let (engine, now) = (self.engine(host), self.now());
        let has_language = self.hosts[host].as_ref().unwrap().has_language;
        let number = self.number(host);
        self.note(format!("  tick of host {host}"));
        self.model.tick(now, has_language);
        let first_send = self.world.send_count();
        let mut ended = Vec::new();
        let mut stalled = Vec::new();
        let mut has_crashed = false;
        {
            let world = self.world.clone();
            let mut ticking = Box::pin(engine.tick(&mut ended));
            loop {
                tokio::select! {
                    biased;
                    done = &mut ticking => {
                        done.unwrap();
                        break;
                    }
                    interrupt = world.interrupted() => match interrupt {
                        Interrupt::Crash => {
                            has_crashed = true;
                            break;
                        }
                        Interrupt::Stall => {
                            let send = world.send_count() - 1;
                            let is_taken_over = Box::pin(self.stall(host)).await;
                            stalled.push((send, is_taken_over));
                            world.resume();
                        }
                    }
                }
            }
        }
        for (delivery, outcome) in &ended {
            let fate = match outcome {
                FinishOutcome::LeaseLost => Fate::LeaseLost,
                _ => Fate::Recorded,
            };
            self.world.conclude(first_send, number, *delivery, fate);
        }
        if has_crashed {
            self.note(format!("  host {host} dies in the middle of an exchange"));
            self.crash(host);
        }
        let sends = self.world.sends();
        for (send, is_taken_over) in stalled {
            let is_stale_write = is_taken_over && sends[send].fate == Fate::Recorded;
            assert!(!is_stale_write, "a stale worker wrote down send {send}");
        }
        for (index, send) in sends.iter().enumerate().skip(first_send) {
            let (delivery, status, fate) = (send.delivery, send.status, send.fate);
            self.note(format!("    send {index}: {delivery} {status:?} {fate:?}"));
        }
        self.observe().await;
    }

    /// A host stands still, and another one goes on; or the same one, with other
    /// work. Says whether its lease is over by then.
    async fn stall(&mut self, host: usize) -> bool {
        self.observe().await;
        let could = self.world.allow_interrupts(false);
        let others: Vec<usize> = self.living().into_iter().filter(|other| *other != host).collect();
        let is_long = self.random.percent(60);
        let time = if is_long { PAST_THE_LEASE } else { Duration::from_secs(4) };
        self.clock.advance(time);
        let other = others.first().copied().unwrap_or(host);
        self.note(format!("  host {host} stands still for {time:?}; host {other} goes on"));
        self.tick(other).await;
        self.world.allow_interrupts(could);
        self.note(format!("  host {host} goes on"));
        let is_taken_over = is_long && other != host;
        if is_taken_over && self.plan.disturbances.crashes {
            self.forgotten = Some(host);
        }
        is_taken_over
    }

    fn number(&self, host: usize) -> usize {
        self.numbers[host]
    }

    fn crash(&mut self, host: usize) {
        self.world.bury(self.number(host));
        self.hosts[host] = None;
        self.crashes += 1;
    }

    async fn restart(&mut self, host: usize, has_language: bool) {
        let made = self.new_host(has_language).await;
        self.hosts[host] = Some(made);
        self.numbers[host] = self.hosts_made;
        // What emitters got no answer for, they tell again.
        let again = std::mem::take(&mut self.told_while_down);
        for fact in again {
            if self.hosts[host].is_some() {
                self.tell(host, &[fact]).await;
            } else {
                self.told_while_down.push(fact);
            }
        }
    }

    async fn change(&mut self, host: usize, change: &Step) {
        let engine = self.engine(host);
        let has_language = self.hosts[host].as_ref().unwrap().has_language;
        match *change {
            Step::SwitchRule(rule, is_active) => {
                let patch = RulePatch { is_active: Some(is_active), ..RulePatch::default() };
                self.patch_rule((&engine, has_language), rule, patch, |state| {
                    state.is_active = is_active
                })
                .await;
            }
            Step::SlowerRule(rule, by) => {
                let Trigger::Duration(had) = self.model.rules[rule].trigger else { return };
                let slower =
                    Trigger::Duration(DurationTrigger { threshold_ms: had.threshold_ms + by });
                let patch = RulePatch { trigger: Some(slower.clone()), ..RulePatch::default() };
                self.patch_rule((&engine, has_language), rule, patch, |state| {
                    state.trigger = slower
                })
                .await;
            }
            Step::DeleteRule(rule) if !self.model.rules[rule].is_deleted => {
                let actor = actor(self.plan.rules[rule].tenant);
                engine.delete_rule(&actor, self.rules[rule]).await.unwrap();
                self.model.rules[rule].is_deleted = true;
            }
            Step::SwitchEndpoint(endpoint, is_active)
                if !self.model.endpoints[endpoint].is_deleted =>
            {
                let patch =
                    EndpointPatch { is_active: Some(is_active), ..EndpointPatch::default() };
                let actor = actor(self.plan.endpoints[endpoint].tenant);
                engine.update_endpoint(&actor, self.endpoints[endpoint], patch).await.unwrap();
                self.model.endpoints[endpoint].is_active = is_active;
            }
            Step::DeleteEndpoint(endpoint) if !self.model.endpoints[endpoint].is_deleted => {
                let actor = actor(self.plan.endpoints[endpoint].tenant);
                engine.delete_endpoint(&actor, self.endpoints[endpoint]).await.unwrap();
                self.model.endpoints[endpoint].is_deleted = true;
            }
            Step::CancelOne => {
                let scheduled = self
                    .seen
                    .values()
                    .find(|seen| seen.delivery.status == DeliveryStatus::Scheduled);
                let Some(Seen { delivery, key }) = scheduled.cloned() else { return };
                let actor = actor(self.plan.rules[key.rule()].tenant);
                let change = engine.cancel(&actor, delivery.id).await.unwrap();
                if change == DeliveryChange::Done {
                    self.canceled.insert(delivery.id);
                }
            }
            _ => {}
        }
    }

    async fn patch_rule(
        &mut self,
        (engine, has_language): (&Engine, bool),
        rule: usize,
        patch: RulePatch,
        apply: impl FnOnce(&mut crate::model::RuleState),
    ) {
        let plan = &self.plan.rules[rule];
        let is_orphan = self.model.endpoints[plan.endpoint].is_deleted;
        // A condition that cannot be checked is refused.
        let is_refused = is_orphan || (plan.condition.is_some() && !has_language);
        if self.model.rules[rule].is_deleted || is_refused {
            return;
        }
        engine.update_rule(&actor(plan.tenant), self.rules[rule], patch).await.unwrap();
        let now = self.now();
        apply(&mut self.model.rules[rule]);
        self.model.rules[rule].changed_at = now;
    }

    /// Looks at the database: what is new must be owed, what is owed must be there,
    /// and what was final must be as it was.
    async fn observe(&mut self) {
        for number in 0..TENANTS.len() {
            let (tenant, filter) = (tenant(number), DeliveryFilter::default());
            let page = self.store.list_deliveries(&tenant, &filter, 1000, None).await.unwrap();
            for delivery in page.items.into_iter().rev() {
                match self.seen.get_mut(&delivery.id) {
                    Some(seen) => {
                        let before = &seen.delivery;
                        let is_kept = !before.status.is_terminal() || *before == delivery;
                        assert!(is_kept, "a final state was left: {before:?}, {delivery:?}");
                        assert!(before.attempt_count <= delivery.attempt_count, "{delivery:?}");
                        seen.delivery = delivery;
                    }
                    None => self.meet(delivery).await,
                }
            }
        }
        let doing = self.model.doing;
        for (key, owed) in &self.model.owed {
            let is_kept = self.kept.contains(key);
            assert!(is_kept, "{key:?} was owed in doing {} of {doing}: no delivery", owed.by);
        }
        self.observe_rules().await;
    }

    /// A delivery that was not there before.
    async fn meet(&mut self, delivery: Delivery) {
        let rule = delivery.alert_rule_id.unwrap();
        let rule = self.rules.iter().position(|known| *known == rule).unwrap();
        let key = match self.plan.rules[rule].trigger {
            Trigger::Duration(_) => {
                let event = self.store.get_event(&delivery.tenant, delivery.event_id);
                let event = event.await.unwrap().expect("the event of a delivery is stored");
                let body: Value = serde_json::from_slice(&event.body).unwrap();
                let data = &body["data"];
                let run = data["run_id"].as_str().unwrap()[1..].parse().unwrap();
                let opening = data["opening"].as_u64().unwrap() as usize;
                Key::Run { rule, run, opening }
            }
            _ => Key::Fact { rule, fact: self.accepted[&delivery.event_id] },
        };
        let mut line = format!("  made {} for {key:?}", delivery.id);
        let owed = self.model.owed.get(&key);
        write!(line, ", {}", delivery.status).unwrap();
        self.note(line);
        let owed = owed.unwrap_or_else(|| panic!("{key:?} is not owed: {delivery:?}"));
        assert_eq!(owed.by, self.model.doing, "{key:?} at another time than owed");
        let is_skipped = delivery.status == DeliveryStatus::Skipped;
        assert_eq!(is_skipped, owed.is_skipped, "{key:?}: {delivery:?}");
        assert!(self.kept.insert(key), "a second alert for {key:?}: {delivery:?}");
        self.seen.insert(delivery.id, Seen { delivery, key });
    }

    /// The host itself switches rules off whose target is gone.
    async fn observe_rules(&mut self) {
        for (number, plan) in self.plan.rules.iter().enumerate() {
            let state = &mut self.model.rules[number];
            if state.is_deleted || !state.is_active {
                continue;
            }
            let tenant = tenant(plan.tenant);
            let stored = self.store.get_rule(&tenant, self.rules[number]).await.unwrap().unwrap();
            if stored.spec.is_active {
                continue;
            }
            assert!(stored.disabled_reason.is_some(), "rule {number} is off without a reason");
            let gone =
                self.world.sends().into_iter().filter(|send| {
                    send.is_gone() && self.seen[&send.delivery].key.rule() == number
                });
            let gone = gone.count();
            assert!(
                gone >= self.plan.endpoints[plan.endpoint].gone_after as usize,
                "rule {number} is off after {gone} times gone"
            );
            self.is_news = true;
            state.is_active = false;
            state.changed_at = stored.updated_at.duration_since(origin()).as_millis() as Time;
            self.trace.note(format!("  rule {number} is off: its target is gone"));
        }
    }

    async fn come_to_rest(&mut self) {
        self.note("all faults end".to_owned());
        self.world.heal();
        if self.living().is_empty() {
            self.restart(0, true).await;
        }
        let host = self.living()[0];
        let again = std::mem::take(&mut self.told_while_down);
        self.spread_news().await;
        for fact in again {
            self.tell(host, &[fact]).await;
        }
        self.step(&Step::MendLanguage).await;
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

/// A fact as the platform tells it.
fn event(fact: &Fact) -> Event {
    let mut data = json!({
        "graph_name": format!("g{}", fact.graph),
        "run_id": format!("r{}", fact.run),
        "opening": fact.opening,
        "errored_count": fact.errored,
    });
    if let Some(took) = fact.took {
        data["duration_ms"] = took.into();
    }
    let body = json!({
        "specversion": "1.0",
        "id": fact.id,
        "source": "/simulation",
        "type": fact.kind,
        "time": moment(fact.at),
        "data": data,
    });
    Event::from_structured(body.to_string().into()).unwrap()
}
