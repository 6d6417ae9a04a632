//! What rules remember of groups changes with the event, and is counted once.

use alerts_domain::id::RuleId;
use alerts_domain::outcome::Reason;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{Breach, Group, ThresholdTrigger};
use alerts_store::{Alert, DeliveryFilter, NewEvent, Observation, Observed, Store};
use serde_json::{Value, json};

use crate::fixture::{ada, at, bob, delivery, endpoint_id, event, rule_id};
use crate::on_both;

/// More than two in ten seconds.
fn trigger() -> ThresholdTrigger {
    ThresholdTrigger {
        window_ms: 10_000,
        breach: Breach::Count(2),
        group_by: vec!["graph_name".into()],
        cooldown_ms: None,
    }
}

/// An event at this second that a rule counts in this group.
fn counted(tenant: &TenantId, id: &str, rule: RuleId, second: i64, graph: &str) -> NewEvent {
    let mut new = event(tenant, id);
    new.received_at = at(second);
    let data = json!({"graph_name": graph});
    let alert = Alert {
        reason: Reason::Fired,
        withheld: None,
        delivery: Some(delivery(&new, endpoint_id(), rule)),
        made_event: new.id,
    };
    let group = Group::of(&trigger().group_by, &new.event, &data);
    let seen = Observed::Event { trigger: trigger(), at: at(second), is_own: true, group };
    new.observations = vec![Observation { rule, seen, alert: Some(alert) }];
    new
}

async fn accept(db: &Store, new: NewEvent) -> Reason {
    db.accept(vec![new]).await.unwrap().remove(0).remembering[0]
}

async fn figures(db: &Store, tenant: &TenantId) -> Vec<Value> {
    let sent = db.list_deliveries(tenant, &DeliveryFilter::default(), 100, None).await.unwrap();
    sent.items.into_iter().map(|delivery| delivery.trigger).collect()
}

on_both! {
    async fn a_breach_is_alerted_once_in_its_group_and_told_on_the_event(db: Db) {
        let rule = rule_id();
        let mut reasons = Vec::new();
        for second in 0..4 {
            let new = counted(&ada(), &format!("a{second}"), rule, second, "etl");
            reasons.push(accept(&db, new).await);
            accept(&db, counted(&bob(), &format!("b{second}"), rule, second * 20, "etl")).await;
        }
        use Reason::{AlreadyAlerted, BelowThreshold, Fired};
        assert_eq!(reasons, [BelowThreshold, BelowThreshold, Fired, AlreadyAlerted]);
        let other = accept(&db, counted(&ada(), "c", rule, 4, "elt")).await;
        assert_eq!(other, BelowThreshold, "another group");
        assert_eq!(
            figures(&db, &ada()).await,
            [json!({"type": "threshold", "window_ms": 10_000, "count": 3, "limit": 2,
                "group": {"graph_name": "etl"}})]
        );
        assert!(figures(&db, &bob()).await.is_empty(), "tenants are counted apart");
    }

    async fn what_became_of_it_is_stored_with_the_event(db: Db) {
        let new = counted(&ada(), "1", rule_id(), 0, "etl");
        let id = new.id;
        accept(&db, new).await;
        let stored = db.get_event(&ada(), id).await.unwrap().unwrap();
        let told: Value = serde_json::from_str(&stored.matches).unwrap();
        assert_eq!(told[0]["reason"], "below_threshold");
        assert_eq!(told[0]["detail"], "1 in the last 10s; fires at more than 2");
    }

    async fn a_repeated_event_is_counted_once(db: Db) {
        let rule = rule_id();
        for second in 0..3 {
            // The same emitter's id each time.
            db.accept(vec![counted(&ada(), "same", rule, second, "etl")]).await.unwrap();
        }
        let next = counted(&ada(), "other", rule, 3, "etl");
        assert_eq!(accept(&db, next).await, Reason::BelowThreshold);
    }

    async fn events_of_one_commit_are_counted_one_after_another(db: Db) {
        let rule = rule_id();
        let events =
            (0..5).map(|n| counted(&ada(), &format!("{n}"), rule, n, "etl")).collect::<Vec<_>>();
        let stored = db.accept(events).await.unwrap();
        let fired = stored.iter().filter(|stored| stored.remembering == [Reason::Fired]).count();
        assert_eq!(fired, 1);
    }

    async fn callers_at_once_make_one_alert(db: Db) {
        let rule = rule_id();
        let accepts = (0..40).map(|n| {
            let new = counted(&ada(), &format!("{n}"), rule, 1, "etl");
            let db: &Store = &db;
            async move { accept(db, new).await }
        });
        let reasons = futures_util::future::join_all(accepts).await;
        assert_eq!(reasons.iter().filter(|reason| **reason == Reason::Fired).count(), 1);
        assert_eq!(figures(&db, &ada()).await.len(), 1);
    }

    async fn a_memory_that_says_nothing_any_more_is_forgotten(db: Db) {
        accept(&db, counted(&ada(), "1", rule_id(), 0, "etl")).await;
        assert_eq!(db.forget_trigger_states(at(9), 100).await.unwrap(), 0);
        assert_eq!(db.forget_trigger_states(at(10), 100).await.unwrap(), 1);
    }

    async fn groups_beyond_the_limit_are_counted_together(db: Db) {
        use sqlx::Executor as _;

        let rule = rule_id();
        // What ten thousand groups leave behind.
        let fill = format!(
            "INSERT INTO trigger_states (tenant, rule_id, key, state)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
             SELECT 'ada', '{rule}', 'g' || i, '{{\"times\":[]}}' FROM n"
        );
        db.connection().await.execute(sqlx::AssertSqlSafe(fill)).await.unwrap();
        let mut reasons = Vec::new();
        for second in 0..4 {
            // Each in a group of its own.
            let id = format!("{second}");
            reasons.push(accept(&db, counted(&ada(), &id, rule, second, &id)).await);
        }
        use Reason::{AlreadyAlerted, BelowThreshold, Fired};
        assert_eq!(reasons, [BelowThreshold, BelowThreshold, Fired, AlreadyAlerted]);
        assert_eq!(figures(&db, &ada()).await[0]["group"], json!({"other": true}));
        let other_rule = counted(&ada(), "x", rule_id(), 5, "x");
        assert_eq!(accept(&db, other_rule).await, BelowThreshold);
    }
}
