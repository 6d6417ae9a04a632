//! What a seed decides before a run begins: rules and targets, what happens in
//! the world, when the host is told of it, and what is done to the host meanwhile.

use alerts_domain::rate_limit::RateLimit;
use alerts_domain::retry::{RetryPolicy, Strategy};
use alerts_domain::rule::EventTypePattern;
use alerts_domain::trigger::{Breach, DurationTrigger, Ratio, ThresholdTrigger, Trigger};

use crate::random::Random;

/// Milliseconds since the run began.
pub(crate) type Ms = u64;

pub(crate) const SECOND: Ms = 1000;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const STARTED: &str = "workflow.started";
pub(crate) const SUCCEEDED: &str = "workflow.succeeded";
pub(crate) const FAILED: &str = "workflow.failed";
pub(crate) const TENANTS: [&str; 2] = ["payments", "search"];

/// How much happens before everything is left to come to rest.
const LENGTH: Ms = 12 * MINUTE;

/// Something that happened in the world, told by one event.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) id: String,
    pub(crate) tenant: usize,
    pub(crate) kind: &'static str,
    pub(crate) graph: usize,
    /// Which run of the tenant, and which opening of it.
    pub(crate) run: usize,
    pub(crate) opening: usize,
    pub(crate) at: Ms,
    /// How long it took, where the event says so.
    pub(crate) took: Option<Ms>,
    pub(crate) errored: u64,
}

/// A condition, in the host's language and in this one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    pub(crate) source: &'static str,
    pub(crate) holds: fn(&Fact) -> bool,
}

const CONDITIONS: [Condition; 2] = [
    Condition { source: "event.data.errored_count > 2", holds: |fact| fact.errored > 2 },
    Condition { source: "event.data.graph_name == \"g0\"", holds: |fact| fact.graph == 0 },
];

#[derive(Debug, Clone)]
pub(crate) struct RulePlan {
    pub(crate) tenant: usize,
    pub(crate) endpoint: usize,
    pub(crate) event_type: &'static str,
    pub(crate) condition: Option<Condition>,
    pub(crate) trigger: Trigger,
    pub(crate) retry: RetryPolicy,
    pub(crate) rate_limit: Option<RateLimit>,
}

#[derive(Debug, Clone)]
pub(crate) struct EndpointPlan {
    pub(crate) tenant: usize,
    pub(crate) gone_after: u32,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) target: Target,
}

/// How a target behaves, until everything is left to come to rest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Well,
    /// Fails so many of a hundred, in all ways.
    Flaky(u64),
    DownUntil(Ms),
    Gone {
        from: Ms,
        until: Ms,
        status: u16,
    },
    /// Asks now and then to be left alone for so many seconds.
    Busy(u64),
}

/// What is done at one moment.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The emitter tells a host of these facts, in one request.
    Tell(Vec<usize>),
    /// A host does what is to be done.
    Tick,
    /// A host dies. The next one in its place may come up without its condition
    /// language.
    Crash {
        loses_language: bool,
    },
    /// A host takes the place of a dead one.
    Restart,
    /// The condition language is there again.
    MendLanguage,
    SwitchRule(usize, bool),
    SlowerRule(usize, u64),
    DeleteRule(usize),
    SwitchEndpoint(usize, bool),
    DeleteEndpoint(usize),
    CancelOne,
    /// The clock is set, forward or back, by so many milliseconds.
    SetClock(i64),
}

/// What kinds of disturbance a run has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disturbances {
    pub(crate) hosts: usize,
    pub(crate) disorder: bool,
    pub(crate) repeats: bool,
    pub(crate) crashes: bool,
    pub(crate) stalls: bool,
    pub(crate) clock: bool,
    pub(crate) changes: bool,
    pub(crate) language: bool,
    pub(crate) targets: bool,
}

impl Disturbances {
    fn draw(random: &mut Random) -> Self {
        Self {
            hosts: if random.percent(40) { 2 } else { 1 },
            disorder: random.percent(50),
            repeats: random.percent(60),
            crashes: random.percent(40),
            stalls: random.percent(40),
            clock: random.percent(25),
            changes: random.percent(40),
            language: random.percent(20),
            targets: random.percent(75),
        }
    }

    /// Whether what a rule on duration must do can be read from the plan alone.
    pub(crate) fn is_orderly(&self) -> bool {
        !(self.disorder || self.crashes || self.stalls || self.clock || self.changes)
            && !(self.language || self.targets)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) disturbances: Disturbances,
    pub(crate) endpoints: Vec<EndpointPlan>,
    pub(crate) rules: Vec<RulePlan>,
    pub(crate) facts: Vec<Fact>,
    /// In the order of their times.
    pub(crate) steps: Vec<(Ms, Step)>,
    /// For what is decided as the run goes on.
    pub(crate) random: Random,
}

