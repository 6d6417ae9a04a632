//! Due work is claimed fairly, and by one host only.

use std::collections::{HashMap, HashSet};

use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::id::EndpointId;
use alerts_store::{DeliveryFilter, NewDelivery, Store};
use futures_util::future::join_all;

use crate::fixture::{ada, at, bob, delivery, endpoint_id, event, host, rule_id, scheduled};
use crate::on_both;

/// `count` deliveries to one endpoint, the first one due at `first_due`.
async fn queue(db: &Store, endpoint: EndpointId, count: i64, first_due: i64) {
    let events = (0..count).map(|n| {
        let mut new = event(&ada(), &format!("{endpoint}-{n}"));
        let mut sent = delivery(&new, endpoint, rule_id());
        sent.next_attempt_at = Some(at(first_due + n));
        new.deliveries.push(NewDelivery { delivery: sent, lease: None });
        new
    });
    db.accept(events.collect()).await.unwrap();
}

on_both! {
    async fn what_is_due_is_claimed_with_its_event_and_a_higher_fence(db: Db) {
        let sent = scheduled(&db, &ada(), "1").await;
        let me = host();
        assert!(db.claim_due(at(-1), me, &[], 10, 10).await.unwrap().is_empty(), "not due");
        let claimed = db.claim_due(at(0), me, &[], 10, 10).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!((claimed[0].delivery.id, claimed[0].lease.fence), (sent.id, 1));
        assert_eq!(claimed[0].delivery.status, DeliveryStatus::Leased);
        let event = db.get_event(&ada(), sent.event_id).await.unwrap().unwrap();
        assert_eq!(claimed[0].event_body, event.body);
        assert!(db.claim_due(at(0), me, &[], 10, 10).await.unwrap().is_empty(), "already taken");
    }

    async fn one_endpoint_cannot_fill_the_claim(db: Db) {
        let (long, short) = (endpoint_id(), endpoint_id());
        queue(&db, long, 100, -1_000).await;
        queue(&db, short, 2, -1).await;
        let claimed = db.claim_due(at(10), host(), &[], 5, 50).await.unwrap();
        let mut counts: HashMap<_, usize> = HashMap::new();
        for claimed in &claimed {
            *counts.entry(claimed.delivery.webhook_endpoint_id).or_default() += 1;
        }
        assert_eq!((counts[&long], counts[&short]), (5, 2));
    }

    async fn the_longest_due_come_first_and_full_lanes_are_left_out(db: Db) {
        let (full, open) = (endpoint_id(), endpoint_id());
        queue(&db, full, 3, -100).await;
        queue(&db, open, 5, -50).await;
        let claimed = db.claim_due(at(10), host(), &[full], 10, 2).await.unwrap();
        assert!(claimed.iter().all(|c| c.delivery.webhook_endpoint_id == open));
        assert_eq!(claimed.len(), 2);
        let left = db.claim_due(at(-49), host(), &[full], 10, 10).await.unwrap();
        assert!(left.is_empty(), "those due first were taken first");
        assert!(db.claim_due(at(10), host(), &[full, open], 10, 10).await.unwrap().is_empty());
    }

    async fn hosts_that_claim_at_once_never_get_the_same(db: Db) {
        queue(&db, endpoint_id(), 60, -100).await;
        queue(&db, endpoint_id(), 60, -100).await;
        let claims = (0..6).map(|_| db.claim_due(at(10), host(), &[], 20, 40));
        let claimed: Vec<_> =
            join_all(claims).await.into_iter().flat_map(|claimed| claimed.unwrap()).collect();
        let ids: HashSet<_> = claimed.iter().map(|claimed| claimed.delivery.id).collect();
        assert_eq!(ids.len(), claimed.len());
        assert!(!ids.is_empty());
    }

    async fn the_next_due_time_is_the_earliest_that_is_still_to_come(db: Db) {
        assert_eq!(db.next_due(at(0)).await.unwrap(), None);
        queue(&db, endpoint_id(), 3, 5).await;
        scheduled(&db, &bob(), "now").await;
        assert_eq!(db.next_due(at(0)).await.unwrap(), Some(at(5)));
        assert_eq!(db.next_due(at(6)).await.unwrap(), Some(at(7)));
    }

    async fn a_claim_for_some_endpoints_takes_from_no_other(db: Db) {
        let (wanted, other) = (endpoint_id(), endpoint_id());
        queue(&db, wanted, 5, -100).await;
        queue(&db, other, 5, -100).await;
        let claimed = db.claim_due_to(at(10), host(), &[wanted], 1, 10).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!(claimed[0].delivery.webhook_endpoint_id, wanted);
        assert!(db.claim_due_to(at(10), host(), &[], 1, 10).await.unwrap().is_empty());
    }

    async fn what_was_due_for_over_a_week_is_given_up_in_bounded_steps(db: Db) {
        const WEEK: i64 = 7 * 24 * 3600;
        queue(&db, endpoint_id(), 5, 0).await;
        assert_eq!(db.expire_due(at(WEEK), 10).await.unwrap(), 0, "a week, and not over it");
        assert_eq!(db.expire_due(at(WEEK + 4), 3).await.unwrap(), 3);
        assert_eq!(db.expire_due(at(WEEK + 4), 3).await.unwrap(), 1);
        assert_eq!(db.claim_due(at(WEEK), host(), &[], 10, 10).await.unwrap().len(), 1);
        let dead = DeliveryFilter { status: Some(DeliveryStatus::Dead), ..Default::default() };
        let dead = db.list_deliveries(&ada(), &dead, 10, None).await.unwrap().items;
        assert_eq!(dead.len(), 4);
        assert!(dead[0].last_error.as_ref().unwrap().contains("a week old"));
        assert!(dead[0].finished_at.is_some());
    }
}
