//! Deliveries about the same thing at a target are sent one at a time, and the newest wins.

use alerts_domain::delivery::{Delivery, Lease, Transition};
use alerts_domain::id::EndpointId;
use alerts_store::{Finished, Order, Ordered, Store};

use crate::fixture::{ada, at, bob, finished, host, in_hand};
use crate::on_both;

fn ordered(delivery: &Delivery, lease: Lease, key: &str) -> Ordered {
    Ordered {
        tenant: delivery.tenant.clone(),
        endpoint: EndpointId::new(at(1), 1),
        key: key.to_owned(),
        id: delivery.id,
        lease,
    }
}

fn lease() -> Lease {
    Lease { host: host(), fence: 1 }
}

/// An older and a newer one about the same thing, in the hands of two hosts.
async fn two(db: &Store) -> [Ordered; 2] {
    let mut all = Vec::new();
    for id in ["1", "2"] {
        let lease = lease();
        all.push(ordered(&in_hand(db, &ada(), id, lease).await, lease, "incident"));
    }
    all.sort_by_key(|one| one.id);
    all.try_into().unwrap()
}

async fn ends(db: &Store, ordered: &Ordered, transition: Transition) {
    let (delivery, _) = db.get_delivery(&ordered.tenant, ordered.id).await.unwrap().unwrap();
    db.finish(finished(&delivery, ordered.lease, transition)).await.unwrap();
}

on_both! {
    async fn the_newer_one_waits_while_the_older_one_is_on_its_way(db: Db) {
        let [older, newer] = two(&db).await;
        assert_eq!(db.take_order(&older).await.unwrap(), Order::Next);
        assert_eq!(db.take_order(&older).await.unwrap(), Order::Next, "it holds it");
        assert_eq!(db.take_order(&newer).await.unwrap(), Order::After(older.id));
        ends(&db, &older, Transition::Deliver).await;
        assert_eq!(db.take_order(&newer).await.unwrap(), Order::Next);
    }

    async fn an_older_one_that_failed_is_not_sent_once_a_newer_one_was_to_be(db: Db) {
        let [mut older, newer] = two(&db).await;
        db.take_order(&older).await.unwrap();
        assert_eq!(db.take_order(&newer).await.unwrap(), Order::After(older.id));
        let retry = Transition::Retry { at: at(5), error: "answered 429".into() };
        ends(&db, &older, retry).await;
        let claimed = db.claim_due(at(5), older.lease.host, &[], 10, 10).await.unwrap();
        older.lease = claimed[0].lease;
        let delivery = &claimed[0].delivery;
        // The newer one has not been sent yet, and will be.
        assert_eq!(db.take_order(&older).await.unwrap(), Order::Superseded(newer.id));
        let superseded = Transition::Supersede { by: newer.id };
        let end = finished(delivery, older.lease, superseded);
        db.finish(Finished { attempt: None, ..end }).await.unwrap();
        let (read, attempts) = db.get_delivery(&ada(), older.id).await.unwrap().unwrap();
        let told = format!("superseded by {}, which is about the same thing and newer", newer.id);
        assert_eq!((read.status.as_str(), read.last_error), ("canceled", Some(told)));
        assert_eq!((attempts.len(), read.finished_at), (1, Some(at(2))));
        assert_eq!(db.take_order(&newer).await.unwrap(), Order::Next);
    }

    async fn one_whose_host_died_on_the_way_keeps_nobody_waiting(db: Db) {
        let [older, newer] = two(&db).await;
        db.take_order(&older).await.unwrap();
        db.heartbeat(newer.lease.host, at(100)).await.unwrap();
        db.release_dead_hosts(at(10)).await.unwrap();
        assert_eq!(db.take_order(&newer).await.unwrap(), Order::Next);
    }

    async fn other_keys_endpoints_and_tenants_are_in_nobodys_way(db: Db) {
        let [older, newer] = two(&db).await;
        db.take_order(&newer).await.unwrap();
        assert_eq!(db.take_order(&older).await.unwrap(), Order::Superseded(newer.id));
        let other_key = Ordered { key: "another".into(), ..older.clone() };
        assert_eq!(db.take_order(&other_key).await.unwrap(), Order::Next);
        let other_tenant = Ordered { tenant: bob(), ..older.clone() };
        assert_eq!(db.take_order(&other_tenant).await.unwrap(), Order::Next);
        let other_endpoint = Ordered { endpoint: EndpointId::new(at(1), 2), ..older.clone() };
        assert_eq!(db.take_order(&other_endpoint).await.unwrap(), Order::Next);
    }
}
