//! The company's last day, lived through in seconds: the product's own engine, with a
//! clock that is moved by hand and receivers that answer without a network. So charts,
//! retries, circuits and the audit log show what such a day leaves behind.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::exchange::{Response, TransportError};
use alerts_domain::header::Headers;
use alerts_engine::{
    Actor, Clock as _, Deadlines, Engine, EngineParts, Exchanged, Expected, ManualClock, Prepared,
    RulePatch, Transport,
};
use alerts_store::{DeliveryFilter, RedriveScope};

use super::DemoError;
use super::company::{ANALYTICS, COMPANY, SWITCHED_OFF};
use super::setup::{Pause, tenant};
use super::targets::{Answer, Behaviour, Targets};
use super::workflows::{self, Told};
use crate::builtin;

/// How long the past is: as far back as the dashboard's charts reach.
pub(super) const LENGTH: Duration = Duration::from_secs(24 * 60 * 60);
/// Between its end and the present, longer than the lease of the host that lives it: what
/// that one leaves unfinished, the host of the present takes up at once.
pub(super) const GAP: Duration = Duration::from_secs(60);
/// Between two things that people do.
const BETWEEN_DEEDS: Duration = Duration::from_secs(40);
/// Events of so many seconds are posted together: each commit waits for the disk.
const TOGETHER_S: i64 = 120;
/// Shortest step of the clock towards what is due.
const STEP: Duration = Duration::from_secs(20);
/// Most deliveries of a namespace that are asked for what is due next.
const LOOK_AT: u32 = 100;

/// The host of the past.
struct Host {
    engine: Engine,
    clock: Arc<ManualClock>,
}

impl Pause for ManualClock {
    async fn pause(&self) {
        self.advance(BETWEEN_DEEDS);
    }
}

/// Lives through the day before `until`. The company is made first, by `make`.
pub(super) async fn live_through(
    mut parts: EngineParts,
    targets: Arc<Targets>,
    until: Timestamp,
    make: impl AsyncFnOnce(&Engine, &ManualClock) -> Result<(), DemoError>,
) -> Result<(), DemoError> {
    let from = until - jiff::SignedDuration::try_from(LENGTH)?;
    let clock = Arc::new(ManualClock::new(from));
    parts.clock = clock.clone();
    parts.config.transport = Some(Arc::new(Answers { targets, clock: clock.clone() }));
    let (sandbox, plugins) = (parts.sandbox.clone(), parts.plugins.clone());
    tokio::task::spawn_blocking(move || builtin::load(&sandbox, &plugins)).await??;
    let engine = Engine::start_driven(parts).await?;
    make(&engine, &clock).await?;
    let host = Host { engine, clock };
    let mut deeds = deeds(until);
    let told = workflows::told(host.clock.now(), until, until)?;
    for together in told.chunk_by(|one, next| slot(one.at) == slot(next.at)) {
        let Some(Told { at, .. }) = together.last() else { continue };
        while deeds.last().is_some_and(|deed| deed.at <= *at) {
            if let Some(deed) = deeds.pop() {
                host.go_on(deed.at).await?;
                host.act(deed.what).await?;
            }
        }
        host.go_on(*at).await?;
        let events = together.iter().map(|told| Ok((tenant(told.namespace)?, told.event.clone())));
        let events = events.collect::<Result<Vec<_>, DemoError>>()?;
        host.engine.intake().accept(events).await?;
        host.tick().await?;
    }
    host.go_on(until).await
}

fn slot(at: Timestamp) -> i64 {
    at.as_second().div_euclid(TOGETHER_S)
}

/// What a person does in the course of the day.
enum Deed {
    SwitchOff,
    RedriveLost,
}

struct Planned {
    at: Timestamp,
    what: Deed,
}

/// The last one first.
fn deeds(until: Timestamp) -> Vec<Planned> {
    let ago = |minutes| until - jiff::SignedDuration::from_mins(minutes);
    vec![
        Planned { at: ago(160), what: Deed::SwitchOff },
        Planned { at: ago(330), what: Deed::RedriveLost },
    ]
}

