//! The requests that left hosts, and what became of each.

use alerts_domain::exchange::{Exchange, Outcome};
use alerts_domain::id::DeliveryId;

/// The header, or the words of an error, by which a stored exchange is known.
pub(crate) const MARK: &str = "x-simulated-send";

/// What became of a request as far as its host knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing yet.
    Open,
    /// Its end was written down.
    Recorded,
    /// The transport panicked, and its delivery was given back.
    Panicked,
    /// Its host had lost the right to write it down.
    LeaseLost,
    /// Its host died meanwhile.
    Crashed,
}

/// When a host heard of what became of its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    /// How many requests had left by then, of all hosts.
    pub(crate) sends: usize,
    /// By the clock of the hosts, in milliseconds since the epoch.
    pub(crate) host_at: i64,
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
    /// For how many seconds the target asks to be left alone, if it does.
    pub(crate) retry_after: Option<i64>,
    /// None: not yet, or the host was not there any more.
    pub(crate) answered: Option<Answered>,
    /// The transport panicked after it had sent this.
    pub(crate) is_panic: bool,
    /// Every host knew by then that the endpoint is off, or deleted.
    pub(crate) is_forbidden: bool,
    /// The database took all writes when it left.
    pub(crate) is_writable: bool,
    /// A tick of its host has ended since, and all was well.
    pub(crate) is_settled: bool,
    pub(crate) fate: Fate,
}

impl Send {
    pub(crate) fn is_success(&self) -> bool {
        self.status == Some(200)
    }

    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, Some(404 | 410))
    }

    /// The target has said that it has enough, and the host has heard it.
    pub(crate) fn is_limited(&self) -> bool {
        self.status == Some(429) && !self.is_panic
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
