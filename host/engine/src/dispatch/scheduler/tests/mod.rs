//! Turns, circuits and blocks; [`limits`] has the rate limits.

mod limits;

use std::time::Duration;

use super::lane::FRESH_WAITING;
use super::*;
use crate::dispatch::circuit::{FIRST_WIDTH, MAX_WIDTH};

#[derive(Debug, PartialEq)]
struct Piece(TenantId, EndpointId, u32);

impl Work for Piece {
    fn tenant(&self) -> &TenantId {
        &self.0
    }
    fn endpoint(&self) -> EndpointId {
        self.1
    }
    fn rule(&self) -> Option<RuleId> {
        Some(RuleId::new(NOW, 1))
    }
    fn bytes(&self) -> usize {
        100
    }
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const NO_BOUNDS: Bounds = Bounds { in_flight: 1000, rate: None };
const ONE_A_SECOND: RateLimit = RateLimit { per_minute: 60, burst: Some(1) };

fn id(endpoint: u128) -> EndpointId {
    EndpointId::new(NOW, endpoint)
}

fn piece(tenant: &str, endpoint: u128, number: u32) -> Piece {
    Piece(TenantId::new(tenant).unwrap(), id(endpoint), number)
}

fn plan(leave_out: &[u128], probes: &[u128]) -> ClaimPlan {
    let ids = |endpoints: &[u128]| endpoints.iter().map(|endpoint| id(*endpoint)).collect();
    ClaimPlan { leave_out: ids(leave_out), probes: ids(probes) }
}

fn unlimited(_: &Piece) -> RateLimits {
    RateLimits::default()
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// Starts and ends one piece after another; answers with those that started.
fn run(scheduler: &mut Scheduler<Piece>, health: Health, now: Timestamp) -> Vec<Piece> {
    let mut started = Vec::new();
    while let Some(piece) = scheduler.next(now, unlimited) {
        scheduler.finished(&piece.0, piece.1, health, now, 1.0);
        started.push(piece);
    }
    started
}

/// Everything that may start now, which goes on running.
fn start_all(scheduler: &mut Scheduler<Piece>, now: Timestamp) -> Vec<Piece> {
    std::iter::from_fn(|| scheduler.next(now, unlimited)).collect()
}

/// A lane whose target has answered often enough to be trusted with all of its width.
fn proven(scheduler: &mut Scheduler<Piece>, endpoint: u128) {
    (0..MAX_WIDTH as u32).for_each(|number| scheduler.push(piece("t", endpoint, number), true));
    assert_eq!(run(scheduler, Health::Alive, NOW).len(), MAX_WIDTH);
}

/// A lane whose circuit has opened now.
fn opened(scheduler: &mut Scheduler<Piece>, endpoint: u128) {
    (0..5).for_each(|number| scheduler.push(piece("t", endpoint, number), true));
    assert_eq!(run(scheduler, Health::Failing, NOW).len(), 5);
    assert_eq!(scheduler.lanes.open_circuits(), 1);
}

#[test]
fn a_tenant_with_much_work_does_not_keep_another_waiting() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    for number in 0..100 {
        scheduler.push(piece("loud", 1, number), true);
    }
    scheduler.push(piece("quiet", 2, 0), true);
    let started: Vec<_> = std::iter::from_fn(|| scheduler.next(NOW, unlimited)).take(2).collect();
    assert_eq!(started, [piece("loud", 1, 0), piece("quiet", 2, 0)]);
}

#[test]
fn a_target_that_never_answers_holds_only_its_own_lane() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    proven(&mut scheduler, 1);
    for number in 0..100 {
        scheduler.push(piece("t", 1, number), true);
    }
    assert_eq!(start_all(&mut scheduler, NOW).len(), MAX_WIDTH);
    scheduler.push(piece("t", 2, 0), true);
    assert_eq!(scheduler.next(NOW, unlimited), Some(piece("t", 2, 0)));
    scheduler.finished(&TenantId::new("t").unwrap(), id(1), Health::Alive, NOW, 1.0);
    assert_eq!(scheduler.next(NOW, unlimited), Some(piece("t", 1, MAX_WIDTH as u32)));
}

#[test]
fn targets_that_never_answered_share_half_of_the_places() {
    let bounds = Bounds { in_flight: 40, rate: None };
    let mut scheduler = Scheduler::new(bounds);
    proven(&mut scheduler, 1000);
    for hole in 0..100 {
        (0..10).for_each(|number| scheduler.push(piece("t", hole, number), true));
    }
    assert_eq!(start_all(&mut scheduler, NOW).len(), 20, "the holes' half");
    (0..20).for_each(|number| scheduler.push(piece("t", 1000, number), true));
    assert_eq!(start_all(&mut scheduler, NOW).len(), 20, "the other half");
    // A hole that gives up lets the next one in.
    scheduler.finished(&TenantId::new("t").unwrap(), id(0), Health::Failing, NOW, 1.0);
    let next = start_all(&mut scheduler, NOW);
    assert_eq!(next.len(), 1);
    assert!(next[0].1 != id(1000));
}

