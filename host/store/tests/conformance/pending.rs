//! Events with rules that could not be asked are matched later, once, or given up.

use alerts_domain::id::EventId;
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_store::{NewEvent, Store};
use serde_json::Value;

use crate::fixture::{ada, at, event, rule_id};
use crate::on_both;

const DAY: i64 = 24 * 3600;

/// An event of this second that one rule was not asked about.
fn waiting(second: i64) -> NewEvent {
    let mut new = event(&ada(), &second.to_string());
    new.id = EventId::new(at(second), 1);
    new.received_at = at(second);
    let pending = rule_id();
    new.outcomes = vec![
        RuleOutcome::new(rule_id(), Reason::ConditionFalse),
        RuleOutcome::new(pending, Reason::Pending).with_detail("no such language"),
    ];
    new.pending_rules = Some(vec![pending]);
    new
}

async fn reasons(db: &Store, event: &NewEvent) -> Vec<String> {
    let read = db.get_event(&ada(), event.id).await.unwrap().unwrap();
    let told: Vec<Value> = serde_json::from_str(&read.matches).unwrap();
    told.iter().map(|outcome| outcome["reason"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    async fn what_was_asked_for_a_week_is_given_up_and_told_on_the_event(db: Db) {
        let made = [waiting(0), waiting(1), waiting(2), waiting(2 * DAY)];
        db.accept(made.to_vec()).await.unwrap();
        assert_eq!(db.give_up_old_matches(at(7 * DAY), 10).await.unwrap(), 0, "not yet");
        let late = at(7 * DAY + 60);
        assert_eq!(db.give_up_old_matches(late, 2).await.unwrap(), 2, "in portions");
        assert_eq!(db.give_up_old_matches(late, 2).await.unwrap(), 1);
        assert_eq!(db.give_up_old_matches(late, 2).await.unwrap(), 0);
        for old in &made[..3] {
            assert_eq!(reasons(&db, old).await, ["condition_false", "given_up"]);
        }
        assert_eq!(reasons(&db, &made[3]).await, ["condition_false", "pending"]);
        let left = db.events_with_pending_rules(None, 10).await.unwrap();
        assert_eq!(left.iter().map(|event| event.id).collect::<Vec<_>>(), [made[3].id]);
        // Whoever asked meanwhile is told that it is too late.
        let asked = made[0].pending_rules.clone().unwrap();
        assert!(!db.complete_match(&made[0], &asked).await.unwrap());
    }

    async fn an_event_that_is_given_up_says_so(db: Db) {
        let made = waiting(0);
        db.accept(vec![made.clone()]).await.unwrap();
        db.give_up_match(&ada(), made.id).await.unwrap();
        assert_eq!(reasons(&db, &made).await, ["condition_false", "given_up"]);
        assert!(db.events_with_pending_rules(None, 10).await.unwrap().is_empty());
    }

    async fn hosts_that_give_up_at_once_give_each_event_up_once(db: Db) {
        let made: Vec<NewEvent> = (0..20).map(waiting).collect();
        db.accept(made.clone()).await.unwrap();
        let hosts = (0..4).map(|_| db.give_up_old_matches(at(8 * DAY), 20));
        let given_up = futures_util::future::try_join_all(hosts).await.unwrap();
        assert_eq!(given_up.iter().sum::<u64>(), 20);
        for event in &made {
            assert_eq!(reasons(&db, event).await, ["condition_false", "given_up"]);
        }
    }
}
