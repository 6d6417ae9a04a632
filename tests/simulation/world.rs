//! What is outside of the hosts: the targets, with their faults, and whoever
//! cuts a host off in the middle of an exchange.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::id::DeliveryId;
use alerts_engine::{Clock, Exchanged, ManualClock, Prepared, Transport};
use tokio::sync::Notify;

use crate::course::{Course, Interrupt, Percents};
use crate::faults::Disturbances;
use crate::plan::{EndpointPlan, Ms};
use crate::random::Random;
use crate::sends::{Answered, Fate, MARK, Send};
use crate::targets::{Answer, Target, answer};

#[derive(Debug)]
struct State {
    random: Random,
    clock: Arc<ManualClock>,
    targets: Vec<Target>,
    /// The endpoints to which nothing may be sent.
    forbidden: Vec<bool>,
    sends: Vec<Send>,
    percents: Percents,
    may_interrupt: bool,
    /// Whether the database takes all writes.
    is_writable: bool,
    interrupt: Option<Interrupt>,
    now: Ms,
}

/// Cheap to clone; all clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct World(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    interrupted: Notify,
    resumed: Notify,
}

impl World {
    pub(crate) fn new(
        random: Random,
        endpoints: &[EndpointPlan],
        disturbances: Disturbances,
        clock: Arc<ManualClock>,
    ) -> Self {
        let state = State {
            random,
            clock,
            targets: endpoints.iter().map(|endpoint| endpoint.target).collect(),
            sends: Vec::new(),
            forbidden: vec![false; endpoints.len()],
            percents: Percents::of(&disturbances),
            may_interrupt: true,
            is_writable: true,
            interrupt: None,
            now: 0,
        };
        let (interrupted, resumed) = (Notify::new(), Notify::new());
        Self(Arc::new(Shared { state: state.into(), interrupted, resumed }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock of all hosts, which tells when one begins to wait.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(WatchedClock { world: self.clone(), clock: self.state().clock.clone() })
    }

    /// The door of one host to this world.
    pub(crate) fn transport(&self, host: usize) -> Arc<dyn Transport> {
        Arc::new(Line { world: self.clone(), host })
    }

    pub(crate) fn set_now(&self, now: Ms) {
        self.state().now = now;
    }

    /// Whether hosts may be cut off in an exchange. Says whether they could before.
    pub(crate) fn allow_interrupts(&self, may: bool) -> bool {
        std::mem::replace(&mut self.state().may_interrupt, may)
    }

    /// Whether anything may be sent to an endpoint, from now on.
    pub(crate) fn forbid(&self, endpoint: usize, is_forbidden: bool) {
        self.state().forbidden[endpoint] = is_forbidden;
    }

    /// Whether the database takes all writes, from now on.
    pub(crate) fn set_writable(&self, is_writable: bool) {
        self.state().is_writable = is_writable;
    }

    /// A host has ended a tick, and all was well.
    pub(crate) fn settle(&self, host: usize) {
        let mut state = self.state();
        state.sends.iter_mut().filter(|send| send.host == host).for_each(|s| s.is_settled = true);
    }

    /// From now on all is well.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.targets.fill(Target::Well);
        state.may_interrupt = false;
    }

    pub(crate) fn may_interrupt(&self) -> bool {
        self.state().may_interrupt
    }

    /// Ends when a host is cut off, or waits.
    pub(crate) async fn interrupted(&self) -> Interrupt {
        loop {
            if let Some(interrupt) = self.state().interrupt.take() {
                return interrupt;
            }
            self.0.interrupted.notified().await;
        }
    }

    /// Lets the host that stands still go on.
    pub(crate) fn resume(&self) {
        self.0.resumed.notify_one();
    }

    pub(crate) fn sends(&self) -> Vec<Send> {
        self.state().sends.clone()
    }

    pub(crate) fn send_count(&self) -> usize {
        self.state().sends.len()
    }

    /// A host has learned what became of its oldest open request for a delivery
    /// among those from number `first` on, if it had sent one.
    pub(crate) fn conclude(&self, first: usize, host: usize, delivery: DeliveryId, fate: Fate) {
        let mut state = self.state();
        let mut open = state.sends[first..].iter_mut().filter(|send| send.fate == Fate::Open);
        if let Some(send) = open.find(|send| send.host == host && send.delivery == delivery) {
            send.fate = match fate {
                Fate::Recorded if send.is_panic => Fate::Panicked,
                fate => fate,
            };
        }
    }

    /// A host has died: what it had under way ends nowhere.
    pub(crate) fn bury(&self, host: usize) {
        let mut state = self.state();
        let open = state.sends.iter_mut().filter(|send| send.fate == Fate::Open);
        open.filter(|send| send.host == host).for_each(|send| send.fate = Fate::Crashed);
    }

    /// A request arrives. Says its number, its answer, and how the exchange goes on.
    fn receive(&self, host: usize, request: &Prepared) -> (usize, Answer, Course) {
        let endpoint: usize = request.url.path().trim_start_matches("/t/").parse().unwrap();
        let delivery = request.headers["webhook-id"].to_str().unwrap().parse().unwrap();
        let mut body = DefaultHasher::new();
        request.body.hash(&mut body);
        let mut state = self.state();
        let (number, now) = (state.sends.len(), state.now);
        let answer = answer(state.targets[endpoint], now, number, &mut state.random);
        let course = match state.may_interrupt {
            true => {
                let State { percents, random, .. } = &mut *state;
                percents.draw(random)
            }
            false => Course::Smooth,
        };
        let response = answer.as_ref().ok();
        let send = Send {
            host,
            delivery,
            endpoint,
            body: body.finish(),
            host_at: state.clock.now().as_millisecond(),
            status: response.map(|response| response.status),
            retry_after: response
                .and_then(|response| response.headers.get("retry-after"))
                .map(|seconds| seconds.parse().unwrap()),
            answered: None,
            is_panic: matches!(course, Course::Panic),
            is_forbidden: state.forbidden[endpoint],
            is_writable: state.is_writable,
            is_settled: false,
            fate: Fate::Open,
        };
        state.sends.push(send);
        state.interrupt = match course {
            Course::Interrupted(interrupt) => Some(interrupt),
            _ => None,
        };
        (number, answer, course)
    }

    /// A host hears what became of a request.
    fn answer(&self, number: usize) {
        let mut state = self.state();
        let (sends, host_at) = (state.sends.len(), state.clock.now().as_millisecond());
        state.sends[number].answered = Some(Answered { sends, host_at });
    }
}

#[derive(Debug)]
struct Line {
    world: World,
    host: usize,
}

impl Transport for Line {
    fn exchange(&self, request: Prepared) -> Exchanged<'_> {
        Box::pin(async move {
            let (number, answer, course) = self.world.receive(self.host, &request);
            match course {
                Course::Smooth => {}
                Course::Interrupted(interrupt) => {
                    self.world.0.interrupted.notify_one();
                    match interrupt {
                        Interrupt::Crash => std::future::pending().await,
                        _ => self.world.0.resumed.notified().await,
                    }
                }
                Course::Slow(time) => {
                    let clock = self.world.state().clock.clone();
                    clock.advance(time);
                }
                // As a panic, but without its words on the terminal.
                Course::Panic => resume_unwind(Box::new(format!("{MARK}: {number} (simulated)"))),
            }
            self.world.answer(number);
            answer
        })
    }
}

#[derive(Debug)]
struct WatchedClock {
    world: World,
    clock: Arc<ManualClock>,
}

impl Clock for WatchedClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// In a tick a host waits for nothing but the database.
    fn sleep_until(
        &self,
        until: Timestamp,
    ) -> Pin<Box<dyn Future<Output = ()> + std::marker::Send + '_>> {
        self.world.state().interrupt = Some(Interrupt::Waits);
        self.world.0.interrupted.notify_one();
        self.clock.sleep_until(until)
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}
