//! Events are stored with what follows from them, once.

use std::collections::HashSet;

use alerts_domain::id::EventId;
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_store::{DeliveryFilter, EventFilter, NewDelivery, StoredId};
use futures_util::future::join_all;

use crate::fixture::{ada, bob, delivery, endpoint_id, event, rule_id, scheduled};
use crate::on_both;

fn known(id: EventId, duplicate: bool) -> StoredId {
    StoredId { id, duplicate, remembering: Vec::new() }
}

on_both! {
    async fn an_event_is_read_back_byte_for_byte_with_its_delivery(db: Db) {
        let mut new = event(&ada(), "1");
        new.outcomes = vec![RuleOutcome::new(rule_id(), Reason::ConditionFalse)];
        let sent = delivery(&new, endpoint_id(), rule_id());
        new.deliveries.push(NewDelivery { delivery: sent.clone(), lease: None });
        let stored = db.accept(vec![new.clone()]).await.unwrap();
        assert_eq!(stored, [known(new.id, false)]);

        let read = db.get_event(&ada(), new.id).await.unwrap().unwrap();
        assert_eq!(read.body, new.event.body);
        assert_eq!(read.matches, serde_json::to_string(&new.outcomes).unwrap());
        let (read, attempts) = db.get_delivery(&ada(), sent.id).await.unwrap().unwrap();
        assert_eq!(read, sent);
        assert!(attempts.is_empty());
    }

    async fn a_repeated_event_is_known_by_its_first_id_and_sends_nothing(db: Db) {
        let first = event(&ada(), "1");
        let mut again = event(&ada(), "1");
        let sent = delivery(&again, endpoint_id(), rule_id());
        again.deliveries.push(NewDelivery { delivery: sent.clone(), lease: None });
        // In one call, and in a later one.
        let stored = db.accept(vec![first.clone(), again.clone()]).await.unwrap();
        assert_eq!(stored[1], known(first.id, true));
        let stored = db.accept(vec![again]).await.unwrap();
        assert_eq!(stored, [known(first.id, true)]);
        assert!(db.get_delivery(&ada(), sent.id).await.unwrap().is_none());
    }

    async fn tenants_and_sources_have_ids_of_their_own(db: Db) {
        let mut other_source = event(&ada(), "1");
        other_source.event.source = "/other".into();
        let events = vec![event(&ada(), "1"), event(&bob(), "1"), other_source];
        let stored = db.accept(events).await.unwrap();
        assert!(stored.iter().all(|stored| !stored.duplicate));
        let seen = db.list_events(&bob(), &EventFilter::default(), 10, None).await.unwrap();
        assert_eq!(seen.items.len(), 1);
    }

    async fn many_callers_at_once_each_get_their_own_answer(db: Db) {
        let callers = (0..300).map(|n| {
            // Each id twice, so that every second caller meets a repetition.
            let new = event(&ada(), &(n / 2).to_string());
            let (db, id) = (&db, new.id);
            async move { (id, db.accept(vec![new]).await.unwrap().remove(0)) }
        });
        let answers = join_all(callers).await;
        let (repeated, first): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, a)| a.duplicate);
        assert_eq!((repeated.len(), first.len()), (150, 150));
        assert!(first.iter().all(|(id, stored)| stored.id == *id));
        let known: HashSet<_> = first.iter().map(|(id, _)| *id).collect();
        assert!(repeated.iter().all(|(_, stored)| known.contains(&stored.id)));
    }

    async fn a_call_that_cannot_be_stored_costs_its_neighbours_nothing(db: Db) {
        let taken = scheduled(&db, &ada(), "taken").await;
        let mut bad = event(&ada(), "bad");
        bad.deliveries.push(NewDelivery { delivery: taken, lease: None });
        let calls = (0..20).map(|n| db.accept(vec![event(&ada(), &n.to_string())]));
        let (refused, others) = tokio::join!(db.accept(vec![bad.clone()]), join_all(calls));
        assert!(refused.is_err());
        assert!(others.iter().all(Result::is_ok));
        assert!(db.get_event(&ada(), bad.id).await.unwrap().is_none(), "all or nothing");
        let sent = db.list_deliveries(&ada(), &DeliveryFilter::default(), 10, None).await.unwrap();
        assert_eq!(sent.items.len(), 1);
    }
}
