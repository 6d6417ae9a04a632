//! Deliveries are listed for their tenant alone, and changed where that makes sense.

use alerts_domain::delivery::{DeliveryStatus, Lease};
use alerts_store::{DeliveryChange, DeliveryFilter, NewDelivery};

use crate::fixture::{
    ada, at, bob, dead, delivery, endpoint_id, entry, event, host, in_hand, rule_id, scheduled,
};
use crate::on_both;

on_both! {
    async fn a_list_comes_in_pages_newest_first(db: Db) {
        let mut sent = Vec::new();
        for n in 0..5 {
            sent.push(scheduled(&db, &ada(), &n.to_string()).await.id);
        }
        sent.sort();
        sent.reverse();
        let all = DeliveryFilter::default();
        let first = db.list_deliveries(&ada(), &all, 3, None).await.unwrap();
        assert!(first.has_more);
        let before = first.items.last().map(|delivery| delivery.id);
        let second = db.list_deliveries(&ada(), &all, 3, before).await.unwrap();
        assert!(!second.has_more);
        let listed: Vec<_> = first.items.iter().chain(&second.items).map(|d| d.id).collect();
        assert_eq!(listed, sent);
    }

    async fn a_filter_leaves_out_what_it_does_not_name(db: Db) {
        let wanted = scheduled(&db, &ada(), "1").await;
        let buried = dead(&db, &ada(), "2").await;
        let list = async |filter: DeliveryFilter| {
            let page = db.list_deliveries(&ada(), &filter, 10, None).await.unwrap();
            page.items.iter().map(|delivery| delivery.id).collect::<Vec<_>>()
        };
        let any = DeliveryFilter::default;
        let rule = DeliveryFilter { alert_rule_id: wanted.alert_rule_id, ..any() };
        assert_eq!(list(rule).await, [wanted.id]);
        let endpoint =
            DeliveryFilter { webhook_endpoint_id: Some(wanted.webhook_endpoint_id), ..any() };
        assert_eq!(list(endpoint).await, [wanted.id]);
        let event = DeliveryFilter { event_id: Some(wanted.event_id), ..any() };
        assert_eq!(list(event).await, [wanted.id]);
        let status = DeliveryFilter { status: Some(DeliveryStatus::Dead), ..any() };
        assert_eq!(list(status).await, [buried.id]);
        let time = DeliveryFilter { from: Some(at(1)), to: Some(at(2)), ..any() };
        assert!(list(time).await.is_empty());
    }

    async fn a_list_goes_on_from_what_is_new_to_what_has_entered_its_index(db: Db) {
        let (endpoint, rule, mut sent) = (endpoint_id(), rule_id(), Vec::new());
        for n in 0..7 {
            let mut new = event(&ada(), &n.to_string());
            sent.push(delivery(&new, endpoint, rule));
            new.deliveries.push(NewDelivery { delivery: sent[n].clone(), lease: None });
            db.accept(vec![new]).await.unwrap();
            if n == 3 {
                while db.list_deliveries_behind(2).await.unwrap() {}
            }
        }
        // One that has entered and one that has not change their state.
        let mut canceled = vec![sent[1].id, sent[5].id];
        for id in &canceled {
            db.cancel_delivery(&ada(), *id, &entry("x"), at(1)).await.unwrap();
        }
        canceled.sort_by_key(|id| std::cmp::Reverse(*id));
        sent.sort_by_key(|sent| std::cmp::Reverse(sent.id));
        let of = async |status: Option<DeliveryStatus>| {
            let webhook_endpoint_id = Some(endpoint);
            let filter = DeliveryFilter { webhook_endpoint_id, status, ..Default::default() };
            let (mut listed, mut before) = (Vec::new(), None);
            loop {
                let page = db.list_deliveries(&ada(), &filter, 3, before).await.unwrap();
                listed.extend(page.items.iter().map(|delivery| delivery.id));
                before = listed.last().copied();
                if !page.has_more {
                    return listed;
                }
            }
        };
        assert_eq!(of(None).await, sent.iter().map(|sent| sent.id).collect::<Vec<_>>());
        assert_eq!(of(Some(DeliveryStatus::Canceled)).await, canceled);
        // Fewer than a portion stay outside.
        assert!(!db.list_deliveries_behind(100).await.unwrap());
    }

    async fn another_tenants_delivery_is_not_there(db: Db) {
        let sent = scheduled(&db, &ada(), "1").await;
        assert!(db.get_delivery(&bob(), sent.id).await.unwrap().is_none());
        let listed = db.list_deliveries(&bob(), &DeliveryFilter::default(), 10, None).await;
        assert!(listed.unwrap().items.is_empty());
        let canceled = db.cancel_delivery(&bob(), sent.id, &entry("x"), at(0)).await.unwrap();
        assert_eq!(canceled, DeliveryChange::NotFound);
    }

    async fn only_a_scheduled_delivery_can_be_hurried_or_canceled(db: Db) {
        let waiting = scheduled(&db, &ada(), "1").await;
        let held = in_hand(&db, &ada(), "2", Lease { host: host(), fence: 1 }).await;
        let hurried = db.reschedule_now(&ada(), waiting.id, &entry("x"), at(-9)).await.unwrap();
        assert_eq!(hurried, DeliveryChange::Done);
        let (read, _) = db.get_delivery(&ada(), waiting.id).await.unwrap().unwrap();
        assert_eq!(read.next_attempt_at, Some(at(-9)));

        let canceled = db.cancel_delivery(&ada(), waiting.id, &entry("x"), at(1)).await.unwrap();
        assert_eq!(canceled, DeliveryChange::Done);
        let (read, _) = db.get_delivery(&ada(), waiting.id).await.unwrap().unwrap();
        assert_eq!((read.status, read.finished_at), (DeliveryStatus::Canceled, Some(at(1))));

        let again = db.cancel_delivery(&ada(), waiting.id, &entry("x"), at(2)).await.unwrap();
        assert_eq!(again, DeliveryChange::WrongState(DeliveryStatus::Canceled));
        let busy = db.reschedule_now(&ada(), held.id, &entry("x"), at(2)).await.unwrap();
        assert_eq!(busy, DeliveryChange::WrongState(DeliveryStatus::Leased));
    }
}
