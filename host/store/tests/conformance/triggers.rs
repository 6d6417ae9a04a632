//! What rules remember of groups changes with the event, and is counted once.

use alerts_domain::id::RuleId;
use alerts_domain::outcome::Reason;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{Alert, Breach, Group, Observation, Observed, ThresholdTrigger};
use alerts_store::{DeliveryFilter, NewEvent, Store};
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
        recovery: None,
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
    let seen = Observed::Event {
        trigger: trigger(),
        at: at(second),
        is_own: true,
        group,
        tells_end: false,
    };
    new.observations = vec![Observation { rule, seen, alert: Some(alert) }];
    new
}

async fn accept(db: &Store, new: NewEvent) -> Reason {
    db.accept(vec![new]).await.unwrap().remove(0).remembering.remove(0)
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
        let found = figures(&db, &ada()).await;
        let group_key = &found[0]["group_key"];
        assert_eq!(
            found,
            [json!({"type": "threshold", "window_ms": 10_000, "count": 3, "limit": 2,
                "group": {"graph_name": "etl"}, "group_key": group_key,
                "since": at(0).to_string()})]
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

    async fn a_large_window_is_kept_in_two_parts_and_counts_exactly(db: Db) {
        let rule = rule_id();
        let large = ThresholdTrigger {
            window_ms: 1_000_000,
            breach: Breach::Count(300),
            group_by: Vec::new(),
            cooldown_ms: None,
        recovery: None,
        };
        let counted = |second: i64| {
            let mut new = counted(&ada(), &format!("{second}"), rule, second, "etl");
            let Observed::Event { trigger, group, .. } = &mut new.observations[0].seen else {
                panic!("it counts");
            };
            *group = Group::of(&[], &new.event, &Value::Null);
            *trigger = large.clone();
            new
        };
        let mut db = db;
        let mut reasons = Vec::new();
        for batch in 0..50 {
            let events = (0..10).map(|n| counted(batch * 10 + n)).collect();
            let stored = db.accept(events).await.unwrap();
            reasons.extend(stored.into_iter().flat_map(|stored| stored.remembering));
            if batch == 25 {
                db.reopen().await;
            }
        }
        let fired: Vec<usize> =
            (0..500).filter(|index| reasons[*index] == Reason::Fired).collect();
        assert_eq!(fired, [300]);
        let (state, times) = sizes(&db).await;
        assert!(state < 700 && times > 128, "{state} and {times} bytes");

        // After a gap as long as the window nothing of it is left.
        assert_eq!(accept(&db, counted(499 + 1_000)).await, Reason::BelowThreshold);
        assert_eq!(sizes(&db).await.1, 0);
    }

    async fn what_an_older_release_has_counted_counts(db: Db) {
        let rule = rule_id();
        accept(&db, counted(&ada(), "1", rule, 0, "etl")).await;
        let (first, second) = (at(3).as_microsecond(), at(4).as_microsecond());
        tamper(&db, &format!(r#"{{"times":[{first},{second}],"alerted_at":null}}"#)).await;
        assert_eq!(accept(&db, counted(&ada(), "2", rule, 5, "etl")).await, Reason::Fired);
        assert_eq!(figures(&db, &ada()).await[0]["count"], 3);
    }

    async fn a_damaged_memory_costs_its_rule_its_count_and_nobody_else_anything(db: Db) {
        let rule = rule_id();
        for second in 0..2 {
            accept(&db, counted(&ada(), &format!("{second}"), rule, second, "etl")).await;
        }
        tamper(&db, r#"{"recent":"!","older":7}"#).await;
        let other = counted(&ada(), "other", rule, 2, "elt");
        let stored = db.accept(vec![counted(&ada(), "2", rule, 2, "etl"), other]).await.unwrap();
        let reasons: Vec<_> = stored.into_iter().flat_map(|stored| stored.remembering).collect();
        assert_eq!(reasons, [Reason::BelowThreshold, Reason::BelowThreshold]);
        for second in 3..5 {
            accept(&db, counted(&ada(), &format!("{second}"), rule, second, "etl")).await;
        }
        assert_eq!(figures(&db, &ada()).await.len(), 1, "it counts again");
    }

    async fn what_a_memory_has_in_two_parts_is_forgotten_as_one(db: Db) {
        use sqlx::Executor as _;

        accept(&db, counted(&ada(), "1", rule_id(), 0, "etl")).await;
        let part = "INSERT INTO trigger_windows (tenant, rule_id, key, times)
            SELECT tenant, rule_id, key, CAST('x' AS BYTES) FROM trigger_states";
        let bytes = if db.url.starts_with("sqlite") { "BLOB" } else { "BYTEA" };
        let part = part.replace("BYTES", bytes);
        db.connection().await.execute(sqlx::AssertSqlSafe(part)).await.unwrap();
        assert_eq!(db.forget_trigger_states(at(10), 100).await.unwrap(), 1);
        assert_eq!(sizes(&db).await, (0, 0));
    }
}

/// The bytes of all memories, and those of their older parts.
async fn sizes(db: &crate::fixture::Db) -> (i64, i64) {
    use sqlx::Row as _;

    let sizes = "SELECT (SELECT CAST(COALESCE(sum(length(state)), 0) AS BIGINT) FROM trigger_states) AS state,
        (SELECT CAST(COALESCE(sum(length(times)), 0) AS BIGINT) FROM trigger_windows) AS times";
    let row = sqlx::query(sizes).fetch_one(&mut db.connection().await).await.unwrap();
    (row.get("state"), row.get("times"))
}

/// Puts something else in the place of what is remembered.
async fn tamper(db: &crate::fixture::Db, state: &str) {
    let tampered = sqlx::query("UPDATE trigger_states SET state = $1").bind(state.to_owned());
    tampered.execute(&mut db.connection().await).await.unwrap();
}
