//! What is old enough is removed in portions, and nothing else.

use alerts_domain::delivery::{Lease, Transition};
use alerts_domain::id::{DeliveryId, EventId};
use alerts_domain::tenant::TenantId;
use alerts_store::{Kept, NewDelivery, Ordered, Store};

use crate::fixture::{ada, at, bob, delivery, endpoint_id, event, finished, host, leased, rule_id};
use crate::on_both;

/// An event with a delivery made at this second; delivered, if it is done.
async fn sent(db: &Store, tenant: &TenantId, second: i64, is_done: bool) -> (EventId, DeliveryId) {
    let mut new = event(tenant, &second.to_string());
    new.id = EventId::new(at(second), 1);
    new.received_at = at(second);
    let mut made = delivery(&new, endpoint_id(), rule_id());
    made.id = DeliveryId::new(at(second), 1);
    let lease = Lease { host: host(), fence: 1 };
    let ids = (new.id, made.id);
    new.deliveries = vec![match is_done {
        true => leased(made.clone(), lease),
        false => NewDelivery { delivery: made.clone(), lease: None },
    }];
    db.accept(vec![new]).await.unwrap();
    if is_done {
        let (endpoint, key) = (made.webhook_endpoint_id, second.to_string());
        let ordered = Ordered { tenant: tenant.clone(), endpoint, key, id: made.id, lease };
        db.take_order(&ordered).await.unwrap();
        db.finish(finished(&made, lease, Transition::Deliver)).await.unwrap();
    }
    ids
}

async fn remove(db: &Store, kept: Kept, tenant: &TenantId, before: i64) -> u64 {
    db.remove_old(kept, tenant, at(before), 100).await.unwrap()
}

on_both! {
    async fn what_is_older_is_removed_and_the_rest_stays(db: Db) {
        let (old, old_sent) = sent(&db, &ada(), 0, true).await;
        let (new, new_sent) = sent(&db, &ada(), 100, true).await;
        for kept in Kept::ALL {
            assert_eq!(db.tenants_with_old(kept, at(50)).await.unwrap(), [ada()], "{kept:?}");
            assert_eq!(remove(&db, kept, &ada(), 50).await, 1, "{kept:?}");
            assert!(db.tenants_with_old(kept, at(50)).await.unwrap().is_empty());
        }
        assert!(db.get_event(&ada(), old).await.unwrap().is_none());
        assert!(db.get_delivery(&ada(), old_sent).await.unwrap().is_none());
        assert!(db.get_event(&ada(), new).await.unwrap().is_some());
        let (_, attempts) = db.get_delivery(&ada(), new_sent).await.unwrap().unwrap();
        assert_eq!(attempts.len(), 1);
    }

    async fn what_is_still_to_be_done_is_not_removed(db: Db) {
        let (_, waiting) = sent(&db, &ada(), 0, false).await;
        assert_eq!(remove(&db, Kept::Deliveries, &ada(), 50).await, 0);
        assert!(db.get_delivery(&ada(), waiting).await.unwrap().is_some());
        let mut pending = event(&ada(), "pending");
        pending.id = EventId::new(at(1), 2);
        pending.pending_rules = Some(vec![rule_id()]);
        db.accept(vec![pending.clone()]).await.unwrap();
        assert_eq!(remove(&db, Kept::Events, &ada(), 50).await, 1, "the event that was asked");
        assert!(db.get_event(&ada(), pending.id).await.unwrap().is_some());
    }

    async fn a_portion_has_a_bound_and_takes_the_oldest_of_its_tenant(db: Db) {
        for second in 0..5 {
            sent(&db, &ada(), second, true).await;
            sent(&db, &bob(), second, true).await;
        }
        let removed = db.remove_old(Kept::Events, &ada(), at(50), 3).await.unwrap();
        assert_eq!(removed, 3);
        assert!(db.get_event(&ada(), EventId::new(at(2), 1)).await.unwrap().is_none());
        assert!(db.get_event(&ada(), EventId::new(at(3), 1)).await.unwrap().is_some());
        assert_eq!(db.tenants_with_old(Kept::Events, at(50)).await.unwrap(), [ada(), bob()]);
    }

    async fn a_delivery_whose_event_is_gone_does_not_hold_up_a_claim(db: Db) {
        let (_, orphan) = sent(&db, &ada(), 0, false).await;
        assert_eq!(remove(&db, Kept::Events, &ada(), 50).await, 1);
        sent(&db, &ada(), 60, false).await;
        let claimed = db.claim_due(at(100), host(), &[], 10, 10).await.unwrap();
        assert_eq!(claimed.len(), 2);
        let orphan = claimed.iter().find(|claimed| claimed.delivery.id == orphan).unwrap();
        assert!(orphan.event_body.is_empty());
    }
}