#[test]
fn a_target_that_has_answered_leaves_the_share_of_those_that_have_not_at_once() {
    let mut scheduler = Scheduler::new(Bounds { in_flight: 4, rate: None });
    [1, 2].into_iter().for_each(|endpoint| scheduler.push(piece("t", endpoint, 0), true));
    assert_eq!(start_all(&mut scheduler, NOW).len(), 2, "all of the share");
    // Another hole stands before it, and takes the place that becomes free.
    for endpoint in [3, 1, 1] {
        scheduler.push(piece("t", endpoint, 1), true);
        assert_eq!(start_all(&mut scheduler, NOW), []);
    }
    scheduler.finished(&TenantId::new("t").unwrap(), id(1), Health::Alive, NOW, 1.0);
    let started = start_all(&mut scheduler, NOW);
    let to = |endpoint| started.iter().filter(|piece| piece.1 == id(endpoint)).count();
    assert_eq!((to(1), to(3)), (2, 1), "the other share is its own");
}

#[test]
fn fresh_alerts_and_the_backlog_of_one_endpoint_take_turns() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    (0..60).for_each(|number| scheduler.push(piece("t", 1, number), false));
    (100..103).for_each(|number| scheduler.push(piece("t", 1, number), true));
    let order: Vec<u32> = run(&mut scheduler, Health::Alive, NOW).iter().map(|p| p.2).collect();
    assert_eq!(order[..7], [100, 0, 101, 1, 102, 2, 3]);
}

#[test]
fn a_full_backlog_leaves_the_room_for_fresh_alerts_alone() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    proven(&mut scheduler, 1);
    (0..32).for_each(|number| scheduler.push(piece("t", 1, number), false));
    assert_eq!(scheduler.lanes.claim_plan(NOW).leave_out, [id(1)]);
    assert!(scheduler.lanes.has_room(id(1), NOW));
    (0..FRESH_WAITING as u32).for_each(|number| scheduler.push(piece("t", 1, number), true));
    assert!(!scheduler.lanes.has_room(id(1), NOW));
    assert!(scheduler.lanes.has_room(id(2), NOW), "and that of others");
    assert_eq!(scheduler.drain().len(), FRESH_WAITING + 32);
}

#[test]
fn while_a_circuit_is_open_its_work_stays_in_the_database_and_one_probe_is_claimed() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    opened(&mut scheduler, 1);
    assert!(!scheduler.lanes.has_room(id(1), NOW));
    assert!(!scheduler.lanes.left_in_store(id(1), NOW));
    assert_eq!(scheduler.lanes.claim_plan(NOW), plan(&[1], &[]));
    let probe_at = scheduler.next_parked().unwrap();
    assert_eq!(probe_at, seconds(1), "the keeper is to look then, though nothing waits in memory");
    assert_eq!(scheduler.next(probe_at, unlimited), None);
    assert_eq!(scheduler.lanes.claim_plan(probe_at), plan(&[1], &[1]));

    scheduler.push(piece("t", 1, 7), false);
    assert_eq!(scheduler.lanes.claim_plan(probe_at).probes, [], "one is enough");
    assert_eq!(scheduler.next(probe_at, unlimited), Some(piece("t", 1, 7)));
    let ended =
        scheduler.finished(&TenantId::new("t").unwrap(), id(1), Health::Alive, probe_at, 1.0);
    assert_eq!(ended, Consequences { should_claim: true, circuit_changed: true });
    assert_eq!(scheduler.lanes.claim_plan(probe_at), plan(&[], &[]));
}

#[test]
fn what_comes_in_after_an_outage_does_not_queue_behind_what_came_before_it() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    (0..100).for_each(|number| scheduler.push(piece("t", 1, number), true));
    assert_eq!(run(&mut scheduler, Health::Failing, NOW).len(), 5, "the circuit opens");
    let now = scheduler.next_parked().unwrap();
    assert_eq!(scheduler.next(now, unlimited), Some(piece("t", 1, 5)), "the probe");
    scheduler.finished(&TenantId::new("t").unwrap(), id(1), Health::Alive, now, 1.0);

    (1000..1003).for_each(|number| scheduler.push(piece("t", 1, number), true));
    let numbers: Vec<u32> = run(&mut scheduler, Health::Alive, now).iter().map(|p| p.2).collect();
    assert_eq!(numbers[..6], [1000, 6, 1001, 7, 1002, 8], "they take turns");
    assert_eq!((numbers.len(), scheduler.lanes.waiting()), (97, 0));
}

#[test]
fn after_an_outage_the_first_wave_is_small_and_grows() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    opened(&mut scheduler, 1);
    let now = scheduler.next_parked().unwrap();
    (0..500).for_each(|number| scheduler.push(piece("t", 1, number), false));
    let mut waves = Vec::new();
    loop {
        let wave = start_all(&mut scheduler, now);
        if wave.is_empty() {
            break;
        }
        waves.push(wave.len());
        for piece in wave {
            scheduler.finished(&piece.0, piece.1, Health::Alive, now, 1.0);
        }
    }
    assert_eq!(waves[..6], [1, 1, 2, 4, 8, 16]);
    assert_eq!(waves.iter().max(), Some(&MAX_WIDTH));
    assert_eq!(waves.iter().sum::<usize>(), 500);
}

