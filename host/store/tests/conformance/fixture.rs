//! A database for one test, and things to put into it.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Attempt, Delivery, DeliveryStatus, Lease, Transition};
use alerts_domain::endpoint::{EndpointSpec, WebhookEndpoint};
use alerts_domain::event::Event;
use alerts_domain::header::Headers;
use alerts_domain::id::{DeliveryId, EndpointId, EventId, HostId, RuleId};
use alerts_domain::keyring::Sealed;
use alerts_domain::retry::RetryPolicy;
use alerts_domain::rule::{AlertRule, EventTypePattern, RuleSpec};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::Trigger;
use alerts_store::{AuditEntry, Finished, NewDelivery, NewEvent, Store};
use alerts_test_support::postgres::fresh_database;
use bytes::Bytes;
use serde_json::json;
use sqlx::{AnyConnection, Connection as _};

/// A store of its own, and the URL under which its database is.
pub(crate) struct Db {
    store: Store,
    pub(crate) url: String,
    folder: Option<tempfile::TempDir>,
}

impl Deref for Db {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Db {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("alerts.db").display());
        let store = Store::open(&url).await.unwrap();
        Self { store, url, folder: Some(folder) }
    }

    pub(crate) async fn postgres() -> Self {
        let url = fresh_database().await;
        let store = Store::open(&url).await.unwrap();
        Self { store, url, folder: None }
    }

    /// A connection past the store, to look at and tamper with what it wrote.
    pub(crate) async fn connection(&self) -> AnyConnection {
        AnyConnection::connect(&self.url).await.unwrap()
    }

    /// Closes the store of a SQLite database: its file is nobody's then.
    pub(crate) async fn released(self) -> (String, tempfile::TempDir) {
        self.store.close().await;
        (self.url, self.folder.expect("only SQLite has files"))
    }

    /// Closes the store and opens the same database again.
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await;
        // The lock on a SQLite file goes with the last clone.
        let closed = std::mem::replace(&mut self.store, Self::sqlite().await.store);
        drop(closed);
        self.store = Store::open(&self.url).await.unwrap();
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// Differs at each call.
pub(crate) fn unique() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

pub(crate) fn bob() -> TenantId {
    TenantId::new("bob").unwrap()
}

pub(crate) fn host() -> HostId {
    HostId::new(at(0), unique())
}

pub(crate) fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        actor: "key_1".into(),
        action: action.into(),
        resource: "thing".into(),
        detail: json!({"a": 1}),
    }
}

pub(crate) fn endpoint(tenant: &TenantId) -> WebhookEndpoint {
    WebhookEndpoint {
        id: EndpointId::new(at(0), unique()),
        tenant: tenant.clone(),
        spec: EndpointSpec {
            name: "On call".into(),
            target_url: "https://example.com/hook".into(),
            target: "http".into(),
            settings: json!({"method": "PUT"}).as_object().unwrap().clone(),
            headers: Headers::from_iter([("x-team", "payments")]),
            is_active: true,
            include_event_data: false,
            rate_limit: None,
            gone_after: 1,
        },
        sealed_secrets: Sealed::from_stored("v1.a.AAAA".into()),
        version: 1,
        managed_by: None,
        created_by: "key_1".into(),
        created_at: at(0),
        updated_at: at(0),
        deleted_at: None,
    }
}

pub(crate) fn rule(endpoint: &WebhookEndpoint) -> AlertRule {
    AlertRule {
        id: RuleId::new(at(0), unique()),
        tenant: endpoint.tenant.clone(),
        spec: RuleSpec {
            name: "Failures".into(),
            event_type: EventTypePattern::new("workflow.failed").unwrap(),
            condition: Some(serde_json::from_value(json!("event.id == '1'")).unwrap()),
            webhook_endpoint_id: endpoint.id,
            trigger: Trigger::Event,
            retry_policy: RetryPolicy::default(),
            rate_limit: None,
            is_active: true,
        },
        disabled_reason: None,
        last_condition_error: None,
        managed_by: None,
        created_by: "key_1".into(),
        created_at: at(0),
        updated_at: at(0),
        deleted_at: None,
    }
}

