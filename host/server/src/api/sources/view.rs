//! A source as the API shows it: a platform that is watched, or a webhook in.

use std::collections::BTreeSet;

use alerts_domain::Timestamp;
use alerts_domain::id::HostId;
use alerts_domain::secret::Secret;
use alerts_domain::source::Mapping;
use alerts_domain::tenant::TenantId;
use alerts_sources::{SourceStatus, Trouble};
use alerts_store::{StoredWebhookSource, WatchedSource};
use serde::Serialize;

use crate::api::version::{self, Versioned};
use crate::settings::Site;

/// What events come from: a platform that is watched, or a webhook in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Source)]
pub(super) struct SourceView {
    #[schema(example = "src_01k9p2f0x8v6m3e4t5a6b7c8d9")]
    id: String,
    /// What it is: `exosphere` is watched; `github`, `gitlab` and `mapped` are webhooks in.
    #[schema(example = "github")]
    kind: String,
    /// Of a webhook in, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Where it is; of a webhook in, where its sender posts.
    #[schema(
        example = "https://alerts.example.com/v1/sources/src_01k9p2f0x8v6m3e4t5a6b7c8d9/events"
    )]
    url: String,
    state: SourceState,
    /// The host that watches it; null when none does.
    host_id: Option<HostId>,
    /// The namespaces that are watched.
    #[schema(value_type = Vec<String>)]
    namespaces: BTreeSet<TenantId>,
    /// When it was asked last, or has posted last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_poll_at: Option<Timestamp>,
    /// When all that was asked was answered last. What was over before then is told, but for
    /// ends that are not yet certain. Of a webhook in: when a request of its was good.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Timestamp>,
    /// How far behind it is: since when that was, in milliseconds; null before the first time.
    behind_ms: Option<u64>,
    /// Runs that are under way, or of which the end is not certain.
    open_runs: u64,
    /// Events that are made, and not yet taken in.
    waiting_events: u64,
    /// What is wrong, and what to do about it; null when all is well.
    trouble: Option<TroubleView>,
    /// What somebody should look at, and does not keep it from being watched.
    remarks: Vec<String>,
    /// Of a webhook in of kind `mapped`: the expressions that make its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<Mapping>,
    /// By what the sender of a webhook in is known: only in the answer to the request that
    /// made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: Option<String>,
    /// Of a webhook in: who made it, a key's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    /// Of a webhook in: the same as the header `ETag`. Send it as `If-Match` to change this
    /// version and no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "\"3\"")]
    etag: Option<String>,
}

/// How a source is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum SourceState {
    /// It has not been looked at yet.
    Starting,
    /// It answers.
    Watching,
    /// It does not answer as it should, see `trouble`.
    Failing,
    /// No host watches it now: none is set to, or the one that was has just died.
    Unwatched,
    /// A webhook in to which nothing was posted yet.
    Waiting,
    /// A webhook in whose last request was good.
    Receiving,
}

/// What is wrong with a source.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SourceTrouble)]
struct TroubleView {
    /// `unauthorized`, `unreachable`, `failing` or `not_exosphere`; of a webhook in
    /// `unauthorized`, or `invalid` where no event can be made of what is posted.
    #[schema(example = "unauthorized")]
    kind: String,
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl From<Trouble> for TroubleView {
    fn from(Trouble { kind, detail, since, .. }: Trouble) -> Self {
        Self { kind, detail, since }
    }
}

impl SourceView {
    pub(super) fn of_watched(
        source: WatchedSource,
        alive: &BTreeSet<HostId>,
        now: Timestamp,
    ) -> Self {
        let WatchedSource { id, url, host, status, open_runs, waiting_events } = source;
        let status = status.and_then(|status| SourceStatus::read(&status)).unwrap_or_default();
        let host_id = host.filter(|host| alive.contains(host));
        let state = match (host_id, &status.trouble, status.last_poll_at) {
            (None, ..) => SourceState::Unwatched,
            (_, _, None) => SourceState::Starting,
            (_, Some(_), _) => SourceState::Failing,
            (_, None, _) => SourceState::Watching,
        };
        let behind = status.last_success_at.map(|at| now.duration_since(at).as_millis().max(0));
        Self {
            kind: id.clone(),
            id,
            name: None,
            url,
            state,
            host_id,
            namespaces: status.namespaces,
            last_poll_at: status.last_poll_at,
            last_success_at: status.last_success_at,
            behind_ms: behind.map(|behind| u64::try_from(behind).unwrap_or(u64::MAX)),
            open_runs,
            waiting_events,
            trouble: status.trouble.map(TroubleView::from),
            remarks: status.remarks,
            mapping: None,
            secret: None,
            created_by: None,
            created_at: None,
            updated_at: None,
            etag: None,
        }
    }

    pub(super) fn of_webhook(stored: StoredWebhookSource, site: &Site) -> Self {
        let StoredWebhookSource { source, status } = stored;
        let status = status.and_then(|status| SourceStatus::read(&status)).unwrap_or_default();
        let state = match (&status.trouble, status.last_poll_at) {
            (Some(_), _) => SourceState::Failing,
            (None, None) => SourceState::Waiting,
            (None, Some(_)) => SourceState::Receiving,
        };
        let base = site.public_url().unwrap_or_default();
        Self {
            id: source.id.to_string(),
            kind: source.spec.kind.as_str().to_owned(),
            name: Some(source.spec.name),
            url: format!("{base}/v1/sources/{}/events", source.id),
            state,
            host_id: None,
            namespaces: BTreeSet::from([source.tenant]),
            last_poll_at: status.last_poll_at,
            last_success_at: status.last_success_at,
            behind_ms: None,
            open_runs: 0,
            waiting_events: 0,
            trouble: status.trouble.map(TroubleView::from),
            remarks: status.remarks,
            mapping: source.spec.mapping,
            secret: None,
            created_by: Some(source.created_by),
            created_at: Some(source.created_at),
            updated_at: Some(source.updated_at),
            etag: Some(version::tag(source.version)),
        }
    }

    /// With the secret, which is shown this once.
    pub(super) fn with_secret(mut self, secret: &Secret) -> Self {
        self.secret = Some(secret.expose().to_owned());
        self
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Versioned for SourceView {
    fn tag(&self) -> &str {
        self.etag.as_deref().unwrap_or_default()
    }
}
