//! Load: many connections, as fast as they are answered or at a steady pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::Outcome;
use crate::client::{Client, Post};
use crate::events::failed_run;

/// Clients that post at once.
pub const CONNECTIONS: usize = 64;

/// What is posted, and where.
#[derive(Clone)]
pub struct Load {
    /// Where the host listens.
    pub address: String,
    /// Whose events they are.
    pub post: Post,
    /// Number of the first event.
    pub first: usize,
    /// How many are posted.
    pub events: usize,
    /// The events' types, in turn.
    pub types: Arc<[String]>,
    /// Events in one request; more than one make a batch.
    pub batch: usize,
    /// Events a second over all connections; as fast as answered when absent.
    pub rate: Option<f64>,
}

impl Load {
    /// The request that begins with event `number`.
    fn body(&self, number: usize) -> String {
        let event =
            |number: usize| failed_run(self.first + number, &self.types[number % self.types.len()]);
        if self.batch == 1 {
            return event(number);
        }
        let events: Vec<String> =
            (number..self.events.min(number + self.batch)).map(event).collect();
        format!("[{}]", events.join(","))
    }
}

/// Posts all events; says how long it took.
///
/// # Errors
/// At the first answer that is not 2xx.
pub async fn run(load: Load) -> Outcome<Duration> {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let clients = (0..CONNECTIONS).map(|_| {
        let (load, next) = (load.clone(), next.clone());
        let client = async move {
            let mut client = Client::connect(&load.address).await?;
            loop {
                let number = next.fetch_add(load.batch, Ordering::Relaxed);
                if number >= load.events {
                    return Outcome::Ok(());
                }
                if let Some(rate) = load.rate {
                    let at = started + Duration::from_secs_f64(number as f64 / rate);
                    tokio::time::sleep_until(at.into()).await;
                }
                let status = client.post(&load.post, &load.body(number)).await?;
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
