//! Rate limits hold work back, and lose none of it.

use super::*;
use crate::dispatch::rate::Limited;

#[test]
fn over_a_rate_limit_work_waits_and_is_not_lost() {
    let limit = Some(ONE_A_SECOND);
    let none = RateLimits::default();
    for (rate, limits) in [
        (None, RateLimits { endpoint: limit, ..none }),
        (None, RateLimits { rule: limit, ..none }),
        (None, RateLimits { tenant: limit, ..none }),
        (limit, none),
    ] {
        let mut scheduler = Scheduler::new(Bounds { rate, ..NO_BOUNDS });
        (0..4).for_each(|number| scheduler.push(piece("t", 1, number), true));
        for second in 0..4 {
            let now = seconds(second);
            assert_eq!(scheduler.next(now, |_| limits), Some(piece("t", 1, second as u32)));
            assert_eq!(scheduler.next(now, |_| limits), None);
            assert_eq!(scheduler.lanes.waiting(), 3 - second as usize);
            if second < 3 {
                assert_eq!(scheduler.next_parked(), Some(seconds(second + 1)));
            }
        }
    }
}

#[test]
fn work_that_waits_for_a_limit_is_looked_at_once_and_not_each_time() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    let limits = RateLimits { rule: Some(ONE_A_SECOND), ..RateLimits::default() };
    (0..1000).for_each(|number| scheduler.push(piece("t", 1, number), true));
    assert!(scheduler.next(NOW, |_| limits).is_some());
    assert!(scheduler.next(NOW, |_| limits).is_none());
    let looks = std::cell::Cell::new(0);
    let counted = |_: &Piece| {
        looks.set(looks.get() + 1);
        limits
    };
    assert!(scheduler.next(seconds(1), counted).is_some());
    assert!(scheduler.next(seconds(1), counted).is_none());
    assert_eq!(looks.get(), 1);
}

#[test]
fn a_tenant_over_its_limit_blocks_no_other() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    for endpoint in 0..10 {
        (0..10).for_each(|number| scheduler.push(piece("loud", endpoint, number), true));
    }
    let limits = |work: &Piece| RateLimits {
        tenant: (work.0.as_str() == "loud").then_some(ONE_A_SECOND),
        ..RateLimits::default()
    };
    assert_eq!(scheduler.next(NOW, limits).map(|piece| piece.0.to_string()), Some("loud".into()));
    assert_eq!(scheduler.next(NOW, limits), None);
    for number in 0..4 {
        scheduler.push(piece("quiet", 99, number), true);
        assert_eq!(scheduler.next(NOW, limits), Some(piece("quiet", 99, number)));
    }
    let next = scheduler.next(seconds(1), limits);
    assert_eq!(next.map(|piece| piece.1), Some(id(1)), "and its endpoints take turns");
}

#[test]
fn what_is_idle_is_forgotten_but_not_a_limit_that_is_in_force() {
    let mut scheduler = Scheduler::new(NO_BOUNDS);
    let limit = RateLimit { per_minute: 1, burst: Some(1) };
    let limits = |_: &Piece| RateLimits { endpoint: Some(limit), ..RateLimits::default() };
    scheduler.push(piece("t", 1, 0), true);
    assert!(scheduler.next(NOW, limits).is_some());
    scheduler.finished(&TenantId::new("t").unwrap(), id(1), Health::Alive, NOW, 1.0);
    scheduler.next(NOW, limits);
    scheduler.forget_idle(seconds(10));
    scheduler.push(piece("t", 1, 1), true);
    assert_eq!(scheduler.next(seconds(10), limits), None);
    assert!(scheduler.next(seconds(60), limits).is_some());
    scheduler.finished(&TenantId::new("t").unwrap(), id(1), Health::Alive, NOW, 1.0);
    scheduler.next(seconds(60), limits);
    scheduler.forget_idle(seconds(180));
    assert_eq!(scheduler.lanes.iter().count(), 0);
}

#[test]
fn limiters_that_were_kept_hold_as_if_nothing_had_happened() {
    let limits = |_: &Piece| RateLimits { endpoint: Some(ONE_A_SECOND), ..RateLimits::default() };
    let mut before = Scheduler::new(NO_BOUNDS);
    before.push(piece("t", 1, 0), true);
    assert!(before.next(NOW, limits).is_some());
    let kept = before.limiters(NOW);
    assert_eq!(kept, [(Limited::Endpoint(id(1)), seconds(1))]);
    let mut after = Scheduler::new(NO_BOUNDS);
    kept.into_iter().for_each(|(limited, free_at)| after.restore(limited, free_at));
    after.push(piece("t", 1, 1), false);
    assert_eq!(after.next(NOW, limits), None);
    assert!(after.next(seconds(1), limits).is_some());
}

#[test]
fn what_a_rules_limit_holds_of_a_blocked_endpoint_is_handed_out_too() {
    let limits = |_: &Piece| RateLimits { rule: Some(ONE_A_SECOND), ..RateLimits::default() };
    let mut lanes = Scheduler::new(NO_BOUNDS);
    let tenant = TenantId::new("t").unwrap();
    (0..2).for_each(|number| lanes.push(piece("t", 1, number), true));
    assert_eq!(lanes.next(NOW, limits), Some(piece("t", 1, 0)));
    assert_eq!(lanes.next(NOW, limits), None, "the second waits for its rule");
    assert_eq!(lanes.block(tenant.clone(), id(1)), [piece("t", 1, 1)]);
    lanes.finished(&tenant, id(1), Health::Unknown, NOW, 1.0);
    assert_eq!(lanes.next(seconds(1), limits), None);
    assert_eq!(lanes.lanes.waiting(), 0);
}
