//! The peers, each a process of its own: a receiver that answers at once, and a
//! relay that is what any sender must at least be.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::Outcome;

/// A process of this program that tells its address.
pub struct Peer {
    /// Where it listens.
    pub address: String,
    _process: Child,
}

impl Peer {
    /// Starts this program again with these arguments, which name a role that ends
    /// in [`receiver`] or [`relay`].
    ///
    /// # Errors
    /// When it does not tell its address.
    pub async fn start(role: &[&str]) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(role)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = process.stdout.take().ok_or("the peer has no output")?;
        let address = BufReader::new(out).lines().next_line().await?.ok_or("the peer ended")?;
        Ok(Self { address, _process: process })
    }
}

/// What a receiver has seen since it was last asked: how many requests, and for
/// each the microseconds since the time that its alert names.
///
/// # Errors
/// When the receiver has ended.
pub async fn seen(receiver: &Peer) -> Outcome<Vec<i64>> {
    let text = reqwest::get(format!("http://{}/seen", receiver.address)).await?.text().await?;
    Ok(serde_json::from_str(&text)?)
}

/// Waits until a receiver has seen `count` requests; answers with their delays.
///
/// # Errors
/// When they have not come within two minutes.
pub async fn wait_for(receiver: &Peer, count: usize) -> Outcome<Vec<i64>> {
    let mut delays = Vec::with_capacity(count);
    let give_up = std::time::Instant::now() + Duration::from_secs(120);
    while delays.len() < count {
        delays.extend(seen(receiver).await?);
        if std::time::Instant::now() > give_up {
            return Err(format!("only {} of {count} alerts arrived", delays.len()).into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(delays)
}

/// Has a receiver answer 200 from now on, or 503 and see nothing.
///
/// # Errors
/// When the receiver has ended.
pub async fn set_well(receiver: &Peer, is_well: bool) -> Outcome {
    let path = if is_well { "well" } else { "ill" };
    reqwest::get(format!("http://{}/{path}", receiver.address)).await?.error_for_status()?;
    Ok(())
}

#[derive(Clone, Default)]
struct Seen {
    delays_us: Arc<Mutex<Vec<i64>>>,
    is_ill: Arc<AtomicBool>,
}

/// A receiver that answers at once; prints its address and runs until it is killed.
///
/// # Errors
/// When it cannot listen.
pub async fn receiver() -> Outcome {
    let set = |is_ill| {
        get(move |State(seen): State<Seen>| async move {
            seen.is_ill.store(is_ill, Ordering::Relaxed);
        })
    };
    let app = Router::new()
        .route("/", post(receive))
        .route("/seen", get(tell))
        .route("/well", set(false))
        .route("/ill", set(true))
        .with_state(Seen::default());
    serve(app).await
}

async fn receive(State(seen): State<Seen>, body: Bytes) -> StatusCode {
    if seen.is_ill.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let now = Timestamp::now();
    let delay_us = time_in(&body).map_or(0, |then| now.as_microsecond() - then.as_microsecond());
    if let Ok(mut delays_us) = seen.delays_us.lock() {
        delays_us.push(delay_us);
    }
    StatusCode::OK
}

/// The moment of posting, in an alert (`occurred_at`) or in the event itself.
fn time_in(body: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(body).ok()?;
    let after = text.split_once(r#""occurred_at":""#).or_else(|| text.split_once(r#""time":""#))?.1;
    after.split('"').next()?.parse().ok()
}

async fn tell(State(seen): State<Seen>) -> String {
    let delays =
        seen.delays_us.lock().map(|mut seen| std::mem::take(&mut *seen)).unwrap_or_default();
    serde_json::to_string(&delays).unwrap_or_default()
}

/// Passes on what it gets, and answers as it was answered. Stores nothing.
///
/// # Errors
/// When it cannot listen.
pub async fn relay(target: &str) -> Outcome {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let target = format!("http://{target}/");
    let pass_on = move |body: Bytes| {
        let request = client.post(&target).body(body);
        async move {
            match request.send().await {
                Ok(answer) => answer.status(),
                Err(_) => StatusCode::BAD_GATEWAY,
            }
        }
    };
    serve(Router::new().route("/", post(pass_on))).await
}

async fn serve(app: Router) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    use axum::serve::ListenerExt as _;
    let listener = listener.tap_io(|stream| {
        // A stream that does not take the option is only slower.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}
