//! The tenant that behaves: a few events a second, at a steady pace, each of which
//! becomes an alert. It notices how long its events take to be accepted.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alerts_outside::Outcome;
use alerts_outside::client::Client;
use alerts_outside::events::failed_run;
use alerts_outside::host::Host;
use alerts_outside::peer::Peer;
use tokio::task::JoinSet;

/// Its connections, and events a second on each: enough for a 99th percentile a
/// minute, and far from any limit.
const CONNECTIONS: usize = 4;
const RATE: f64 = 10.0;

/// What it was told in all.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told {
    /// Events that were answered 202.
    pub(crate) accepted: usize,
    /// Events that were answered anything else, or not at all, with the first answer.
    pub(crate) refused: usize,
    pub(crate) first_refusal: Option<String>,
}

#[derive(Default)]
struct Shared {
    next: AtomicUsize,
    stop: AtomicBool,
    accepts_us: Mutex<Vec<i64>>,
    told: Mutex<Told>,
}

/// Posts until it is stopped.
pub(crate) struct Steady {
    shared: Arc<Shared>,
    connections: JoinSet<()>,
}

impl Steady {
    pub(crate) async fn start(host: &Host, receiver: &Peer) -> Outcome<Self> {
        let event_type: Arc<str> = host.make_rules(&receiver.address, 1).await?[0].as_str().into();
        let shared = Arc::new(Shared::default());
        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (shared, event_type) = (shared.clone(), event_type.clone());
            connections.spawn(post(host.address.clone(), event_type, shared));
        }
        Ok(Self { shared, connections })
    }

    /// How long the events since the last call waited to be accepted, in microseconds.
    pub(crate) fn take_accepts(&mut self) -> Vec<i64> {
        std::mem::take(&mut lock(&self.shared.accepts_us))
    }

    /// Stops, once every event that was begun has been answered.
    pub(crate) async fn stop(mut self) -> Outcome<Told> {
        self.shared.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.connections.join_next().await {
            ended?;
        }
        Ok(lock(&self.shared.told).clone())
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Posts at its pace. What was late to be posted counts from when it was due, so that
/// a host that does not answer cannot hide it by being asked less.
async fn post(address: String, event_type: Arc<str>, shared: Arc<Shared>) {
    let post = Host::post();
    let mut client = None;
    let started = Instant::now();
    for turn in 0_u32.. {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let due = started + Duration::from_secs_f64(f64::from(turn) / RATE);
        tokio::time::sleep_until(due.into()).await;
        let body = failed_run(shared.next.fetch_add(1, Ordering::SeqCst), &event_type);
        let answered = async {
            let mut connected = match client.take() {
                Some(client) => client,
                None => Client::connect(&address).await?,
            };
            let status = connected.post(&post, &body).await?;
            client = Some(connected);
            Outcome::Ok(status)
        };
        let refused = |why: String| {
            let mut told = lock(&shared.told);
            told.refused += 1;
            told.first_refusal.get_or_insert(why);
        };
        match answered.await {
            Ok(202) => {
                lock(&shared.told).accepted += 1;
                let us = due.elapsed().as_micros();
                lock(&shared.accepts_us).push(i64::try_from(us).unwrap_or(i64::MAX));
            }
            Ok(status) => refused(format!("answered {status}")),
            Err(error) => refused(error.to_string()),
        }
    }
}