/// An event named `id` with nothing that follows from it.
pub(crate) fn event(tenant: &TenantId, id: &str) -> NewEvent {
    let body = json!({"specversion": "1.0", "id": id, "source": "/s", "type": "workflow.failed"});
    NewEvent {
        id: EventId::new(at(0), unique()),
        tenant: tenant.clone(),
        event: Event::from_structured(Bytes::from(body.to_string())).unwrap(),
        received_at: at(0),
        outcomes: Vec::new(),
        pending_rules: None,
        deliveries: Vec::new(),
        observations: Vec::new(),
    }
}

/// A delivery of `event`, due at its `received_at`.
pub(crate) fn delivery(event: &NewEvent, endpoint: EndpointId, rule: RuleId) -> Delivery {
    Delivery {
        id: DeliveryId::new(event.received_at, unique()),
        tenant: event.tenant.clone(),
        event_id: event.id,
        alert_rule_id: Some(rule),
        rule_name: "Failures".into(),
        trigger: json!({"type": "event"}),
        webhook_endpoint_id: endpoint,
        status: DeliveryStatus::Scheduled,
        attempt_count: 0,
        next_attempt_at: Some(event.received_at),
        last_error: None,
        redrive_of: None,
        created_at: event.received_at,
        finished_at: None,
    }
}

pub(crate) fn leased(mut delivery: Delivery, lease: Lease) -> NewDelivery {
    delivery.status = DeliveryStatus::Leased;
    delivery.next_attempt_at = None;
    NewDelivery { delivery, lease: Some(lease) }
}

pub(crate) fn endpoint_id() -> EndpointId {
    EndpointId::new(at(0), unique())
}

pub(crate) fn rule_id() -> RuleId {
    RuleId::new(at(0), unique())
}

/// An accepted event with one delivery that is scheduled.
pub(crate) async fn scheduled(db: &Store, tenant: &TenantId, id: &str) -> Delivery {
    let mut new = event(tenant, id);
    let delivery = delivery(&new, endpoint_id(), rule_id());
    new.deliveries.push(NewDelivery { delivery: delivery.clone(), lease: None });
    db.accept(vec![new]).await.unwrap();
    delivery
}

/// An accepted event with one delivery in the hands of `lease`.
pub(crate) async fn in_hand(db: &Store, tenant: &TenantId, id: &str, lease: Lease) -> Delivery {
    let mut new = event(tenant, id);
    let new_delivery = leased(delivery(&new, endpoint_id(), rule_id()), lease);
    let delivery = new_delivery.delivery.clone();
    new.deliveries.push(new_delivery);
    db.accept(vec![new]).await.unwrap();
    delivery
}

pub(crate) fn finished(delivery: &Delivery, lease: Lease, transition: Transition) -> Finished {
    Finished {
        id: delivery.id,
        tenant: delivery.tenant.clone(),
        webhook_endpoint_id: delivery.webhook_endpoint_id,
        alert_rule_id: delivery.alert_rule_id,
        event_type: Some("workflow.failed".into()),
        created_at: delivery.created_at,
        lease,
        attempt: Some(Attempt {
            number: delivery.attempt_count + 1,
            started_at: at(1),
            duration_ms: 12,
            status_code: Some(200),
            verdict: "delivered".into(),
            error: None,
            note: Some("msg_7".into()),
            plugin_digest: "sha256:00".into(),
            endpoint_version: 3,
            exchanges: Vec::new(),
        }),
        transition,
        now: at(2),
    }
}

/// A dead delivery.
pub(crate) async fn dead(db: &Store, tenant: &TenantId, id: &str) -> Delivery {
    let lease = Lease { host: host(), fence: 1 };
    let delivery = in_hand(db, tenant, id, lease).await;
    let bury = Transition::Bury { error: "gave up".into(), disable_rule: false };
    db.finish(finished(&delivery, lease, bury)).await.unwrap();
    delivery
}
