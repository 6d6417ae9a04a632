//! What a seed decides before a run begins: rules and targets, what happens in
//! the world and when, and what is done to the hosts meanwhile.

use alerts_domain::rate_limit::RateLimit;
use alerts_domain::retry::{RetryPolicy, Strategy};
use alerts_domain::rule::EventTypePattern;
use alerts_domain::trigger::{Breach, DurationTrigger, Ratio, ThresholdTrigger, Trigger};

use crate::database::Kind;
use crate::faults::{Disturbances, Outage, disturb};
use crate::random::Random;
use crate::targets::Target;
use crate::workload::{Fact, facts, told};

/// Milliseconds since the run began.
pub(crate) type Ms = u64;

pub(crate) const SECOND: Ms = 1000;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const STARTED: &str = "workflow.started";
pub(crate) const SUCCEEDED: &str = "workflow.succeeded";
pub(crate) const FAILED: &str = "workflow.failed";
pub(crate) const TENANTS: [&str; 2] = ["payments", "search"];

/// How much happens before everything is left to come to rest.
pub(crate) const LENGTH: Ms = 12 * MINUTE;

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
    /// Off goes the endpoint for which the most waits, and stays so.
    LeaveEndpoint,
    DeleteEndpoint(usize),
    CancelOne,
    /// The database refuses writes.
    Outage(Outage),
    /// It takes them again.
    MendDatabase,
    /// So many of the next transactions are victims of a deadlock.
    Deadlocks(usize),
    /// The clock is set, forward or back, by so many milliseconds.
    SetClock(i64),
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
    pub(crate) fn of_seed(seed: u64, database: Kind) -> Self {
        let mut random = Random::new(seed);
        let mut disturbances = Disturbances::draw(&mut random);
        if database == Kind::Postgres {
            // What it is for.
            disturbances.hosts += 1;
        } else {
            disturbances.deadlocks = false;
        }
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
            at += random.pick(&[2, 15, 45, 60, 90]) * SECOND;
            steps.push((at, Step::Tick));
        }
        around_timers(&mut random, &rules, &facts, &mut steps);
        disturb(&mut random, disturbances, &rules, endpoints.len(), &mut steps);
        steps.sort_by_key(|(at, _)| *at);
        let random = random.split();
        Self { disturbances, endpoints, rules, facts, steps, random }
    }
}

/// Looks just before a timer is due, and when it is.
fn around_timers(
    random: &mut Random,
    rules: &[RulePlan],
    facts: &[Fact],
    steps: &mut Vec<(Ms, Step)>,
) {
    for rule in rules {
        let Trigger::Duration(trigger) = &rule.trigger else { continue };
        let starts = facts.iter().filter(|f| f.kind == STARTED && f.tenant == rule.tenant);
        for start in starts {
            if random.percent(20) {
                let due_at = start.at + trigger.threshold_ms;
                steps.extend([due_at - 1, due_at].map(|at| (at, Step::Tick)));
            }
        }
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
        _ => Target::Busy(random.pick(&[None, Some(1), Some(20), Some(90)])),
    };
    let gone_after = random.pick(&[1, 1, 2, 3]);
    let rate_limit = limit(random);
    EndpointPlan { tenant, gone_after, rate_limit, target }
}

fn limit(random: &mut Random) -> Option<RateLimit> {
    let slow = RateLimit { per_minute: 6, burst: random.percent(50).then_some(2) };
    // One that may be written down after the start.
    let fast = RateLimit { per_minute: 120, burst: Some(1) };
    random.percent(30).then_some(random.pick(&[slow, slow, fast]))
}

fn rule(random: &mut Random, endpoints: &[EndpointPlan]) -> RulePlan {
    let endpoint = random.below(endpoints.len());
    let condition = random.percent(40).then(|| random.pick(&CONDITIONS));
    let group_by = if random.percent(50) { vec!["graph_name".to_owned()] } else { Vec::new() };
    let cooldown_ms = random.percent(40).then_some(2 * MINUTE);
    let window_ms = random.pick(&[MINUTE, 4 * MINUTE]);
    let threshold = |breach| {
        Trigger::Threshold(ThresholdTrigger {
            window_ms,
            breach,
            group_by,
            cooldown_ms,
            recovery: None,
        })
    };
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