impl Host {
    /// Lets the time pass until then, and does on the way what is due.
    async fn go_on(&self, until: Timestamp) -> Result<(), DemoError> {
        while let Some(due) = self.next_due().await? {
            let at = due.max(self.clock.now().saturating_add(STEP)?);
            if at >= until {
                break;
            }
            self.move_to(at);
            self.tick().await?;
        }
        self.move_to(until);
        Ok(())
    }

    fn move_to(&self, at: Timestamp) {
        // Answers have moved it as well, perhaps beyond.
        if let Ok(ahead) = Duration::try_from(at.duration_since(self.clock.now())) {
            self.clock.advance(ahead);
        }
    }

    async fn tick(&self) -> Result<(), DemoError> {
        Ok(self.engine.tick(&mut Vec::new()).await?)
    }

    /// When the next retry or timer is due.
    async fn next_due(&self) -> Result<Option<Timestamp>, DemoError> {
        let mut due = self.engine.settle_due_timers().await?;
        let waiting =
            DeliveryFilter { status: Some(DeliveryStatus::Scheduled), ..DeliveryFilter::default() };
        for namespace in &COMPANY {
            let tenant = tenant(namespace.name)?;
            let store = self.engine.store();
            let page = store.list_deliveries(&tenant, &waiting, LOOK_AT, None).await?;
            let soonest = page.items.into_iter().filter_map(|one| one.next_attempt_at).min();
            due = due.into_iter().chain(soonest).min();
        }
        Ok(due)
    }

    async fn act(&self, deed: Deed) -> Result<(), DemoError> {
        let tenant = tenant(ANALYTICS)?;
        let rules = self.engine.store().list_rules(&tenant, LOOK_AT, None).await?.items;
        let made_by = rules.first().map(|rule| rule.created_by.clone()).unwrap_or_default();
        let actor = Actor { tenant, name: made_by };
        match deed {
            Deed::SwitchOff => {
                let rule = rules.iter().find(|rule| rule.spec.name == SWITCHED_OFF);
                let rule = rule.ok_or("a rule that was made is not there")?;
                let patch = RulePatch { is_active: Some(false), ..RulePatch::default() };
                self.engine.rules().update(&actor, rule.id, &Expected::Whatever, patch).await?;
            }
            Deed::RedriveLost => {
                let lost = RedriveScope::Dead { alert_rule_id: None, from: None, to: None };
                self.engine.deliveries().redrive(&actor, &lost).await?;
            }
        }
        Ok(())
    }
}

/// Answers at once, and has the clock tell how long it took.
#[derive(Debug)]
struct Answers {
    targets: Arc<Targets>,
    clock: Arc<ManualClock>,
}

impl Transport for Answers {
    fn exchange(&self, request: Prepared) -> Exchanged<'_> {
        Box::pin(async move {
            let (path, now) = (request.url.path(), self.clock.now());
            match self.targets.behave(path, &request.body, now) {
                Behaviour::Answers(answer) => {
                    self.clock.advance(answer.takes);
                    Ok(response(answer))
                }
                Behaviour::KeepsSilent => {
                    let patience = Deadlines::default().first_byte;
                    self.clock.advance(patience);
                    let waited_ms = patience.as_millis();
                    Err(TransportError::Timeout(format!("no answer within {waited_ms} ms")))
                }
                Behaviour::Refuses => {
                    self.clock.advance(Duration::from_millis(1));
                    Err(TransportError::Connect("Connection refused (os error 111)".into()))
                }
            }
        })
    }
}

fn response(answer: Answer) -> Response {
    let mut headers = Headers::default();
    if answer.status != http::StatusCode::NO_CONTENT.as_u16() {
        headers.push("content-type", answer.content_type);
    }
    headers.push("content-length", answer.body.len().to_string());
    if let Some(seconds) = answer.retry_after_s {
        headers.push("retry-after", seconds.to_string());
    }
    let body = answer.body.into();
    Response { status: answer.status, headers, body, truncated: false, incomplete: None }
}
