//! How fast hosts send: rate limits hold across crashes, a target that has enough is
//! left alone, and a delivery whose attempt panicked rests.

use alerts_domain::rate_limit::RateLimit;

use crate::run::Run;
use crate::sends::{Answered, Fate, Send};

/// Limits of so many a minute and fewer are written down before each start, others
/// once a tick.
const SLOW_PER_MINUTE: u32 = 60;
/// How long a target is left alone at least that does not say for how long, in
/// milliseconds.
const LEAST_REST: i64 = 1000;
/// How long a delivery rests whose attempt panicked, in milliseconds.
const PANIC_REST: i64 = 60_000;

pub(crate) fn is_kept(run: &Run<'_>, sends: &[Send]) {
    if run.plan.disturbances.clock {
        // By which clock?
        return;
    }
    for (number, endpoint) in run.plan.endpoints.iter().enumerate() {
        let Some(limit) = endpoint.rate_limit else { continue };
        let to = |send: &Send| send.endpoint == number;
        holds(run, sends, limit, to, &format!("endpoint {number}"));
    }
    for (number, rule) in run.plan.rules.iter().enumerate() {
        // The limit of a rule goes with it.
        let Some(limit) = rule.rate_limit.filter(|_| !run.model.rules[number].is_deleted) else {
            continue;
        };
        let of = |send: &Send| run.seen[&send.delivery].key.rule() == number;
        holds(run, sends, limit, of, &format!("rule {number}"));
    }
    targets_are_left_alone(sends);
    panicked_deliveries_rest(sends);
}

/// Starts at one place never come faster than a limit, whatever died there. A limit is
/// each host's own: what another host has written down makes it no looser.
fn holds(
    run: &Run<'_>,
    sends: &[Send],
    limit: RateLimit,
    counts: impl Fn(&Send) -> bool,
    what: &str,
) {
    let spacing = 60_000 / u64::from(limit.per_minute);
    let burst = u64::from(limit.burst.unwrap_or(limit.per_minute));
    let is_slow = limit.per_minute <= SLOW_PER_MINUTE;
    // A host that died knew of starts that no other could.
    let is_forgotten = |send: &Send| {
        let is_written = if is_slow { send.is_writable } else { send.is_settled };
        !is_written && !run.is_living(send.host)
    };
    for place in 0..run.plan.disturbances.hosts {
        let here = sends.iter().filter(|send| run.place(send.host) == place && counts(send));
        let starts: Vec<i64> =
            here.filter(|send| !is_forgotten(send)).map(|send| send.host_at).collect();
        for (first, from) in starts.iter().enumerate() {
            for (more, to) in (1..).zip(&starts[first..]) {
                let most = burst + (to - from) as u64 / spacing;
                assert!(more <= most, "{what}, host {place}: {more} from {from} to {to} ms");
            }
        }
    }
}

/// From when a host hears that a target has enough, until the rest is over, it sends
/// nothing there; what was under way then, was.
fn targets_are_left_alone(sends: &[Send]) {
    for limited in sends.iter().filter(|send| send.is_limited()) {
        let Some(Answered { sends: before, host_at }) = limited.answered else { continue };
        let rest = limited.retry_after.map_or(LEAST_REST, |seconds| seconds * 1000);
        let is_same = |send: &&Send| send.host == limited.host && send.endpoint == limited.endpoint;
        if let Some(next) = sends[before..].iter().find(is_same) {
            let waited = next.host_at - host_at;
            assert!(waited >= rest, "{waited} of {rest} ms of rest: {limited:?}, {next:?}");
        }
    }
}

fn panicked_deliveries_rest(sends: &[Send]) {
    for (number, panicked) in sends.iter().enumerate() {
        if panicked.fate != Fate::Panicked {
            continue;
        }
        // Whoever has lost it and does not know may send it, and not write it down.
        let is_next = |send: &&Send| {
            send.delivery == panicked.delivery
                && matches!(send.fate, Fate::Recorded | Fate::Panicked)
        };
        if let Some(next) = sends[number + 1..].iter().find(is_next) {
            let waited = next.host_at - panicked.host_at;
            assert!(waited >= PANIC_REST, "{waited} ms after a panic: {panicked:?}, {next:?}");
        }
    }
}
