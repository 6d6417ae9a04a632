//! What happens in the world, and when a host is told of it.

use crate::faults::Disturbances;
use crate::plan::{FAILED, MINUTE, Ms, SECOND, STARTED, SUCCEEDED, Step};
use crate::random::Random;

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

/// Runs that start, end, and are opened again; and bursts of failures.
pub(crate) fn facts(random: &mut Random, tenants: usize) -> Vec<Fact> {
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
        let began = random.between(0, 10 * MINUTE);
        let mut at = began;
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
            if random.percent(20) {
                // Where a window has its edge.
                at = at.max(began + MINUTE - random.between(0, 1));
            }
        }
    }
    facts
}

/// When the host is told of each fact, some of them twice.
pub(crate) fn told(
    random: &mut Random,
    facts: &[Fact],
    disturbances: Disturbances,
) -> Vec<(Ms, Step)> {
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
