//! What must hold once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use alerts_domain::delivery::{Attempt, Delivery, DeliveryStatus};
use alerts_domain::retry::{RetryPolicy, Strategy};
use alerts_domain::trigger::Trigger;
use jiff::SignedDuration;

use crate::counting;
use crate::observe::Seen;
use crate::pace;
use crate::plan::STARTED;
use crate::run::Run;
use crate::sends::{Fate, Send, number_of};
use crate::workload::Fact;

pub(crate) async fn all(run: &Run<'_>) {
    let sends = run.world.sends();
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for Seen { delivery, key } in run.seen.values() {
        let found = run.store.get_delivery(&delivery.tenant, delivery.id).await.unwrap();
        let (delivery, attempts) = found.expect("a delivery is never lost");
        let tries = Tries { run, rule: key.rule(), delivery: &delivery, attempts: &attempts };
        tries.are_told_once(&sends, &mut told);
        tries.are_bounded();
        tries.end_as_they_should(&sends);
        tries.keep_their_times();
        tries.used_what_was_there(run.ground_digest());
    }
    every_send_is_accounted_for(run, &sends, &told);
    bodies_are_the_same_in_every_attempt(&sends);
    nothing_waits(run).await;
    counting::agrees(run).await;
    pace::is_kept(run, &sends);
    if run.plan.disturbances.is_orderly() {
        long_runs_and_no_others_were_alerted(run);
    }
}

struct Tries<'a> {
    run: &'a Run<'a>,
    rule: usize,
    delivery: &'a Delivery,
    attempts: &'a [Attempt],
}

impl Tries<'_> {
    /// Every attempt on record is one send, whose end its host wrote down while
    /// it held the lease.
    fn are_told_once(&self, sends: &[Send], told: &mut BTreeSet<usize>) {
        let numbers = self.attempts.iter().map(|attempt| attempt.number);
        assert!(numbers.eq(1..=self.delivery.attempt_count), "{:?}", self.delivery);
        for attempt in self.attempts {
            let [exchange] = attempt.exchanges.as_slice() else { panic!("{attempt:?}") };
            let number = number_of(exchange);
            let send = &sends[number];
            assert!(told.insert(number), "send {number} is two attempts");
            assert_eq!(send.delivery, self.delivery.id, "send {number}");
            assert_eq!(send.fate, Fate::Recorded, "a stale worker wrote of send {number}");
            assert_eq!(attempt.status_code, send.status, "send {number}");
        }
    }

    fn most(&self) -> u32 {
        // Without its rule a delivery goes on with the default policy.
        let policy = self.run.plan.rules[self.rule].retry;
        match self.run.model.rules[self.rule].is_deleted {
            true => policy.max_retries.max(RetryPolicy::default().max_retries) + 1,
            false => policy.max_retries + 1,
        }
    }

    fn are_bounded(&self) {
        let most = self.most();
        let attempts = self.delivery.attempt_count;
        assert!(attempts <= most, "{attempts} of at most {most}: {:?}", self.delivery);
    }

    fn end_as_they_should(&self, sends: &[Send]) {
        let Self { run, rule, delivery, attempts } = self;
        let last = attempts.last().map(|attempt| &sends[number_of(&attempt.exchanges[0])]);
        let own = sends.iter().filter(|send| send.delivery == delivery.id);
        // Of a panic the host does not know whether it was sent: it sends it again.
        let successes = own.clone().filter(|send| send.is_success() && !send.is_panic);
        let recorded = successes.clone().filter(|send| send.fate == Fate::Recorded).count();
        assert!(recorded <= 1, "{recorded} successes of {delivery:?}");
        if run.crashes == 0 && run.plan.disturbances.hosts == 1 {
            assert_eq!(successes.count(), recorded, "sent again without a fault: {delivery:?}");
        }
        match delivery.status {
            DeliveryStatus::Delivered => {
                assert!(last.is_some_and(Send::is_success), "not delivered: {delivery:?}");
            }
            DeliveryStatus::Dead => {
                let endpoint = run.model.endpoints[run.plan.rules[*rule].endpoint];
                let is_gone = last.is_some_and(Send::is_gone);
                let least = run.plan.rules[*rule].retry.max_retries + 1;
                let has_given_up = delivery.attempt_count >= least;
                let why = endpoint.is_deleted || is_gone || has_given_up || is_too_old(delivery);
                assert!(why, "given up too early: {delivery:?}");
                assert_eq!(recorded, 0, "dead, and it was delivered: {delivery:?}");
            }
            DeliveryStatus::Skipped => assert!(attempts.is_empty(), "{delivery:?}"),
            DeliveryStatus::Canceled => assert!(run.canceled.contains(&delivery.id)),
            DeliveryStatus::Scheduled | DeliveryStatus::Leased => panic!("{delivery:?}"),
        }
    }

    /// No retry comes before its policy, or the target, allows it.
    fn keep_their_times(&self) {
        let plan = self.run.plan;
        if plan.disturbances.clock || self.run.model.rules[self.rule].is_deleted {
            return;
        }
        let policy = plan.rules[self.rule].retry;
        for (pair, retry) in self.attempts.windows(2).zip(1..) {
            let waited = pair[1].started_at.duration_since(pair[0].started_at).as_millis();
            let grown = match policy.strategy {
                Strategy::Fixed => policy.backoff_factor,
                Strategy::Linear => policy.backoff_factor * retry,
                Strategy::Exponential => policy.backoff_factor << (retry - 1),
                Strategy::FixedEqualJitter => policy.backoff_factor / 2,
                _ => 0,
            };
            let least = policy.max_delay.map_or(grown, |most| grown.min(most));
            assert!(waited >= i128::from(least), "{waited} of {least} ms: {:?}", self.delivery);
            let alerts_domain::exchange::Outcome::Response(response) =
                &pair[0].exchanges[0].outcome
            else {
                continue;
            };
            let asked = response.headers.get("retry-after").map_or(0, |s| s.parse().unwrap());
            assert!(waited >= asked * 1000, "Retry-After {asked} s: {:?}", self.delivery);
        }
    }

    /// Each attempt keeps the adapter and the version of the endpoint it used.
    fn used_what_was_there(&self, digest: String) {
        let versions = self.attempts.iter().map(|attempt| attempt.endpoint_version);
        assert!(versions.is_sorted(), "{:?}", self.delivery);
        for attempt in self.attempts {
            assert_eq!(attempt.plugin_digest, digest);
            assert!(attempt.endpoint_version >= 1);
        }
    }
}

