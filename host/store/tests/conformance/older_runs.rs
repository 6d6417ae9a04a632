//! Runs that were kept by their id alone, before the graph was part of their key.

use alerts_domain::id::RuleId;
use alerts_domain::outcome::Reason;
use alerts_domain::trigger::{RunKey, RunPhase};
use alerts_store::NewEvent;
use serde_json::json;
use sqlx::Row as _;

use crate::fixture::{Db, ada, event, rule_id};
use crate::on_both;
use crate::timers::{fire, sighted_of};

const ENDED: RunPhase = RunPhase::Ended { took_ms: None };

fn run(graph: &str) -> RunKey {
    RunKey::new(Some(graph), "run-7").unwrap()
}

/// An event about run-7 of this graph, at this second.
fn told(rule: RuleId, graph: &str, second: i64, phase: RunPhase) -> NewEvent {
    let mut new = event(&ada(), &format!("{graph} {phase:?} {second}"));
    let body = json!({"specversion": "1.0", "id": new.event.id, "source": "/s",
        "type": "workflow.started", "data": {"graph_name": graph, "run_id": "run-7"}});
    new.event = alerts_domain::event::Event::from_structured(body.to_string().into()).unwrap();
    sighted_of(new, rule, run(graph), second, phase)
}

async fn tell(db: &Db, new: NewEvent) -> Reason {
    db.accept(vec![new]).await.unwrap().remove(0).remembering.remove(0)
}

/// Keeps the memory of this graph's run as it was kept then.
async fn as_then(db: &Db, graph: &str) {
    let changed = sqlx::query("UPDATE trigger_states SET key = 'run-7' WHERE key = $1")
        .bind(run(graph).as_str().to_owned())
        .execute(&mut db.connection().await)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1);
}

async fn keys(db: &Db) -> Vec<String> {
    let rows = sqlx::query("SELECT key FROM trigger_states");
    let rows = rows.fetch_all(&mut db.connection().await).await.unwrap();
    let mut keys: Vec<String> = rows.iter().map(|row| row.get("key")).collect();
    keys.sort_unstable();
    keys
}

on_both! {
    async fn a_watched_run_that_ends_after_the_upgrade_is_not_alerted(db: Db) {
        let rule = rule_id();
        tell(&db, told(rule, "a", 0, RunPhase::Started)).await;
        as_then(&db, "a").await;
        assert_eq!(tell(&db, told(rule, "a", 30, ENDED)).await, Reason::EndedInTime);
        assert_eq!(fire(&db, 61).await, 0);
        assert_eq!(keys(&db).await, [run("a").as_str()], "it is kept under its new key alone");
    }

    async fn a_watched_run_that_does_not_end_is_alerted_once(db: Db) {
        let rule = rule_id();
        tell(&db, told(rule, "a", 0, RunPhase::Started)).await;
        as_then(&db, "a").await;
        assert_eq!(fire(&db, 61).await, 1);
        assert_eq!(tell(&db, told(rule, "a", 90, ENDED)).await, Reason::Duplicate);
    }

    async fn a_run_of_another_graph_takes_nothing_over(db: Db) {
        let rule = rule_id();
        tell(&db, told(rule, "a", 0, RunPhase::Started)).await;
        as_then(&db, "a").await;
        // In one commit, so that both look for the same memory.
        let both = vec![told(rule, "b", 10, RunPhase::Started), told(rule, "b", 20, ENDED)];
        db.accept(both).await.unwrap();
        assert_eq!(keys(&db).await, [run("b").as_str(), "run-7"]);
        assert_eq!(fire(&db, 61).await, 1, "the one of graph a");
    }

    async fn an_opened_run_is_watched_by_its_start_then_and_told_of_it(db: Db) {
        let rule = rule_id();
        let started = told(rule, "a", 0, RunPhase::Started);
        tell(&db, started.clone()).await;
        as_then(&db, "a").await;
        // The end of an opening before: nothing that changes the watch.
        assert_eq!(tell(&db, told(rule, "a", -5, ENDED)).await, Reason::Watching);
        let due = db.due_timers(crate::fixture::at(61), None, 10).await.unwrap();
        assert_eq!(due[0].run, run("a").as_str());
        assert_eq!(due[0].started.as_ref().map(|(event, ..)| *event), Some(started.id));
    }

    async fn an_end_that_was_told_to_a_host_of_the_older_release_ends_the_run(db: Db) {
        let rule = rule_id();
        tell(&db, told(rule, "a", 0, RunPhase::Started)).await;
        tell(&db, told(rule, "any", 5, ENDED)).await;
        as_then(&db, "any").await;
        assert_eq!(fire(&db, 61).await, 0);
        assert_eq!(keys(&db).await, [run("a").as_str()]);
    }
}
