//! Load: many connections, as fast as they are answered or at a steady pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::Outcome;
use crate::client::{Client, Post};
use crate::events::failed_run;

/// Clients that post at once.
pub(crate) const CONNECTIONS: usize = 64;

/// What is posted, and where.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) address: String,
    pub(crate) post: Post,
    /// Number of the first event.
    pub(crate) first: usize,
    pub(crate) events: usize,
    /// The events' types, in turn.
    pub(crate) types: Arc<[String]>,
    /// Events a second over all connections; as fast as answered when absent.
    pub(crate) rate: Option<f64>,
}

/// Posts all events; says how long it took. Every answer must be 2xx.
pub(crate) async fn run(load: Load) -> Outcome<Duration> {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let clients = (0..CONNECTIONS).map(|_| {
        let (load, next) = (load.clone(), next.clone());
        let client = async move {
            let mut client = Client::connect(&load.address).await?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= load.events {
                    return Outcome::Ok(());
                }
                if let Some(rate) = load.rate {
                    let at = started + Duration::from_secs_f64(number as f64 / rate);
                    tokio::time::sleep_until(at.into()).await;
                }
                let event_type = &load.types[number % load.types.len()];
                let body = failed_run(load.first + number, event_type);
                let status = client.post(&load.post, &body).await?;
                if !(200..300).contains(&status) {
                    return Err(format!("event {number} was answered {status}").into());
                }
            }
        };
        async move { tokio::spawn(client).await? }
    });
    try_join_all(clients).await?;
    Ok(started.elapsed())
}
