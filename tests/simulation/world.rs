//! What is outside of the hosts: the targets, with their faults, and whoever
//! cuts a host off in the middle of an exchange.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::exchange::{Exchange, Outcome};
use alerts_domain::id::DeliveryId;
use alerts_engine::{Clock, Exchanged, ManualClock, Prepared, Transport};
use tokio::sync::Notify;

use crate::faults::Disturbances;
use crate::plan::{EndpointPlan, Ms};
use crate::random::Random;
use crate::targets::{Answer, Target, answer};

/// The header, or the words of an error, by which a stored exchange is known.
pub(crate) const MARK: &str = "x-simulated-send";

/// What became of a request as far as its host knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing yet.
    Open,
    /// Its end was written down.
    Recorded,
    /// Its host had lost the right to write it down.
    LeaseLost,
    /// Its host died meanwhile.
    Crashed,
}

/// One request that left a host.
#[derive(Debug, Clone)]
pub(crate) struct Send {
    pub(crate) host: usize,
    pub(crate) delivery: DeliveryId,
    pub(crate) endpoint: usize,
    /// Of the exact bytes.
    pub(crate) body: u64,
    /// By the clock of the hosts, in milliseconds since the epoch.
    pub(crate) host_at: i64,
    /// None: no answer.
    pub(crate) status: Option<u16>,
    pub(crate) fate: Fate,
}

impl Send {
    pub(crate) fn is_success(&self) -> bool {
        self.status == Some(200)
    }

    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, Some(404 | 410))
    }
}

/// What happens in the middle of a host's tick, in or after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// It dies.
    Crash,
    /// It stands still, and goes on later.
    Stall,
    /// The database begins to refuse writes.
    Outage,
    /// After the exchange: it could not write something down, and waits.
    Waits,
}

#[derive(Debug)]
struct State {
    random: Random,
    clock: Arc<ManualClock>,
    targets: Vec<Target>,
    sends: Vec<Send>,
    crash_percent: u64,
    stall_percent: u64,
    outage_percent: u64,
    may_interrupt: bool,
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
            crash_percent: if disturbances.crashes { 5 } else { 0 },
            stall_percent: if disturbances.stalls { 15 } else { 0 },
            outage_percent: if disturbances.outages { 8 } else { 0 },
            may_interrupt: true,
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
            send.fate = fate;
        }
    }

    /// A host has died: what it had under way ends nowhere.
    pub(crate) fn bury(&self, host: usize) {
        let mut state = self.state();
        let open = state.sends.iter_mut().filter(|send| send.fate == Fate::Open);
        open.filter(|send| send.host == host).for_each(|send| send.fate = Fate::Crashed);
    }

    fn receive(&self, host: usize, request: &Prepared) -> (Answer, Option<Interrupt>) {
        let endpoint: usize = request.url.path().trim_start_matches("/t/").parse().unwrap();
        let delivery = request.headers["webhook-id"].to_str().unwrap().parse().unwrap();
        let mut body = DefaultHasher::new();
        request.body.hash(&mut body);
        let mut state = self.state();
        let (number, now) = (state.sends.len(), state.now);
        let host_at = state.clock.now().as_millisecond();
        let answer = answer(state.targets[endpoint], now, number, &mut state.random);
        let status = answer.as_ref().ok().map(|response| response.status);
        state.sends.push(Send {
            host,
            delivery,
            endpoint,
            body: body.finish(),
            host_at,
            status,
            fate: Fate::Open,
        });
        let crash = state.crash_percent;
        let stall = crash + state.stall_percent;
        let outage = stall + state.outage_percent;
        let interrupt = match state.random.between(1, 100) {
            _ if !state.may_interrupt => None,
            drawn if drawn <= crash => Some(Interrupt::Crash),
            drawn if drawn <= stall => Some(Interrupt::Stall),
            drawn if drawn <= outage => Some(Interrupt::Outage),
            _ => None,
        };
        state.interrupt = interrupt;
        (answer, interrupt)
    }
}

/// The number of the send that a stored exchange is about.
pub(crate) fn number_of(exchange: &Exchange) -> usize {
    let text = match &exchange.outcome {
        Outcome::Response(response) => response.headers.get(MARK).unwrap().to_owned(),
        Outcome::Failed(error) => error.to_string().rsplit_once(' ').unwrap().1.to_owned(),
    };
    text.parse().unwrap()
}

#[derive(Debug)]
struct Line {
    world: World,
    host: usize,
}

impl Transport for Line {
    fn exchange(&self, request: Prepared) -> Exchanged<'_> {
        Box::pin(async move {
            let (answer, interrupt) = self.world.receive(self.host, &request);
            if let Some(interrupt) = interrupt {
                self.world.0.interrupted.notify_one();
                match interrupt {
                    Interrupt::Crash => std::future::pending().await,
                    _ => self.world.0.resumed.notified().await,
                }
            }
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
