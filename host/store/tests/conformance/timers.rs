//! Timers of runs outlive the process, and fire once.

use alerts_domain::id::RuleId;
use alerts_domain::outcome::Reason;
use alerts_domain::quota::Quotas;
use alerts_domain::rule::AlertRule;
use alerts_domain::trigger::{
    DurationTrigger, Observation, Observed, PreparedAlert, RunKey, RunPhase, RunSighting, Trigger,
};
use alerts_store::{DeliveryFilter, NewEvent, Store, TimerAction, TriggerChange};
use serde_json::Value;

use crate::fixture::{ada, at, delivery, endpoint, endpoint_id, entry, event, rule, rule_id};
use crate::on_both;

const TRIGGER: DurationTrigger = DurationTrigger { threshold_ms: 60_000 };

fn alert(of: &NewEvent, rule: RuleId) -> PreparedAlert {
    PreparedAlert {
        reason: Reason::Fired,
        withheld: None,
        delivery: Some(delivery(of, endpoint_id(), rule)),
        made_event: event(&ada(), "made").id,
    }
}

/// An event at this second about a run.
fn sighted(id: &str, rule: RuleId, run: &str, second: i64, phase: RunPhase) -> NewEvent {
    sighted_of(event(&ada(), id), rule, RunKey::new(None, run).unwrap(), second, phase)
}

/// The same of this event.
pub(crate) fn sighted_of(
    mut new: NewEvent,
    rule: RuleId,
    run: RunKey,
    second: i64,
    phase: RunPhase,
) -> NewEvent {
    new.received_at = at(second);
    let sighting = RunSighting { run, at: at(second), received_at: at(second), phase };
    let seen = Observed::Run { trigger: TRIGGER, sighting, may_fire: true };
    let alert = Some(alert(&new, rule));
    new.observations = vec![Observation { rule, seen, alert }];
    new
}

async fn start(db: &Store, rule: RuleId, run: &str) -> Reason {
    let new = sighted(&format!("{run} started"), rule, run, 0, RunPhase::Started);
    db.accept(vec![new]).await.unwrap().remove(0).remembering.remove(0)
}

/// How a run without a graph is kept.
fn key(run: &str) -> String {
    RunKey::new(None, run).unwrap().as_str().to_owned()
}

/// Fires all that is due at this second.
pub(crate) async fn fire(db: &Store, second: i64) -> usize {
    let due = db.due_timers(at(second), None, 100).await.unwrap();
    let actions: Vec<_> = due
        .into_iter()
        .map(|timer| {
            let mut new = event(&ada(), "x");
            new.received_at = at(second);
            let alert = Box::new(alert(&new, timer.rule));
            (timer, TimerAction::Fire { trigger: TRIGGER, alert })
        })
        .collect();
    db.settle_timers(&actions, at(second)).await.unwrap().len()
}

async fn stored_rule(db: &Store) -> AlertRule {
    let mut rule = rule(&endpoint(&ada()));
    rule.spec.trigger = Trigger::Duration(TRIGGER);
    db.create_rule(&rule, &Quotas::NONE, &entry("created"), at(0)).await.unwrap();
    rule
}

