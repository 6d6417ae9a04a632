//! Statistics agree with what is stored, whatever faults there were on the way.

use std::collections::BTreeMap;

use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::stats::{Figures, Step};
use alerts_domain::tenant::TenantId;
use alerts_store::{CountedBy, EventFilter, StatsQuery};
use jiff::Timestamp;

use crate::plan::TENANTS;
use crate::run::{Run, tenant};

/// What is compared: events, delivered, dead, attempts, failed attempts.
type Counts = [u64; 5];

/// By what they are about.
type Sums = BTreeMap<(CountedBy, String), Counts>;

pub(crate) async fn agrees(run: &Run<'_>) {
    while run.store.add_up_stats().await.unwrap() {}
    for number in 0..TENANTS.len() {
        let tenant = tenant(number);
        let stored = stored(run, &tenant).await;
        for step in Step::ALL {
            let counted = counted(run, &tenant, step).await;
            assert_eq!(counted, stored, "{tenant} by {step}: counted, and stored");
        }
    }
}

fn add(sums: &mut Sums, about: (CountedBy, String), counts: Counts) {
    if counts != Counts::default() {
        let sum = sums.entry(about).or_default();
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
}

/// What the rows say that events and deliveries are kept in.
async fn stored(run: &Run<'_>, tenant: &TenantId) -> Sums {
    let (mut sums, mut types, mut before) = (Sums::new(), BTreeMap::new(), None);
    loop {
        let filter = EventFilter::default();
        let page = run.store.list_events(tenant, &filter, 200, before).await.unwrap();
        for event in &page.items {
            let read: serde_json::Value = serde_json::from_slice(&event.body).unwrap();
            let event_type = read["type"].as_str().unwrap().to_owned();
            add(&mut sums, (CountedBy::All, String::new()), [1, 0, 0, 0, 0]);
            add(&mut sums, (CountedBy::EventType, event_type.clone()), [1, 0, 0, 0, 0]);
            types.insert(event.id, event_type);
        }
        before = page.items.last().map(|event| event.id);
        if !page.has_more {
            break;
        }
    }
    for seen in run.seen.values().filter(|seen| seen.delivery.tenant == *tenant) {
        let found = run.store.get_delivery(tenant, seen.delivery.id).await.unwrap();
        let (delivery, attempts) = found.unwrap();
        let failed = attempts.iter().filter(|attempt| attempt.verdict != "delivered").count();
        let delivered = u64::from(delivery.status == DeliveryStatus::Delivered);
        let dead = u64::from(delivery.status == DeliveryStatus::Dead);
        let ended = [0, delivered, dead, attempts.len() as u64, failed as u64];
        let endpoint = delivery.webhook_endpoint_id.to_string();
        let rule = delivery.alert_rule_id.unwrap().to_string();
        for about in [(CountedBy::WebhookEndpoint, endpoint), (CountedBy::AlertRule, rule)] {
            add(&mut sums, about.clone(), [1, 0, 0, 0, 0]);
            add(&mut sums, about, ended);
        }
        add(&mut sums, (CountedBy::All, String::new()), ended);
        let event_type = types.get(&delivery.event_id).cloned().unwrap();
        add(&mut sums, (CountedBy::EventType, event_type), ended);
    }
    sums
}

/// What statistics say.
async fn counted(run: &Run<'_>, tenant: &TenantId, step: Step) -> Sums {
    let mut sums = Sums::new();
    for by in
        [CountedBy::All, CountedBy::WebhookEndpoint, CountedBy::AlertRule, CountedBy::EventType]
    {
        let (from, to) = (Timestamp::UNIX_EPOCH, "2100-01-01T00:00:00Z".parse().unwrap());
        let query = StatsQuery { by, subject: None, step, from, to };
        for row in run.store.stats(tenant, &query, 100_000).await.unwrap() {
            let Figures { events, delivered, dead, attempts, failed_attempts, .. } = row.figures;
            let reasons: u64 = row.figures.failure_reasons.values().sum();
            assert_eq!(reasons, failed_attempts, "each failure has a reason");
            assert_eq!(row.figures.latencies.count(), delivered, "and each success its time");
            let counts = [events, delivered, dead, attempts, failed_attempts];
            add(&mut sums, (by, row.subject), counts);
        }
    }
    sums
}
