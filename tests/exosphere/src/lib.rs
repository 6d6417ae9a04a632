//! A stand-in for Exosphere's state-manager: it answers over HTTP as the real one was
//! recorded to, and its runs do what tests, or the demo, make them do.

mod faults;
mod http;
mod model;
pub mod play;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use tokio::net::TcpListener;

pub use faults::Fault;
use model::Model;
pub use model::StateStatus;

/// The secret that it is started with.
pub const KEY: &str = "exosphere-stand-in-secret";

/// A state-manager. Cheap to clone; all clones are the same one.
#[derive(Debug, Clone)]
pub struct StandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    model: Mutex<Model>,
    fault: Mutex<Fault>,
    requests: AtomicUsize,
}

impl Shared {
    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn {
    /// Starts one, empty, and serves it until the process ends.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            model: Mutex::default(),
            fault: Mutex::default(),
            requests: AtomicUsize::new(0),
        });
        let router = http::router(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests it has had.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// What is wrong with it from now on.
    pub fn fail(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// How far its wall clock is ahead of UTC from now on.
    pub fn set_clock(&self, ahead: SignedDuration) {
        self.shared.model().ahead = ahead;
    }

    /// Its database is lost, and made anew.
    pub fn forget_all(&self) {
        self.shared.model().forget_all();
    }

    /// A namespace registers a node, and is listed from then on.
    pub fn register(&self, namespace: &str) {
        self.shared.model().registered.insert(namespace.to_owned());
    }

    /// A run with one state that is under way. Answers with its id.
    pub fn trigger(&self, namespace: &str, graph: &str) -> String {
        let mut model = self.shared.model();
        let run = model.create_run(namespace, graph);
        model.create_state(&run, "Start", None);
        run
    }

    /// A run whose trigger broke before its first state was written.
    pub fn trigger_broken(&self, namespace: &str, graph: &str) -> String {
        self.shared.model().create_run(namespace, graph)
    }

    /// A further state of a run, after another perhaps. Answers with its id.
    pub fn next(&self, run: &str, node: &str, after: Option<&str>) -> String {
        self.shared.model().create_state(run, node, after)
    }

    /// A worker or the state-manager says what became of a state.
    pub fn set(&self, state: &str, status: StateStatus) {
        self.shared.model().set(state, status);
    }

    /// The run's last state succeeds.
    pub fn succeed(&self, run: &str) {
        self.last(run, StateStatus::Success);
    }

    /// The run's first state succeeds.
    pub fn succeed_first(&self, run: &str) {
        self.shared.model().succeed_first(run);
    }

    /// The run's last state fails.
    pub fn error(&self, run: &str) {
        self.last(run, StateStatus::Errored);
    }

    /// A person retries the run's last state.
    pub fn retry(&self, run: &str) -> String {
        let mut model = self.shared.model();
        let last = model.last_state(run);
        model.retry(&last)
    }

    /// The run's last state is enqueued again in its place.
    pub fn enqueue_again(&self, run: &str) {
        self.last(run, StateStatus::Created);
    }

    /// A state of a kind that no bucket counts, as an unmerged change of the platform has
    /// it: it is in the total and in nothing else.
    pub fn time_out(&self, run: &str) {
        self.last(run, StateStatus::TimedOut);
    }

    fn last(&self, run: &str, status: StateStatus) {
        let mut model = self.shared.model();
        let last = model.last_state(run);
        model.set(&last, status);
    }
}