on_both! {
    async fn a_timer_is_due_at_its_time_and_fires_once(db: Db) {
        assert_eq!(start(&db, rule_id(), "r").await, Reason::Watching);
        assert_eq!(db.next_timer().await.unwrap(), Some(at(60)));
        assert_eq!(fire(&db, 59).await, 0);
        assert_eq!(fire(&db, 61).await, 1);
        assert_eq!(fire(&db, 62).await, 0);
        assert_eq!(db.next_timer().await.unwrap(), None);

        let sent = db.list_deliveries(&ada(), &DeliveryFilter::default(), 9, None).await.unwrap();
        let sent = &sent.items[0];
        assert_eq!(sent.trigger["elapsed_ms"], 61_000);
        let made = db.get_event(&ada(), sent.event_id).await.unwrap().unwrap();
        let body: Value = serde_json::from_slice(&made.body).unwrap();
        assert_eq!(body["type"], "workflow.duration_exceeded");
        assert!(made.matches.contains(r#""fired":true"#), "{}", made.matches);
    }

    async fn a_timer_survives_a_restart(db: Db) {
        start(&db, rule_id(), "r").await;
        let mut db = db;
        db.reopen().await;
        let due = db.due_timers(at(60), None, 10).await.unwrap();
        assert_eq!((due[0].run.clone(), due[0].started.is_some()), (key("r"), true));
        assert_eq!(fire(&db, 60).await, 1);
    }

    async fn the_runs_end_stops_the_timer_also_when_it_is_told_first(db: Db) {
        let rule = rule_id();
        let end = |run: &str| {
            let phase = RunPhase::Ended { took_ms: Some(5_000) };
            sighted(&format!("{run} ended"), rule, run, 5, phase)
        };
        start(&db, rule, "first").await;
        db.accept(vec![end("first")]).await.unwrap();
        db.accept(vec![end("second")]).await.unwrap();
        assert_eq!(start(&db, rule, "second").await, Reason::EndedInTime);
        assert_eq!(fire(&db, 1000).await, 0);
        let late = db.forget_trigger_states(at(5 + 7 * 24 * 3600), 10).await.unwrap();
        assert_eq!(late, 2, "ended runs are forgotten after a week");
    }

    async fn the_alert_is_about_the_start_and_not_about_an_earlier_end_told_late(db: Db) {
        let rule = rule_id();
        let started = sighted("started", rule, "r", 10, RunPhase::Started);
        db.accept(vec![started.clone()]).await.unwrap();
        let phase = RunPhase::Ended { took_ms: Some(5_000) };
        db.accept(vec![sighted("ended before", rule, "r", 9, phase)]).await.unwrap();
        let due = db.due_timers(at(70), None, 10).await.unwrap();
        assert_eq!(due[0].started.as_ref().map(|(event, ..)| *event), Some(started.id));
    }

    async fn timers_that_are_left_alone_do_not_stand_before_others(db: Db) {
        let rule = rule_id();
        for run in ["a", "b", "c"] {
            start(&db, rule, run).await;
        }
        let (mut runs, mut last) = (Vec::new(), None);
        while let Some(due) = db.due_timers(at(60), last.as_ref(), 1).await.unwrap().pop() {
            runs.push(due.run.clone());
            last = Some(due);
        }
        assert_eq!(runs, ["a", "b", "c"].map(key));
    }

    async fn an_end_between_finding_and_firing_wins(db: Db) {
        let rule = rule_id();
        start(&db, rule, "r").await;
        let due = db.due_timers(at(60), None, 10).await.unwrap();
        let phase = RunPhase::Ended { took_ms: None };
        db.accept(vec![sighted("ended", rule, "r", 30, phase)]).await.unwrap();
        let new = event(&ada(), "x");
        let action = TimerAction::Fire { trigger: TRIGGER, alert: Box::new(alert(&new, rule)) };
        let timers = [(due[0].clone(), action)];
        assert_eq!(db.settle_timers(&timers, at(60)).await.unwrap(), []);
    }

    async fn a_dropped_timer_is_not_due_again(db: Db) {
        start(&db, rule_id(), "r").await;
        let due = db.due_timers(at(60), None, 10).await.unwrap();
        let dropped = [(due[0].clone(), TimerAction::Drop)];
        assert_eq!(db.settle_timers(&dropped, at(60)).await.unwrap(), []);
        assert!(db.due_timers(at(600), None, 10).await.unwrap().is_empty());
    }

    async fn a_changed_threshold_moves_timers_and_a_deleted_rule_takes_its_own_along(db: Db) {
        let mut rule = stored_rule(&db).await;
        start(&db, rule.id, "r").await;
        start(&db, rule_id(), "of another rule").await;
        rule.updated_at = at(1);
        let later = TriggerChange::Shift { by_us: 30_000_000 };
        assert!(db.update_rule(&rule, at(0), later, &entry("updated"), at(1)).await.unwrap());
        assert_eq!(db.due_timers(at(60), None, 10).await.unwrap().len(), 1);
        assert_eq!(db.due_timers(at(90), None, 10).await.unwrap().len(), 2);
        assert!(db.delete_rule(&ada(), rule.id, None, &entry("deleted"), at(2)).await.unwrap());
        let left = db.due_timers(at(90), None, 10).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].run, key("of another rule"));
    }

    async fn a_damaged_timer_is_put_aside_and_stands_before_no_other(db: Db) {
        use sqlx::Executor as _;

        let rule = rule_id();
        for run in ["a", "b", "c", "d"] {
            start(&db, rule, run).await;
        }
        let tampered = [
            "UPDATE trigger_states SET state = '{' WHERE key = '[null,\"a\"]'",
            "UPDATE trigger_states SET rule_id = 'nonsense' WHERE key = '[null,\"b\"]'",
            "UPDATE trigger_states SET due_at = -9000000000000000000 WHERE key = '[null,\"c\"]'",
        ];
        for tampered in tampered {
            db.connection().await.execute(tampered).await.unwrap();
        }
        // Page by page, each of them smaller than what is damaged.
        let mut last = None;
        let mut due = Vec::new();
        while let Some(timer) = db.due_timers(at(61), last.as_ref(), 1).await.unwrap().pop() {
            due.push(timer.run.clone());
            last = Some(timer);
        }
        assert_eq!(due, ["a", "d"].map(key), "what a damaged memory says is not read yet");
        assert_eq!(fire(&db, 61).await, 1, "the one that is whole");
        assert_eq!(db.next_timer().await.unwrap(), None, "none comes up again");
        assert!(db.due_timers(at(600), None, 9).await.unwrap().is_empty());
        // A run of which more is told begins anew.
        let again = sighted("again", rule, "a", 100, RunPhase::Started);
        assert_eq!(db.accept(vec![again]).await.unwrap()[0].remembering, [Reason::Watching]);
    }

    async fn timers_and_events_of_the_same_runs_wait_for_each_other_in_no_ring(db: Db) {
        let rule = rule_id();
        let db: &Store = &db;
        for round in 0..15 {
            let runs: Vec<String> = (0..40).map(|n| format!("{round}-{n:02}")).collect();
            // The last by name is due first.
            for (n, run) in runs.iter().enumerate() {
                let started = sighted(&format!("{run} started"), rule, run, -(n as i64), RunPhase::Started);
                db.accept(vec![started]).await.unwrap();
            }
            let due = db.due_timers(at(61), None, 100).await.unwrap();
            assert!(due[0].run > due[39].run);
            let actions: Vec<_> = due
                .into_iter()
                .map(|timer| {
                    let mut new = event(&ada(), "x");
                    new.received_at = at(61);
                    let alert = Box::new(alert(&new, rule));
                    (timer, TimerAction::Fire { trigger: TRIGGER, alert })
                })
                .collect();
            let ends = runs.iter().map(|run| {
                let phase = RunPhase::Ended { took_ms: None };
                sighted(&format!("{run} ended"), rule, run, 61, phase)
            });
            let (fired, told) =
                tokio::join!(db.settle_timers(&actions, at(61)), db.accept(ends.collect()));
            let by_event = told.unwrap().iter().filter(|told| told.remembering == [Reason::Fired]).count();
            assert_eq!(fired.unwrap().len() + by_event, 40, "each run once");
        }
    }
}
