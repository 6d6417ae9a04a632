//! The end of a breach is a timer: it outlives the process, and is told once.

use alerts_domain::event::EventTypePattern;
use alerts_domain::id::RuleId;
use alerts_domain::outcome::Reason;
use alerts_domain::trigger::{
    Breach, Group, Observation, Observed, PreparedAlert, RECOVERED, ThresholdTrigger,
};
use alerts_store::{DeliveryFilter, EventFilter, NewEvent, Store, TimerAction};
use serde_json::{Value, json};

use crate::fixture::{ada, at, delivery, endpoint_id, event, rule_id};
use crate::on_both;

/// More than `count` in a minute.
fn trigger(count: u32) -> ThresholdTrigger {
    ThresholdTrigger {
        window_ms: 60_000,
        breach: Breach::Count(count),
        group_by: vec!["graph_name".into()],
        cooldown_ms: None,
        recovery: None,
    }
}

fn alert(of: &NewEvent, rule: RuleId) -> PreparedAlert {
    PreparedAlert {
        reason: Reason::Fired,
        withheld: None,
        delivery: Some(delivery(of, endpoint_id(), rule)),
        made_event: event(&ada(), "made").id,
    }
}

async fn count(
    db: &Store,
    id: &str,
    rule: RuleId,
    second: i64,
    trigger: ThresholdTrigger,
) -> Reason {
    let mut new = event(&ada(), id);
    new.received_at = at(second);
    let group = Group::of(&trigger.group_by, &new.event, &json!({"graph_name": "etl"}));
    let seen = Observed::Event { trigger, at: at(second), is_own: true, group, tells_end: true };
    new.observations = vec![Observation { rule, seen, alert: Some(alert(&new, rule)) }];
    db.accept(vec![new]).await.unwrap().remove(0).remembering.remove(0)
}

/// Settles all that is due at this second. Says how many told of an end.
async fn settle(db: &Store, second: i64, trigger: ThresholdTrigger) -> usize {
    let due = db.due_timers(at(second), None, 100).await.unwrap();
    let actions: Vec<_> = due
        .into_iter()
        .map(|timer| {
            let mut new = event(&ada(), "x");
            new.received_at = at(second);
            let action = TimerAction::Recover {
                trigger: trigger.clone().into(),
                event_type: EventTypePattern::new("workflow.failed").unwrap(),
                alert: alert(&new, timer.rule).into(),
            };
            (timer, action)
        })
        .collect();
    db.settle_timers(&actions, at(second)).await.unwrap().len()
}

async fn newest_figures(db: &Store) -> Value {
    let sent = db.list_deliveries(&ada(), &DeliveryFilter::default(), 100, None).await.unwrap();
    let figures = sent.items.into_iter().map(|delivery| delivery.trigger);
    figures.max_by_key(|figures| figures["state"].is_string()).unwrap()
}

on_both! {
    async fn the_end_of_a_breach_is_due_when_the_window_is_below_and_told_once(db: Db) {
        let rule = rule_id();
        for second in [0, 10, 20] {
            count(&db, &format!("{second}"), rule, second, trigger(2)).await;
        }
        assert_eq!(db.next_timer().await.unwrap(), Some(at(60)));
        assert_eq!(settle(&db, 59, trigger(2)).await, 0);
        assert_eq!(settle(&db, 61, trigger(2)).await, 1);
        assert_eq!((settle(&db, 99, trigger(2)).await, db.next_timer().await.unwrap()), (0, None));
        let figures = newest_figures(&db).await;
        let group_key = Group::of(&trigger(2).group_by, &event(&ada(), "k").event,
            &json!({"graph_name": "etl"})).key;
        assert_eq!(
            figures,
            json!({"type": "threshold", "state": "recovered", "event_type": "workflow.failed",
                "window_ms": 60_000, "count": 2, "limit": 2, "group": {"graph_name": "etl"},
                "group_key": group_key, "since": at(20).to_string()})
        );
        let of_type = EventFilter { event_type: Some(RECOVERED.into()), ..EventFilter::default() };
        let events = db.list_events(&ada(), &of_type, 10, None).await.unwrap();
        assert_eq!(events.items.len(), 1);
    }

    async fn one_event_more_puts_the_end_off(db: Db) {
        let rule = rule_id();
        for second in [0, 10, 20, 30] {
            count(&db, &format!("{second}"), rule, second, trigger(2)).await;
        }
        assert_eq!(db.next_timer().await.unwrap(), Some(at(70)));
        assert_eq!(settle(&db, 69, trigger(2)).await, 0);
        assert_eq!(settle(&db, 70, trigger(2)).await, 1);
    }

    async fn a_window_that_is_kept_in_two_parts_ends_as_well(db: Db) {
        let rule = rule_id();
        for n in 0..300 {
            count(&db, &format!("{n}"), rule, n / 10, trigger(250)).await;
        }
        // The 251st from the end happened at 4 s.
        assert_eq!(db.next_timer().await.unwrap(), Some(at(64)));
        assert_eq!(settle(&db, 64, trigger(250)).await, 1);
        assert_eq!(newest_figures(&db).await["count"], 250);
    }

    async fn an_event_that_finds_the_breach_over_makes_its_end_due_at_once(db: Db) {
        let rule = rule_id();
        for second in [0, 1, 2] {
            count(&db, &format!("{second}"), rule, second, trigger(2)).await;
        }
        assert_eq!(count(&db, "late", rule, 500, trigger(2)).await, Reason::Recovered);
        assert_eq!(db.next_timer().await.unwrap(), Some(at(500)));
        assert_eq!(settle(&db, 500, trigger(2)).await, 1);
    }
}