impl Plan {
    pub(crate) fn of_seed(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let disturbances = Disturbances::draw(&mut random);
        let tenants = 1 + random.below(TENANTS.len());
        let mut endpoints = Vec::new();
        for tenant in 0..tenants {
            for _ in 0..random.between(1, 2) {
                endpoints.push(endpoint(&mut random, tenant, disturbances.targets));
            }
        }
        let rules: Vec<RulePlan> =
            (0..random.between(2, 5)).map(|_| rule(&mut random, &endpoints)).collect();
        let facts = facts(&mut random, tenants);
        let mut steps = told(&mut random, &facts, disturbances);
        let mut at = 0;
        while at < LENGTH + MINUTE {
            at += random.pick(&[2, 10, 30, 60, 90]) * SECOND;
            steps.push((at, Step::Tick));
        }
        disturb(&mut random, disturbances, &rules, endpoints.len(), &mut steps);
        steps.sort_by_key(|(at, _)| *at);
        let random = random.split();
        Self { disturbances, endpoints, rules, facts, steps, random }
    }
}

fn endpoint(random: &mut Random, tenant: usize, is_faulty: bool) -> EndpointPlan {
    let target = match random.below(if is_faulty { 6 } else { 1 }) {
        0 => Target::Well,
        1 | 2 => Target::Flaky(random.pick(&[10, 30, 60])),
        3 => Target::DownUntil(random.between(1, 12) * MINUTE),
        4 => {
            let from = random.between(0, 9) * MINUTE;
            let until = from + random.between(1, 6) * MINUTE;
            Target::Gone { from, until, status: random.pick(&[404, 410]) }
        }
        _ => Target::Busy(random.pick(&[1, 20, 90])),
    };
    let gone_after = random.pick(&[1, 1, 2, 3]);
    let rate_limit = limit(random);
    EndpointPlan { tenant, gone_after, rate_limit, target }
}

fn limit(random: &mut Random) -> Option<RateLimit> {
    let burst = random.percent(50).then_some(2);
    random.percent(25).then_some(RateLimit { per_minute: 6, burst })
}

fn rule(random: &mut Random, endpoints: &[EndpointPlan]) -> RulePlan {
    let endpoint = random.below(endpoints.len());
    let condition = random.percent(40).then(|| random.pick(&CONDITIONS));
    let group_by = if random.percent(50) { vec!["graph_name".to_owned()] } else { Vec::new() };
    let cooldown_ms = random.percent(40).then_some(2 * MINUTE);
    let window_ms = random.pick(&[MINUTE, 4 * MINUTE]);
    let threshold =
        |breach| Trigger::Threshold(ThresholdTrigger { window_ms, breach, group_by, cooldown_ms });
    let (event_type, trigger) = match random.below(5) {
        0 => (random.pick(&[FAILED, "workflow.*", "*"]), Trigger::Event),
        1 | 2 => {
            let threshold_ms = random.pick(&[20 * SECOND, MINUTE, 3 * MINUTE]);
            ("workflow.duration_exceeded", Trigger::Duration(DurationTrigger { threshold_ms }))
        }
        3 => (FAILED, threshold(Breach::Count(random.pick(&[1, 2, 3])))),
        _ => {
            let of = [SUCCEEDED, FAILED].map(|kind| EventTypePattern::new(kind).unwrap());
            let ratio = Ratio {
                above: random.pick(&[0.3, 0.5]),
                of: of.to_vec(),
                last: random.pick(&[4, 1000]),
                min_total: random.pick(&[1, 3]),
            };
            (FAILED, threshold(Breach::Ratio(ratio)))
        }
    };
    let retry = RetryPolicy {
        max_retries: random.pick(&[0, 1, 3, 6]),
        strategy: random.pick(&[
            Strategy::Fixed,
            Strategy::Linear,
            Strategy::Exponential,
            Strategy::ExponentialFullJitter,
            Strategy::FixedEqualJitter,
        ]),
        backoff_factor: random.pick(&[500, 5 * SECOND]),
        exponent: 2,
        max_delay: random.percent(50).then_some(20 * SECOND),
    };
    let (tenant, rate_limit) = (endpoints[endpoint].tenant, limit(random));
    RulePlan { tenant, endpoint, event_type, condition, trigger, retry, rate_limit }
}

