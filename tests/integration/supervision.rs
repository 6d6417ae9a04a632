//! Nothing dies in silence: what a panic leaves behind goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alerts_domain::delivery::{Delivery, DeliveryStatus, Lease};
use alerts_domain::event::Event;
use alerts_domain::exchange::{Response, TransportError};
use alerts_domain::header::Headers;
use alerts_domain::id::{DeliveryId, EventId};
use alerts_domain::tenant::TenantId;
use alerts_engine::{EngineConfig, Exchanged, Prepared, Transport};
use alerts_store::{NewDelivery, NewEvent};
use bytes::Bytes;
use serde_json::json;

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::{TENANT, TestHost};
use crate::support::receiver::Receiver;

/// More than an endpoint that is not known to answer may have under way.
const EVENTS: usize = 10;

/// Panics at its first exchanges; after that every target is well.
#[derive(Debug)]
struct Fragile {
    exchanges: AtomicUsize,
}

impl Transport for Fragile {
    fn exchange(&self, _: Prepared) -> Exchanged<'_> {
        let count = self.exchanges.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            assert!(count >= EVENTS, "exchange {count} of a transport that is broken");
            let (headers, body) = (Headers::default(), Bytes::new());
            Ok::<_, TransportError>(Response {
                status: 200,
                headers,
                body,
                truncated: false,
                incomplete: None,
            })
        })
    }
}

#[tokio::test]
async fn an_attempt_that_panics_gives_its_place_and_its_delivery_back() {
    let transport = Arc::new(Fragile { exchanges: AtomicUsize::new(0) });
    let config = EngineConfig { transport: Some(transport.clone()), ..EngineConfig::default() };
    let host = TestHost::configured(config).await;
    let endpoint = host.api.endpoint("http://127.0.0.1:9/hook", json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    for number in 0..EVENTS {
        host.api.event(failed(&format!("evt-{number}"))).await;
    }
    eventually("every attempt has panicked", async || {
        (transport.exchanges.load(Ordering::SeqCst) >= EVENTS).then_some(())
    })
    .await;
    eventually("every delivery is given back", async || {
        let deliveries = host.api.deliveries().await;
        let back = deliveries.iter().filter(|delivery| delivery["status"] == "scheduled");
        (back.count() == EVENTS).then_some(())
    })
    .await;
    for delivery in host.api.deliveries().await {
        assert_eq!(delivery["attempt_count"], 0, "nobody knows of an attempt");
    }
    host.later(Duration::from_secs(61));
    eventually("all are delivered", async || {
        let deliveries = host.api.deliveries().await;
        deliveries.iter().all(|delivery| delivery["status"] == "delivered").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_is_leased_here_and_in_nobodys_hands_is_sent_within_a_minute() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let made = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let engine = host.engine();
    let now = host.now();
    let tenant = TenantId::new(TENANT).unwrap();
    let body = Bytes::from(failed("evt-1").to_string());
    let event = EventId::new(now, 1);
    let delivery = Delivery {
        id: DeliveryId::new(now, 1),
        tenant: tenant.clone(),
        event_id: event,
        alert_rule_id: None,
        rule_name: "Test".to_owned(),
        trigger: json!({"type": "event"}),
        webhook_endpoint_id: made["id"].as_str().unwrap().parse().unwrap(),
        status: DeliveryStatus::Leased,
        attempt_count: 0,
        next_attempt_at: None,
        last_error: None,
        redrive_of: None,
        created_at: now,
        finished_at: None,
    };
    // Past the engine, as a commit of whose end nobody heard.
    let lease = Some(Lease { host: engine.host_id(), fence: 1 });
    let new = NewEvent {
        id: event,
        tenant,
        event: Event::from_structured(body).unwrap(),
        received_at: now,
        outcomes: Vec::new(),
        pending_rules: None,
        deliveries: vec![NewDelivery { delivery, lease }],
        observations: Vec::new(),
    };
    engine.store().accept(vec![new]).await.unwrap();
    // In steps, since the loops look at the clock between them.
    eventually("it is sent", async || {
        host.later(Duration::from_secs(1));
        (!receiver.received().is_empty()).then_some(())
    })
    .await;
    // The clock ran ahead of the loops, which catch up.
    eventually("nothing is wrong", async || engine.health().is_empty().then_some(())).await;
}
