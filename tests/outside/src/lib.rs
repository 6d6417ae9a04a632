//! A host seen from outside: the program as a process, events posted to it, and
//! receivers of what it sends. The benchmark, the torture and the soak drive it
//! with these; what they measure or assert is their own.

#![expect(clippy::print_stdout, reason = "a peer tells its address on its output")]

pub mod client;
pub mod events;
pub mod host;
pub mod load;
pub mod peer;

/// What can fail here ends a run with a text for the developer.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs a program's work, or ends it when the program is told to end, so that what it
/// has started ends with it: a host in a process group of its own hears of no Ctrl-C.
///
/// # Errors
/// Those of the work; that it was interrupted.
pub async fn unless_interrupted<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Err("interrupted".into()),
        _ = terminate.recv() => Err("terminated".into()),
    }
}

/// Has to be called once before anything is sent: the load is plain HTTP, but its
/// client wants to know who would do TLS.
pub fn prepare() {
    // A second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
