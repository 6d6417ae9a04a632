//! A page is bounded in bytes too, and one row that does not read costs no other.

use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::event::Event;
use alerts_domain::id::EventId;
use alerts_domain::quota::Quotas;
use alerts_store::{DeliveryFilter, EventFilter, NewDelivery, NewEvent, OperatorChange, Store};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::fixture::{
    Db, ada, at, delivery, endpoint, endpoint_id, entry, event, rule, rule_id, scheduled,
};
use crate::on_both;

/// Three of them fit on a page.
const LARGE: usize = 300 * 1024;

fn large_event(id: &str, bytes: usize) -> NewEvent {
    let mut new = event(&ada(), id);
    let body = json!({"specversion": "1.0", "id": id, "source": "/s", "type": "workflow.failed",
        "data": "x".repeat(bytes)});
    new.event = Event::from_structured(body.to_string().into()).unwrap();
    new
}

/// All events of ada's, page by page, as their pages' sizes and their ids.
async fn all_events(db: &Store, limit: u32) -> (Vec<usize>, Vec<EventId>) {
    let (mut sizes, mut ids) = (Vec::new(), Vec::new());
    loop {
        let before = ids.last().copied();
        let page = db.list_events(&ada(), &EventFilter::default(), limit, before).await.unwrap();
        sizes.push(page.items.len());
        ids.extend(page.items.iter().map(|event| event.id));
        if !page.has_more {
            return (sizes, ids);
        }
    }
}

/// Writes over what the store wrote.
async fn tamper(db: &Db, statement: &str) {
    db.connection().await.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
}

