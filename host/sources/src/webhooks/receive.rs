//! What is done with a request to a webhook in.

use alerts_domain::Timestamp;
use alerts_domain::event::{Event, MAX_EVENT_BYTES};
use alerts_domain::id::SourceId;
use alerts_domain::keyring::OpenError;
use alerts_domain::problem::FieldError;
use alerts_domain::source::{Mapping, SourceKind, SourceSpec, WebhookSource};
use alerts_domain::tenant::TenantId;
use alerts_engine::{Accepted, ChangeError, EngineError};
use alerts_store::StoreError;
use bytes::Bytes;

use super::manage::WebhookSources;
use super::mapped::{self, Occasion};
use super::request::Incoming;
use super::run_event::Read;
use super::{github, gitlab, proof};

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// An event was made of it, and is on the disk.
    Taken(Accepted),
    /// It is about nothing that becomes an event; why.
    Ignored(String),
}

/// What would become of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// This event.
    Event(Box<Event>),
    /// Nothing; why.
    Ignored(String),
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// There is no source with this id.
    #[error("there is no source {0}")]
    NoSource(SourceId),
    /// Its sender did not show that it knows the secret.
    #[error("{0}")]
    NotProven(String),
    /// No event can be made of it.
    #[error("no event can be made of the request")]
    Invalid(Vec<FieldError>),
    /// The source's secret does not open.
    #[error("the secret of source {0} cannot be read: {1}")]
    Secret(SourceId, OpenError),
    /// Through no fault of the sender.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<ChangeError> for NotTaken {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Invalid(errors) => Self::Invalid(errors),
            ChangeError::Engine(error) => Self::Engine(error),
            other => Self::Invalid(vec![FieldError::new("", other.to_string())]),
        }
    }
}

impl WebhookSources {
    /// Takes a request in: whose it is, is known by the source's secret, and what is made of it
    /// is on the disk when this returns.
    ///
    /// # Errors
    /// Why nothing was stored of it.
    pub async fn receive(&self, id: SourceId, request: &Incoming) -> Result<Received, NotTaken> {
        let stored = self.store().find_webhook_source(id).await?;
        let stored = stored.ok_or(NotTaken::NoSource(id))?;
        let (source, before) = (stored.source, stored.status);
        let received = self.taken(&source, request).await;
        count(source.spec.kind, &received);
        let trouble = match &received {
            Ok(_) => None,
            Err(NotTaken::NotProven(detail)) => Some(("unauthorized", detail.clone())),
            Err(NotTaken::Invalid(errors)) => Some(("invalid", told(errors))),
            // Those are the host's own.
            Err(_) => return received,
        };
        let now = self.now();
        self.notes().note(self.store(), id, before.as_deref(), trouble, now).await;
        received
    }

    async fn taken(
        &self,
        source: &WebhookSource,
        request: &Incoming,
    ) -> Result<Received, NotTaken> {
        let now = self.now();
        let secret =
            self.open_secret(source).map_err(|error| NotTaken::Secret(source.id, error))?;
        proof::check(source.spec.kind, &secret, request, now).map_err(NotTaken::NotProven)?;
        match self.made(&source.tenant, source.id, &source.spec, request).await? {
            Made::Ignored(why) => Ok(Received::Ignored(why)),
            Made::Event(event) => {
                let events = vec![(source.tenant.clone(), *event)];
                let accepted = self.engine().intake().accept(events).await?;
                let accepted = accepted.into_iter().next();
                Ok(accepted.map_or_else(|| Received::Ignored(String::new()), Received::Taken))
            }
        }
    }

    /// What is made of a request, whoever has sent it. Nothing is stored.
    ///
    /// # Errors
    /// Why no event can be made of it.
    pub async fn made(
        &self,
        tenant: &TenantId,
        id: SourceId,
        spec: &SourceSpec,
        request: &Incoming,
    ) -> Result<Made, NotTaken> {
        let now = self.now();
        let event = match (spec.kind, &spec.mapping) {
            (SourceKind::Github, _) => github::read(request, json(request)?),
            (SourceKind::Gitlab, _) => gitlab::read(json(request)?),
            (SourceKind::Mapped, Some(mapping)) => {
                return self
                    .mapped(mapping, Occasion { tenant, source: id, received_at: now }, request)
                    .await;
            }
            (SourceKind::Mapped, None) => Err(spec.mapping_problem().into_iter().collect()),
        };
        match event.map_err(NotTaken::Invalid)? {
            Read::Ignored(why) => Ok(Made::Ignored(why)),
            Read::Run(run) => {
                let event = run.event(tenant, now).to_string();
                let event =
                    Event::from_structured(Bytes::from(event)).map_err(NotTaken::Invalid)?;
                small_enough(event)
            }
        }
    }

    async fn mapped(
        &self,
        mapping: &Mapping,
        occasion: Occasion<'_>,
        request: &Incoming,
    ) -> Result<Made, NotTaken> {
        match mapped::event(self.engine().mappings(), mapping, occasion, request).await? {
            Some(event) => small_enough(event),
            None => Ok(Made::Ignored("the mapping's `type` gives null for it".to_owned())),
        }
    }

    fn now(&self) -> Timestamp {
        self.engine().clock().now()
    }
}

fn json(request: &Incoming) -> Result<serde_json::Value, NotTaken> {
    request.json().map_err(NotTaken::Invalid)
}

fn small_enough(event: Event) -> Result<Made, NotTaken> {
    if event.body.len() <= MAX_EVENT_BYTES {
        return Ok(Made::Event(Box::new(event)));
    }
    let detail = format!(
        "the event would have {} bytes, and may have {MAX_EVENT_BYTES}; make less `data` of the \
         request",
        event.body.len()
    );
    Err(NotTaken::Invalid(vec![FieldError::new("/mapping/data", detail)]))
}

/// The first of several errors, and how many there are.
fn told(errors: &[FieldError]) -> String {
    let first = errors.first().map_or_else(String::new, |first| match first.pointer.as_str() {
        "" => first.detail.clone(),
        pointer => format!("{pointer}: {}", first.detail),
    });
    match errors.len() {
        0 | 1 => first,
        count => format!("{first} (the first of {count} errors)"),
    }
}

fn count(kind: SourceKind, received: &Result<Received, NotTaken>) {
    let result = match received {
        Ok(Received::Taken(accepted)) if accepted.duplicate => "duplicate",
        Ok(Received::Taken(_)) => "accepted",
        Ok(Received::Ignored(_)) => "ignored",
        Err(NotTaken::NotProven(_)) => "unauthorized",
        Err(NotTaken::Invalid(_) | NotTaken::NoSource(_)) => "invalid",
        Err(NotTaken::Secret(..) | NotTaken::Engine(_)) => "failed",
    };
    let labels = [("kind", kind.as_str()), ("result", result)];
    metrics::counter!("alerts_source_requests_total", &labels).increment(1);
}