/// An alert is given up when it is over a week old.
fn is_too_old(delivery: &Delivery) -> bool {
    let ended_at = delivery.finished_at.expect("it has ended");
    ended_at.duration_since(delivery.created_at) >= SignedDuration::from_hours(7 * 24)
}

/// What its host has written down is on record; what it has not, it had no right
/// to, or it was dead.
fn every_send_is_accounted_for(run: &Run<'_>, sends: &[Send], told: &BTreeSet<usize>) {
    for (number, send) in sends.iter().enumerate() {
        let is_told = told.contains(&number);
        assert_eq!(is_told, send.fate == Fate::Recorded, "send {number}: {send:?}");
        assert_ne!(send.fate, Fate::Open, "send {number} never ended");
        if send.fate == Fate::LeaseLost {
            assert!(run.plan.disturbances.hosts > 1, "a lease lost to nobody: {send:?}");
        }
        if send.fate == Fate::Panicked {
            assert!(send.is_panic, "given back, and nothing panicked: {send:?}");
        }
        if send.fate == Fate::Crashed {
            assert!(run.crashes > 0, "{send:?}");
        }
    }
}

fn bodies_are_the_same_in_every_attempt(sends: &[Send]) {
    let mut bodies = BTreeMap::new();
    for send in sends {
        let first = *bodies.entry(send.delivery).or_insert(send.body);
        assert_eq!(first, send.body, "another body in a later attempt: {send:?}");
    }
}

async fn nothing_waits(run: &Run<'_>) {
    let pending = run.store.events_with_pending_rules(None, 10).await.unwrap();
    assert!(pending.is_empty(), "never matched: {pending:?}");
    let next = run.store.next_timer().await.unwrap();
    assert!(next.is_none(), "a timer is forgotten, due at {next:?}");
    for (id, tenant) in run.accepted_events() {
        let stored = run.store.get_event(&tenant, id).await.unwrap();
        assert!(stored.is_some(), "event {id} was accepted, and is lost");
    }
}

/// Where nothing disturbs, the plan alone says which runs a rule on duration
/// tells of: those that took longer than its threshold.
fn long_runs_and_no_others_were_alerted(run: &Run<'_>) {
    for (number, rule) in run.plan.rules.iter().enumerate() {
        let Trigger::Duration(trigger) = &rule.trigger else { continue };
        let holds = |fact: &Fact| rule.condition.is_none_or(|c| (c.holds)(fact));
        let facts = || run.plan.facts.iter().filter(|fact| fact.tenant == rule.tenant);
        let mut long = BTreeSet::new();
        for fact in facts().filter(|fact| holds(fact)) {
            let is_same = |other: &&Fact| other.run == fact.run && other.opening == fact.opening;
            let mut others = facts().filter(is_same);
            let is_long = match fact.kind {
                STARTED => others
                    .find(|other| other.kind != STARTED)
                    .is_none_or(|end| end.at - fact.at >= trigger.threshold_ms),
                _ => {
                    let has_start = others.any(|other| other.kind == STARTED);
                    !has_start && fact.took.unwrap_or(0) > trigger.threshold_ms
                }
            };
            if is_long {
                long.insert((fact.run, fact.opening));
            }
        }
        let alerted = run.seen.values().filter_map(|seen| match seen.key {
            crate::model::Key::Run { rule, run, opening } if rule == number => Some((run, opening)),
            _ => None,
        });
        assert_eq!(alerted.collect::<BTreeSet<_>>(), long, "rule {number}: {rule:?}");
    }
}