/// Runs that start, end, and are opened again; and bursts of failures.
fn facts(random: &mut Random, tenants: usize) -> Vec<Fact> {
    let mut facts = Vec::new();
    let runs = random.between(3, 6) as usize;
    for run in 0..runs {
        let (tenant, graph) = (random.below(tenants), random.below(2));
        let errored = random.between(0, 5);
        let mut at = random.between(0, 6 * MINUTE);
        for opening in 0..random.pick(&[1, 1, 2]) {
            let fact = |kind: &'static str, at, took| Fact {
                id: format!("{run}/{opening}/{kind}"),
                tenant,
                kind,
                graph,
                run,
                opening,
                at,
                took,
                errored,
            };
            facts.push(fact(STARTED, at, None));
            let took = random.pick(&[5, 15, 30, 70, 200, 400]) * SECOND + random.between(0, 999);
            if random.percent(15) {
                break;
            }
            let kind = random.pick(&[SUCCEEDED, FAILED]);
            facts.push(fact(kind, at + took, random.percent(80).then_some(took)));
            at += took + random.between(1, 90) * SECOND;
        }
    }
    for burst in 0..random.between(0, 2) as usize {
        let (tenant, graph) = (random.below(tenants), random.below(2));
        let errored = random.between(0, 5);
        let mut at = random.between(0, 10 * MINUTE);
        for number in 0..random.between(2, 5) as usize {
            let kind = random.pick(&[FAILED, FAILED, FAILED, SUCCEEDED]);
            facts.push(Fact {
                id: format!("burst/{burst}/{number}"),
                tenant,
                kind,
                graph,
                // A run of which nobody has told that it started.
                run: 100 + burst * 10 + number,
                opening: 0,
                at,
                took: Some(random.between(1, 40) * SECOND),
                errored,
            });
            at += random.between(1, 30) * SECOND;
        }
    }
    facts
}

/// When the host is told of each fact, some of them twice.
fn told(random: &mut Random, facts: &[Fact], disturbances: Disturbances) -> Vec<(Ms, Step)> {
    let mut arrivals: Vec<(Ms, usize)> = Vec::new();
    for (index, fact) in facts.iter().enumerate() {
        let copies = if disturbances.repeats && random.percent(25) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = if disturbances.disorder && random.percent(40) {
                random.between(0, 5 * MINUTE)
            } else {
                0
            };
            arrivals.push((fact.at + delay, index));
        }
    }
    arrivals.sort_unstable();
    let mut steps: Vec<(Ms, Step)> = Vec::new();
    for (at, index) in arrivals {
        // Together with the one before, now and then: a batch, late as a whole.
        match steps.last_mut() {
            Some((last, Step::Tell(batch))) if disturbances.disorder && random.percent(25) => {
                *last = at;
                batch.push(index);
            }
            _ => steps.push((at, Step::Tell(vec![index]))),
        }
    }
    steps
}

fn disturb(
    random: &mut Random,
    disturbances: Disturbances,
    rules: &[RulePlan],
    endpoints: usize,
    steps: &mut Vec<(Ms, Step)>,
) {
    let mut add = |at: Ms, step| steps.push((at, step));
    if disturbances.crashes {
        for _ in 0..random.between(1, 2) {
            let at = random.between(0, LENGTH);
            add(at, Step::Crash { loses_language: false });
            // Where another host goes on, it must do without.
            if disturbances.hosts == 1 || random.percent(40) {
                add(at + random.between(0, 2 * MINUTE), Step::Restart);
            }
        }
    }
    if disturbances.language {
        let at = random.between(0, LENGTH / 2);
        add(at, Step::Crash { loses_language: true });
        add(at, Step::Restart);
        add(at + random.between(0, 5 * MINUTE), Step::MendLanguage);
    }
    if disturbances.clock {
        for _ in 0..random.between(1, 3) {
            let by = random.between(1, 600) as i64 * SECOND as i64;
            add(
                random.between(0, LENGTH),
                Step::SetClock(if random.percent(50) { by } else { -by }),
            );
        }
    }
    if disturbances.changes {
        for _ in 0..random.between(1, 4) {
            let at = random.between(0, LENGTH);
            let (rule, endpoint) = (random.below(rules.len()), random.below(endpoints));
            let later = at + random.between(1, 4 * MINUTE);
            match random.below(8) {
                0..=2 => {
                    add(at, Step::SwitchRule(rule, false));
                    add(later, Step::SwitchRule(rule, true));
                }
                3 => add(at, Step::SlowerRule(rule, random.pick(&[10 * SECOND, 2 * MINUTE]))),
                4 => add(at, Step::DeleteRule(rule)),
                5 => {
                    add(at, Step::SwitchEndpoint(endpoint, false));
                    add(later, Step::SwitchEndpoint(endpoint, true));
                }
                6 => add(at, Step::DeleteEndpoint(endpoint)),
                _ => add(at, Step::CancelOne),
            }
        }
    }
}