on_both! {
    async fn a_page_of_events_ends_at_its_bytes_and_the_next_one_goes_on(db: Db) {
        let mut made = Vec::new();
        for n in 0..7 {
            let new = large_event(&n.to_string(), LARGE);
            made.insert(0, new.id);
            db.accept(vec![new]).await.unwrap();
        }
        assert_eq!(all_events(&db, 200).await, (vec![3, 3, 1], made.clone()));
        assert_eq!(all_events(&db, 2).await, (vec![2, 2, 2, 1], made));
    }

    async fn what_is_larger_than_a_page_is_on_one_alone(db: Db) {
        let new = [large_event("1", 10), large_event("2", 2 * LARGE * 2), large_event("3", 10)];
        db.accept(new.to_vec()).await.unwrap();
        let (sizes, ids) = all_events(&db, 200).await;
        assert_eq!((sizes, ids.len()), (vec![1, 1, 1], 3));
    }

    async fn other_lists_end_at_their_bytes_too(db: Db) {
        let mut new = event(&ada(), "1");
        for _ in 0..4 {
            let mut sent = delivery(&new, endpoint_id(), rule_id());
            sent.status = DeliveryStatus::Skipped;
            sent.last_error = Some("x".repeat(LARGE));
            new.deliveries.push(NewDelivery { delivery: sent, lease: None });
        }
        db.accept(vec![new]).await.unwrap();
        let all = DeliveryFilter::default();
        let page = db.list_deliveries(&ada(), &all, 200, None).await.unwrap();
        assert_eq!((page.items.len(), page.has_more), (3, true));

        let mut noted = entry("x");
        noted.detail = json!("x".repeat(LARGE));
        for _ in 0..4 {
            let mut made = endpoint(&ada());
            made.spec.settings.insert("x".into(), "x".repeat(LARGE).into());
            db.create_endpoint(&made, &Quotas::NONE, &noted, at(0)).await.unwrap();
            let mut rule = rule(&made);
            rule.disabled_reason = Some("x".repeat(LARGE));
            db.create_rule(&rule, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        }
        let page = db.list_endpoints(&ada(), 200, None).await.unwrap();
        assert_eq!((page.items.len(), page.has_more), (3, true));
        let page = db.list_rules(&ada(), 200, None).await.unwrap();
        assert_eq!((page.items.len(), page.has_more), (3, true));
        let page = db.list_audit(&ada(), 200, None).await.unwrap();
        assert_eq!((page.items.len(), page.has_more), (7, true));
        let rest = db.list_audit(&ada(), 200, Some(page.items[6].seq)).await.unwrap();
        assert_eq!((rest.items.len(), rest.has_more), (1, false));
    }

    async fn a_row_that_does_not_read_is_left_out_of_its_page(db: Db) {
        for n in 0..3 {
            scheduled(&db, &ada(), &n.to_string()).await;
        }
        let made = endpoint(&ada());
        db.create_endpoint(&made, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        for made in [&made, &endpoint(&ada())] {
            db.create_endpoint(&endpoint(&ada()), &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
            db.create_rule(&rule(made), &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        }
        // A word that a newer release knows, and values that are none.
        for statement in [
            "UPDATE deliveries SET status = 'snoozed' WHERE id = (SELECT max(id) FROM deliveries)",
            "UPDATE events SET received_at = 9223372036854775807
             WHERE id = (SELECT max(id) FROM events)",
            "UPDATE webhook_endpoints SET headers = '?'
             WHERE id = (SELECT max(id) FROM webhook_endpoints)",
            r#"UPDATE alert_rules SET retry_policy = '{"strategy":"TIDAL"}'
               WHERE id = (SELECT max(id) FROM alert_rules)"#,
            "UPDATE audit SET detail = '?' WHERE seq = 2",
        ] {
            tamper(&db, statement).await;
        }
        let sent = db.list_deliveries(&ada(), &DeliveryFilter::default(), 10, None).await.unwrap();
        assert_eq!((sent.items.len(), sent.has_more), (2, false));
        assert_eq!(all_events(&db, 10).await.1.len(), 2);
        assert_eq!(db.list_endpoints(&ada(), 10, None).await.unwrap().items.len(), 2);
        assert_eq!(db.list_rules(&ada(), 10, None).await.unwrap().items.len(), 1);
        let audit = db.list_audit(&ada(), 10, None).await.unwrap();
        assert_eq!(audit.items.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [5, 4, 3, 1]);
        // The tenant's other endpoints and rules go on.
        let active = db.active_tenant(&ada()).await.unwrap();
        assert_eq!((active.endpoints.len(), active.rules.len()), (2, 1));
    }

    async fn a_page_of_rows_that_do_not_read_is_not_the_end_of_its_list(db: Db) {
        for n in 0..6 {
            let mut new = event(&ada(), &n.to_string());
            new.id = EventId::new(at(n), 1);
            new.pending_rules = Some(vec![rule_id()]);
            db.accept(vec![new]).await.unwrap();
        }
        // The newest three.
        let id = EventId::new(at(3), 0);
        tamper(&db, &format!("UPDATE events SET received_at = 9223372036854775807 WHERE id > '{id}'"))
            .await;
        let (_, ids) = all_events(&db, 2).await;
        assert_eq!(ids, [2, 1, 0].map(|second| EventId::new(at(second), 1)));
        // From old to new, what waits and what is read in bulk.
        tamper(&db, &format!("UPDATE events SET received_at = 9223372036854775807 WHERE id < '{id}'"))
            .await;
        tamper(&db, &format!("UPDATE events SET received_at = 1 WHERE id > '{id}'")).await;
        let mut pending = Vec::new();
        loop {
            let page = db.events_with_pending_rules(pending.last(), 2).await.unwrap();
            if page.is_empty() {
                break;
            }
            pending.extend(page);
        }
        let ids: Vec<_> = pending.iter().map(|event| event.id).collect();
        assert_eq!(ids, [3, 4, 5].map(|second| EventId::new(at(second), 1)));
        let (first, last) = (EventId::new(at(-1), 0), EventId::new(at(9), 0));
        let scanned = db.scan_events(&ada(), &[], first, last, 2).await.unwrap();
        assert_eq!(scanned[0].id, EventId::new(at(3), 1));
    }

    async fn a_filter_that_no_database_can_hold_finds_nothing(db: Db) {
        db.accept(vec![event(&ada(), "1")]).await.unwrap();
        let filter = EventFilter { event_type: Some("a\0b".into()), ..EventFilter::default() };
        let page = db.list_events(&ada(), &filter, 10, None).await.unwrap();
        assert!(page.items.is_empty() && !page.has_more);
        assert_eq!(db.get_plugin_file("a\0b").await.unwrap(), None);
        assert_eq!(db.uses_of_plugin("a\0b").await.unwrap(), 0);
        let (tenant, entry) = (ada(), entry("plugin.removed"));
        let by = OperatorChange { tenant: &tenant, entry: &entry, at: at(0) };
        assert!(!db.delete_plugin("a\0b", &by).await.unwrap());
    }

    async fn a_nul_within_json_is_kept_escaped(db: Db) {
        let mut made = endpoint(&ada());
        made.spec.settings.insert("x\0".into(), "a\0b".into());
        db.create_endpoint(&made, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        let read = db.get_endpoint(&ada(), made.id).await.unwrap().unwrap();
        assert_eq!(read.spec.settings, made.spec.settings);
        assert_eq!(db.list_endpoints(&ada(), 10, None).await.unwrap().items.len(), 1);
    }
}
