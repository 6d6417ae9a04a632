//! What goes wrong in a run: the kinds of faults it has, and when they come.

use crate::plan::{LENGTH, MINUTE, Ms, RulePlan, SECOND, Step};
use crate::random::Random;

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
    pub(crate) outages: bool,
    /// The transport panics.
    pub(crate) panics: bool,
    /// Exchanges that take long.
    pub(crate) slowness: bool,
    /// Endpoints are left switched off for so many days.
    pub(crate) absence_days: Option<u64>,
    /// On Postgres.
    pub(crate) deadlocks: bool,
}

impl Disturbances {
    pub(crate) fn draw(random: &mut Random) -> Self {
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
            outages: random.percent(35),
            panics: random.percent(30),
            slowness: random.percent(25),
            // Less than the week after which an alert is given up, or more.
            absence_days: random.percent(35).then(|| random.pick(&[1, 5, 9, 21])),
            deadlocks: random.percent(60),
        }
    }

    /// Whether what a rule on duration must do can be read from the plan alone.
    pub(crate) fn is_orderly(&self) -> bool {
        !(self.disorder || self.crashes || self.stalls || self.clock || self.changes)
            && !(self.language || self.targets || self.outages || self.slowness)
    }
}

/// What the database does not take for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// No write at all.
    Everything,
    /// No host can say that it lives; all else is written.
    Heartbeats,
    /// What came of attempts. The rest of the same transaction must not stay either.
    Results,
    /// On Postgres: the connection is lost as a transaction is committed, so that the host
    /// does not know what became of it. On SQLite there is no connection to lose.
    Commits,
}

impl Outage {
    pub(crate) fn draw(random: &mut Random) -> Self {
        random.pick(&[
            Self::Everything,
            Self::Everything,
            Self::Heartbeats,
            Self::Results,
            Self::Commits,
            Self::Commits,
        ])
    }

    /// Whether nothing is written while it lasts.
    pub(crate) fn stops_all(self) -> bool {
        matches!(self, Self::Everything | Self::Commits)
    }
}

pub(crate) fn disturb(
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
    if disturbances.outages {
        for _ in 0..random.between(1, 2) {
            let at = random.between(0, LENGTH);
            add(at, Step::Outage(Outage::draw(random)));
            add(at + random.between(1, 2 * MINUTE), Step::MendDatabase);
        }
    }
    if disturbances.absence_days.is_some() {
        for _ in 0..random.between(1, 3) {
            add(random.between(LENGTH / 4, LENGTH), Step::LeaveEndpoint);
        }
    }
    if disturbances.deadlocks {
        for _ in 0..random.between(2, 10) {
            add(random.between(0, LENGTH), Step::Deadlocks(random.below(3) + 1));
        }
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
