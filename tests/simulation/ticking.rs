//! Ticks: a host does what is due, and is cut off in the middle; or several do
//! at once.

use std::time::Duration;

use alerts_domain::id::DeliveryId;
use alerts_engine::{Clock as _, EngineError};
use alerts_store::FinishOutcome;

use crate::course::Interrupt;
use crate::faults::Outage;
use crate::outages::Waited;
use crate::run::{PAST_THE_LEASE, Run};
use crate::sends::Fate;

type Ended = Vec<(DeliveryId, FinishOutcome)>;

/// A host that stood still in the middle of an exchange.
struct Stalled {
    send: usize,
    /// Its lease was over, and another host has seen that.
    is_taken_over: bool,
}

impl Run<'_> {
    /// A host does what is due; it may be cut off in the middle.
    pub(crate) async fn tick(&mut self, host: usize) {
        self.model.doing += 1;
        let (engine, outage_before) = (self.engine(host), self.outage);
        let outages_before = self.outages;
        self.note(format!("  tick of host {host}"));
        if !outage_before.is_some_and(Outage::stops_all) {
            self.model.tick(self.now(), self.has_language(host));
        }
        let (started_at, mut held) = (self.clock.now(), Vec::new());
        if self.living().len() > 1 {
            held = self.database.held_by_others(engine.host_id(), started_at).await;
        }
        let first_send = self.world.send_count();
        let (mut ended, mut stalled, mut waits) = (Ended::new(), Vec::new(), 0);
        let done = {
            let world = self.world.clone();
            let mut ticking = Box::pin(engine.tick(&mut ended));
            loop {
                let interrupt = tokio::select! {
                    biased;
                    done = &mut ticking => break Some(done),
                    interrupt = world.interrupted() => interrupt,
                };
                match interrupt {
                    Interrupt::Crash => break None,
                    Interrupt::Stall => {
                        let send = world.send_count() - 1;
                        let is_taken_over = Box::pin(self.stall(host)).await;
                        stalled.push(Stalled { send, is_taken_over });
                        world.resume();
                    }
                    Interrupt::Outage => {
                        let outage = Outage::draw(&mut self.random);
                        self.break_database(outage).await;
                        world.resume();
                    }
                    Interrupt::Waits => {
                        waits += 1;
                        if Box::pin(self.wait_out(host, waits)).await == Waited::Crashed {
                            break None;
                        }
                    }
                }
            }
        };
        self.conclude(host, first_send, &ended);
        match done {
            Some(done) => self.judge_end(host, done, outage_before, outages_before),
            None => {
                self.note(format!("  host {host} dies in the middle of an exchange"));
                self.crash(host);
            }
        }
        self.look_at_sends(first_send, &stalled);
        if self.clock.now() == started_at {
            let sends = self.world.sends();
            // What it lost and does not know of it may send, and not write down.
            let mut written = sends[first_send..].iter().filter(|s| s.fate == Fate::Recorded);
            let taken = written.find(|send| held.contains(&send.delivery));
            assert!(taken.is_none(), "host {host} took what another holds: {taken:?}");
        }
        self.observe().await;
    }

    /// Several hosts at once. Who is first with what is left to the database: such
    /// a run does not go the same way again, but what must hold holds.
    pub(crate) async fn tick_together(&mut self) {
        self.model.doing += 1;
        let hosts = self.living();
        self.note(format!("  hosts {hosts:?} tick at once"));
        let has_language = hosts.iter().any(|host| self.has_language(*host));
        self.model.tick(self.now(), has_language);
        let could = self.world.allow_interrupts(false);
        let first_send = self.world.send_count();
        let ticking: Vec<_> = hosts
            .iter()
            .map(|host| {
                let engine = self.engine(*host);
                tokio::spawn(async move {
                    let mut ended = Ended::new();
                    let done = engine.tick(&mut ended).await;
                    (ended, done)
                })
            })
            .collect();
        for (host, ticking) in hosts.into_iter().zip(ticking) {
            let (ended, done) = tokio::select! {
                biased;
                done = ticking => done.unwrap(),
                _ = self.world.interrupted() => panic!("a host waits, and the database works"),
            };
            self.conclude(host, first_send, &ended);
            done.unwrap();
            self.world.settle(self.number(host));
        }
        self.world.allow_interrupts(could);
        self.look_at_sends(first_send, &[]);
        self.observe().await;
    }

    /// What a host was told of its results.
    fn conclude(&self, host: usize, first_send: usize, ended: &Ended) {
        for (delivery, outcome) in ended {
            let fate = match outcome {
                FinishOutcome::LeaseLost => Fate::LeaseLost,
                _ => Fate::Recorded,
            };
            self.world.conclude(first_send, self.number(host), *delivery, fate);
        }
    }

    /// A tick may fail in an outage, and must where the host cannot beat.
    fn judge_end(
        &self,
        host: usize,
        done: Result<(), EngineError>,
        outage_before: Option<Outage>,
        outages_before: usize,
    ) {
        let beats =
            !outage_before.is_some_and(|outage| outage.stops_all() || outage == Outage::Heartbeats);
        match done {
            Ok(()) => {
                assert!(beats, "host {host} says all is well, and could not beat");
                self.world.settle(self.number(host));
            }
            Err(error) => {
                let was_out = outage_before.is_some() || self.outages > outages_before;
                assert!(was_out, "the database works, and: {error}");
                self.note(format!("  host {host} fails: {error}"));
            }
        }
    }

    fn look_at_sends(&self, first_send: usize, stalled: &[Stalled]) {
        let sends = self.world.sends();
        for Stalled { send, is_taken_over } in stalled {
            let is_stale_write = *is_taken_over && sends[*send].fate == Fate::Recorded;
            assert!(!is_stale_write, "a stale worker wrote down send {send}");
        }
        for (index, send) in sends.iter().enumerate().skip(first_send) {
            let (delivery, status, fate) = (send.delivery, send.status, send.fate);
            self.note(format!("    send {index}: {delivery} {status:?} {fate:?}"));
            assert!(!send.is_forbidden, "to an endpoint that is off or deleted: {send:?}");
        }
    }

    /// A host stands still, and another one goes on; or the same one, with other
    /// work. Says whether its lease is over by then, and the other has seen that.
    async fn stall(&mut self, host: usize) -> bool {
        self.observe().await;
        let could = self.world.allow_interrupts(false);
        let others: Vec<usize> = self.living().into_iter().filter(|other| *other != host).collect();
        let is_long = self.random.percent(60);
        let time = if is_long { PAST_THE_LEASE } else { Duration::from_secs(4) };
        self.clock.advance(time);
        let other = others.first().copied().unwrap_or(host);
        self.note(format!("  host {host} stands still for {time:?}; host {other} goes on"));
        let can_take_over = matches!(self.outage, None | Some(Outage::Results));
        self.tick(other).await;
        if other != host && self.random.percent(50) {
            // Only one of its workers stands still: the others may claim anew what
            // it has lost, and hold it when it goes on.
            self.clock.advance(Duration::from_secs(self.random.pick(&[1, 5, 25])));
            self.note(format!("  host {host} goes on with other work"));
            self.tick(host).await;
        }
        self.world.allow_interrupts(could);
        self.note(format!("  host {host} goes on"));
        let is_taken_over = is_long && other != host && can_take_over;
        if is_taken_over && self.plan.disturbances.crashes {
            self.forgotten = Some(host);
        }
        is_taken_over
    }
}
