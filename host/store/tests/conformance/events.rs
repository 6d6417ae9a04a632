//! Stored events are listed, and matched later where that was not possible at once.

use alerts_domain::id::EventId;
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_store::{DeliveryFilter, EventFilter, NewDelivery};

use crate::fixture::{ada, at, bob, delivery, endpoint_id, event, rule_id};
use crate::on_both;

on_both! {
    async fn events_are_listed_by_type_and_time_newest_first(db: Db) {
        let mut early = event(&ada(), "1");
        early.received_at = at(-100);
        early.id = EventId::new(at(-100), 1);
        let mut other = event(&ada(), "2");
        other.event.event_type = "workflow.succeeded".into();
        let late = event(&ada(), "3");
        db.accept(vec![early.clone(), other.clone(), late.clone()]).await.unwrap();
        let list = async |filter: EventFilter| {
            let page = db.list_events(&ada(), &filter, 10, None).await.unwrap();
            page.items.iter().map(|event| event.id).collect::<Vec<_>>()
        };
        let any = EventFilter::default;
        assert_eq!(list(any()).await, [late.id, other.id, early.id]);
        let failed = EventFilter { event_type: Some("workflow.failed".into()), ..any() };
        assert_eq!(list(failed).await, [late.id, early.id]);
        let past = EventFilter { from: Some(at(-200)), to: Some(at(0)), ..any() };
        assert_eq!(list(past).await, [early.id]);
        let page = db.list_events(&ada(), &any(), 1, Some(late.id)).await.unwrap();
        assert_eq!((page.items[0].id, page.has_more), (other.id, true));
    }

    async fn another_tenants_event_is_not_there(db: Db) {
        let new = event(&ada(), "1");
        db.accept(vec![new.clone()]).await.unwrap();
        assert!(db.get_event(&bob(), new.id).await.unwrap().is_none());
    }

    async fn pending_rules_are_asked_once(db: Db) {
        let mut new = event(&ada(), "1");
        let rule = rule_id();
        let other = rule_id();
        new.pending_rules = Some(vec![rule, other]);
        db.accept(vec![new.clone(), event(&ada(), "2")]).await.unwrap();
        let pending = db.events_with_pending_rules(None, 10).await.unwrap();
        assert_eq!(pending.len(), 1);
        assert_eq!((pending[0].id, &pending[0].pending_rules), (new.id, &vec![rule, other]));
        assert_eq!((&pending[0].tenant, &pending[0].body), (&ada(), &new.event.body));

        let mut matched = new.clone();
        matched.outcomes = vec![RuleOutcome::new(rule, Reason::Fired)];
        let sent = delivery(&new, endpoint_id(), rule);
        matched.deliveries = vec![NewDelivery { delivery: sent, lease: None }];
        matched.pending_rules = Some(vec![other]);
        assert!(db.complete_match(&matched, &[rule, other]).await.unwrap());
        assert!(!db.complete_match(&matched, &[rule, other]).await.unwrap(), "another was first");
        let pending = db.events_with_pending_rules(None, 10).await.unwrap();
        assert_eq!(pending[0].pending_rules, [other], "which has no answer yet");
        let after = db.events_with_pending_rules(Some(&pending[0]), 10).await.unwrap();
        assert!(after.is_empty(), "{after:?}");
        matched.deliveries.clear();
        matched.pending_rules = None;
        assert!(db.complete_match(&matched, &[other]).await.unwrap());
        assert!(db.events_with_pending_rules(None, 10).await.unwrap().is_empty());
        let read = db.get_event(&ada(), new.id).await.unwrap().unwrap();
        assert_eq!(read.matches, serde_json::to_string(&matched.outcomes).unwrap());
        let made = db.list_deliveries(&ada(), &DeliveryFilter::default(), 10, None).await.unwrap();
        assert_eq!(made.items.len(), 1);
    }
}