#[test]
fn a_new_lane_starts_with_a_few_at_once() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    (0..100).for_each(|number| scheduler.push(piece("t", 1, number), true));
    assert_eq!(start_all(&mut scheduler, NOW).len(), FIRST_WIDTH);
}

#[test]
fn a_clock_that_is_set_back_an_hour_stalls_nothing() {
    let (before, after) = (seconds(10_000), seconds(10_000 - 3600));
    let limits = |_: &Piece| RateLimits {
        endpoint: Some(ONE_A_SECOND),
        tenant: Some(ONE_A_SECOND),
        rule: Some(ONE_A_SECOND),
    };
    let mut scheduler = Scheduler::new(Bounds { rate: Some(ONE_A_SECOND), ..NO_BOUNDS });
    (0..3).for_each(|number| scheduler.push(piece("t", 1, number), true));
    assert!(scheduler.next(before, limits).is_some());
    assert!(scheduler.next(before, limits).is_none());
    // No earlier than the limits allow, and hardly later.
    assert_eq!(scheduler.next(after, limits), None);
    let mut now = scheduler.next_parked().unwrap();
    assert_eq!(now, after + Duration::from_secs(1));
    while scheduler.next(now, limits).is_none() {
        now = scheduler.next_parked().unwrap();
        assert!(now < after + Duration::from_secs(5));
    }
    // And forth again.
    assert!(scheduler.next(before, limits).is_some());
}

#[test]
fn what_waits_for_a_blocked_endpoint_is_handed_out_and_no_more_of_it_is_claimed() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    let tenant = TenantId::new("t").unwrap();
    (0..3).for_each(|number| scheduler.push(piece("t", 1, number), number == 0));
    scheduler.push(piece("t", 2, 9), true);
    let given_back = scheduler.block(tenant.clone(), id(1));
    assert_eq!(given_back.len(), 3);
    assert_eq!(scheduler.next(NOW, unlimited), Some(piece("t", 2, 9)), "others go on");
    assert_eq!(scheduler.next(NOW, unlimited), None);
    assert!(!scheduler.lanes.has_room(id(1), NOW));
    assert!(!scheduler.lanes.left_in_store(id(1), NOW), "nobody is to look for it");
    assert_eq!(scheduler.lanes.claim_plan(NOW), plan(&[1], &[]));
    scheduler.forget_idle(seconds(1_000_000));
    assert_eq!(
        scheduler.lanes.blocked(),
        [(tenant, id(1))],
        "it is remembered for as long as it lasts"
    );

    scheduler.unblock(id(1));
    assert!(scheduler.lanes.should_claim(NOW), "what waits in the database is to be claimed");
    assert!(scheduler.lanes.has_room(id(1), NOW));
    assert_eq!(scheduler.lanes.blocked(), []);
}

#[test]
fn a_target_that_has_enough_rests_in_memory_and_in_the_database() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    let tenant = TenantId::new("t").unwrap();
    proven(&mut scheduler, 1);
    (0..2).for_each(|number| scheduler.push(piece("t", 1, number), true));
    assert!(scheduler.next(NOW, unlimited).is_some());
    let enough = Health::Limited(Some(Duration::from_secs(10)));
    scheduler.finished(&tenant, id(1), enough, NOW, 0.0);
    assert_eq!(scheduler.next(NOW, unlimited), None, "the other one waits");
    assert_eq!(
        scheduler.lanes.claim_plan(NOW),
        plan(&[1], &[]),
        "and what is due is left where it is"
    );
    assert_eq!(scheduler.lanes.open_circuits(), 0, "it is well");
    let over = scheduler.next_parked().unwrap();
    assert_eq!(over, seconds(10));
    assert!(scheduler.next(over, unlimited).is_some());
    assert_eq!(scheduler.lanes.claim_plan(over), plan(&[], &[]));
}

#[test]
fn a_host_that_lost_its_lease_hands_out_all_that_waits_and_goes_on() {
    let limits = |_: &Piece| RateLimits { rule: Some(ONE_A_SECOND), ..RateLimits::default() };
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    (0..3).for_each(|number| scheduler.push(piece("t", 1, number), number == 0));
    assert_eq!(scheduler.next(NOW, limits), Some(piece("t", 1, 0)));
    assert_eq!(scheduler.next(NOW, limits), None, "the others wait for their rule");
    scheduler.push(piece("t", 2, 3), true);
    assert_eq!(scheduler.drain().len(), 3);
    assert_eq!(scheduler.lanes.waiting(), 0);
    scheduler.push(piece("t", 2, 4), true);
    assert_eq!(scheduler.next(seconds(1), limits), Some(piece("t", 2, 4)));
}
