//! The load: emitters that tell each event until it is accepted, and somebody who
//! changes an endpoint all the time. Keeps what was promised to them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerts_outside::Outcome;
use alerts_outside::events::failed_run;
use alerts_outside::host::{self, Host, KEY, NAMESPACE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::receiver::Receiver;

/// Emitters that post at once: enough to share commits.
const EMITTERS: usize = 8;
/// Events that an emitter posts without a pause, and the pause after them: some
/// hundreds a second in all, so that fifty rounds fit into memory.
const BURST: usize = 10;
const PAUSE: Duration = Duration::from_millis(100);
/// What somebody waits who was not answered.
const RETRY: Duration = Duration::from_millis(5);

const TYPE: &str = "workflow.failed";

/// An event that was answered 202.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    /// The emitter's id.
    pub(crate) event: String,
    /// The host's, `evt_…`.
    pub(crate) stored: String,
}

/// What the host has promised.
#[derive(Debug, Default)]
pub(crate) struct Promised {
    accepted: Mutex<Vec<Accepted>>,
    /// The change of the endpoint that was asked for last, and the last one that was
    /// answered 200. They count up from 1.
    asked: AtomicU64,
    kept: AtomicU64,
}

impl Promised {
    /// Those accepted events after the first `skipped`.
    pub(crate) fn accepted_after(&self, skipped: usize) -> Vec<Accepted> {
        let accepted = self.accepted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        accepted.get(skipped..).unwrap_or_default().to_vec()
    }

    pub(crate) fn accepted_count(&self) -> usize {
        self.accepted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len()
    }

    /// The last change that was answered, and the last that was asked for.
    pub(crate) fn changes(&self) -> (u64, u64) {
        (self.kept.load(Ordering::SeqCst), self.asked.load(Ordering::SeqCst))
    }
}

/// Makes an endpoint to the receiver with a rule; answers with the endpoint's path.
pub(crate) async fn prepare(host: &Host, receiver: &Receiver) -> Outcome<String> {
    let endpoint = json!({"name": name_of(0), "target_url": receiver.url});
    let endpoint = host.create("webhooks", endpoint).await?;
    let rule = json!({
        "name": "On failure",
        "event_type": TYPE,
        "webhook_endpoint_id": endpoint["id"],
        "retry_policy": {"strategy": "FIXED", "backoff_factor": 200, "max_retries": 50},
    });
    host.create("alert-rules", rule).await?;
    Ok(format!("/v1/webhooks/{}", endpoint["id"].as_str().ok_or("no id")?))
}

/// The endpoint's name after so many changes.
fn name_of(change: u64) -> String {
    format!("Change {change}")
}

/// How many changes made this endpoint.
pub(crate) fn change_in(endpoint: &Value) -> Option<u64> {
    endpoint["name"].as_str()?.strip_prefix("Change ")?.parse().ok()
}

/// Runs until it is stopped, whether a host is there or not.
pub(crate) struct Load {
    pub(crate) promised: Arc<Promised>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Outcome>,
}

impl Load {
    /// On the host at `address`; `endpoint` is the path of the endpoint to change.
    pub(crate) fn start(address: &str, endpoint: &str) -> Outcome<Self> {
        let (promised, stop) = (Arc::new(Promised::default()), Arc::new(AtomicBool::new(false)));
        let next = Arc::new(AtomicU64::new(0));
        let client = || reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30));
        let mut tasks = JoinSet::new();
        for _ in 0..EMITTERS {
            let emitter = Emitter {
                http: client().build()?,
                url: format!("http://{address}/v1/events"),
                promised: promised.clone(),
                stop: stop.clone(),
            };
            tasks.spawn(emitter.run(next.clone()));
        }
        let changes = change(
            client().build()?,
            address.to_owned(),
            endpoint.to_owned(),
            promised.clone(),
            stop.clone(),
        );
        tasks.spawn(changes);
        Ok(Self { promised, stop, tasks })
    }

    /// Waits until so many more are accepted. An emitter that was answered what it
    /// must never be is an error.
    pub(crate) async fn accepts(&mut self, more: usize) -> Outcome {
        let enough = self.promised.accepted_count() + more;
        let give_up = std::time::Instant::now() + Duration::from_secs(60);
        while self.promised.accepted_count() < enough {
            if let Some(ended) = self.tasks.try_join_next() {
                ended??;
            }
            if std::time::Instant::now() > give_up {
                return Err("the host accepts nothing any more".into());
            }
            tokio::time::sleep(RETRY).await;
        }
        Ok(())
    }

    /// Stops it: each event that was begun has been accepted.
    pub(crate) async fn stop(mut self) -> Outcome<Arc<Promised>> {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(self.promised)
    }
}

struct Emitter {
    http: reqwest::Client,
    url: String,
    promised: Arc<Promised>,
    stop: Arc<AtomicBool>,
}

impl Emitter {
    async fn run(self, next: Arc<AtomicU64>) -> Outcome {
        while !self.stop.load(Ordering::SeqCst) {
            for _ in 0..BURST {
                let number = next.fetch_add(1, Ordering::SeqCst);
                self.tell(number as usize).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Tells one event until it is accepted, as an outbox does.
    async fn tell(&self, number: usize) -> Outcome {
        let body = failed_run(number, TYPE);
        loop {
            match self.post(&body).await {
                Ok((StatusCode::ACCEPTED, answer)) => {
                    let of = &answer["events"][0];
                    let text = |field: &str| of[field].as_str().map(str::to_owned);
                    let (event, stored) = (text("event_id"), text("id"));
                    let (event, stored) = event.zip(stored).ok_or("an answer without ids")?;
                    let accepted = Accepted { event, stored };
                    let mut all = self.promised.accepted.lock();
                    all.as_mut().map_err(|_| "somebody panicked")?.push(accepted);
                    return Ok(());
                }
                // Its disk is gone, and soon the host will be.
                Ok((status, _)) if status.is_server_error() => {}
                Ok((status, answer)) => {
                    return Err(format!("an event was answered {status}: {answer}").into());
                }
                Err(_) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn post(&self, body: &str) -> Result<(StatusCode, Value), reqwest::Error> {
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/cloudevents+json")
            .header("x-api-key", KEY)
            .header("x-exosphere-namespace", NAMESPACE)
            .body(body.to_owned());
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }
}

/// Changes the endpoint, one change after the other, each with an audit entry.
async fn change(
    http: reqwest::Client,
    address: String,
    endpoint: String,
    promised: Arc<Promised>,
    stop: Arc<AtomicBool>,
) -> Outcome {
    while !stop.load(Ordering::SeqCst) {
        let number = promised.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let body = Some(json!({"name": name_of(number)}));
        let call = host::call(&http, &address, NAMESPACE, Method::PATCH, &endpoint, body);
        if call.await.is_ok() {
            promised.kept.store(number, Ordering::SeqCst);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
