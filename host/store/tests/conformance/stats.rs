//! Statistics: counted with what they count, once, and added up whoever does it.

use std::collections::BTreeMap;

use alerts_domain::delivery::{Lease, Transition};
use alerts_domain::stats::{Figures, Step};
use alerts_domain::tenant::TenantId;
use alerts_store::{CountedBy, FinishOutcome, Finished, NewDelivery, StatsQuery, StatsRow, Store};
use alerts_test_support::postgres::fresh_database;
use sqlx::Executor as _;

use crate::fixture::{
    ada, at, bob, dead, delivery, endpoint_id, event, finished, host, in_hand, rule_id, scheduled,
};
use crate::on_both;

const EVER: (i64, i64) = (-1_000_000, 1_000_000);

async fn added_up(db: &Store) {
    while db.add_up_stats().await.unwrap() {}
}

async fn rows(db: &Store, tenant: &TenantId, by: CountedBy, step: Step) -> Vec<StatsRow> {
    let query = StatsQuery { by, subject: None, step, from: at(EVER.0), to: at(EVER.1) };
    db.stats(tenant, &query, 1000).await.unwrap()
}

/// All of a tenant's figures, added up.
async fn total(db: &Store, tenant: &TenantId, by: CountedBy, step: Step) -> Figures {
    let mut total = Figures::default();
    rows(db, tenant, by, step).await.iter().for_each(|row| total.add(&row.figures));
    total
}

/// A result of an attempt that failed, as its target said.
fn failed(mut end: Finished) -> Finished {
    if let Some(attempt) = &mut end.attempt {
        attempt.verdict = "retry".into();
    }
    end
}

on_both! {
    async fn what_is_committed_is_counted_by_minute_hour_and_day(db: Db) {
        let lease = Lease { host: host(), fence: 1 };
        let sent = in_hand(&db, &ada(), "1", lease).await;
        let retry = Transition::Retry { at: at(70), error: "answered 503".into() };
        db.finish(failed(finished(&sent, lease, retry))).await.unwrap();
        let claimed = db.claim_due(at(70), host(), &[], 9, 9).await.unwrap();
        let end = finished(&claimed[0].delivery, claimed[0].lease, Transition::Deliver);
        db.finish(Finished { now: at(75), ..end }).await.unwrap();
        added_up(&db).await;

        let minutes = rows(&db, &ada(), CountedBy::All, Step::Minute).await;
        assert_eq!(minutes.iter().map(|row| row.at).collect::<Vec<_>>(), [at(0), at(60)]);
        let Figures { events, delivered, attempts, failed_attempts, failure_reasons, .. } =
            &minutes[0].figures;
        assert_eq!((events, delivered, attempts, failed_attempts), (&1, &0, &1, &1));
        assert_eq!(*failure_reasons, BTreeMap::from([("plugin".to_owned(), 1)]));
        let second = &minutes[1].figures;
        assert_eq!((second.delivered, second.attempts, second.failed_attempts), (1, 1, 0));
        // Made at second 0, and with its target at second 75.
        let told = second.latencies.percentile_ms(50).unwrap();
        assert!(told.abs_diff(75_000) <= 75_000 / 16, "{told}");

        let mut sum = minutes[0].figures.clone();
        sum.add(second);
        for step in [Step::Hour, Step::Day] {
            let longer = rows(&db, &ada(), CountedBy::All, step).await;
            assert_eq!(longer.len(), 1, "{step}");
            assert_eq!((longer[0].at, &longer[0].figures), (step.beginning(at(0)), &sum));
        }
        for (by, subject) in [
            (CountedBy::WebhookEndpoint, sent.webhook_endpoint_id.to_string()),
            (CountedBy::AlertRule, sent.alert_rule_id.unwrap().to_string()),
            (CountedBy::EventType, "workflow.failed".to_owned()),
        ] {
            let rows = rows(&db, &ada(), by, Step::Hour).await;
            assert_eq!(rows.len(), 1, "{by:?}");
            // What a type's own row says of types would say nothing.
            let event_types = match by {
                CountedBy::EventType => BTreeMap::new(),
                _ => BTreeMap::from([("workflow.failed".to_owned(), 1)]),
            };
            let expected = Figures { event_types, ..sum.clone() };
            assert_eq!((&rows[0].subject, &rows[0].figures), (&subject, &expected));
        }
        assert!(rows(&db, &bob(), CountedBy::All, Step::Hour).await.is_empty());
    }

    async fn a_repeated_event_and_a_result_whose_lease_is_lost_count_once(db: Db) {
        let lease = Lease { host: host(), fence: 1 };
        let sent = in_hand(&db, &ada(), "1", lease).await;
        let mut again = event(&ada(), "1");
        again.deliveries.push(NewDelivery {
            delivery: delivery(&again, endpoint_id(), rule_id()),
            lease: None,
        });
        assert!(db.accept(vec![again]).await.unwrap()[0].duplicate);
        let end = finished(&sent, lease, Transition::Deliver);
        assert_eq!(db.finish(end.clone()).await.unwrap(), FinishOutcome::Recorded);
        assert_eq!(db.finish(end).await.unwrap(), FinishOutcome::LeaseLost);
        added_up(&db).await;
        added_up(&db).await;
        let figures = total(&db, &ada(), CountedBy::All, Step::Day).await;
        assert_eq!((figures.events, figures.attempts, figures.delivered), (1, 1, 1));
        let made = total(&db, &ada(), CountedBy::WebhookEndpoint, Step::Day).await;
        assert_eq!(made.events, 1, "the repetition's delivery was not stored");
    }

    async fn what_was_counted_before_a_restart_is_added_up_after_it(db: Db) {
        let mut db = db;
        dead(&db, &ada(), "1").await;
        db.reopen().await;
        added_up(&db).await;
        let figures = total(&db, &ada(), CountedBy::All, Step::Day).await;
        assert_eq!((figures.events, figures.dead, figures.attempts), (1, 1, 1));
    }

    async fn a_delivery_that_is_given_up_for_its_age_is_dead_and_has_no_attempt(db: Db) {
        let sent = scheduled(&db, &ada(), "1").await;
        let late = at(8 * 24 * 60 * 60);
        assert_eq!(db.expire_due(late, 10).await.unwrap(), 1);
        added_up(&db).await;
        let days = rows(&db, &ada(), CountedBy::EventType, Step::Day).await;
        assert_eq!(days.len(), 2);
        assert_eq!((days[1].at, days[1].subject.as_str()), (Step::Day.beginning(late), "workflow.failed"));
        assert_eq!((days[1].figures.dead, days[1].figures.attempts), (1, 0));
        let rule = total(&db, &ada(), CountedBy::AlertRule, Step::Day).await;
        assert_eq!((rule.events, rule.dead), (1, 1));
        let subject = &rows(&db, &ada(), CountedBy::AlertRule, Step::Day).await[0].subject;
        assert_eq!(*subject, sent.alert_rule_id.unwrap().to_string());
    }

    async fn types_without_end_get_a_row_for_all_of_them(db: Db) {
        let posted = |n: usize| {
            let mut new = event(&ada(), &n.to_string());
            new.event.event_type = format!("type-{n:03}");
            new
        };
        db.accept((0..60).map(posted).collect()).await.unwrap();
        added_up(&db).await;
        db.accept((0..150).map(|n| posted(1000 + n)).collect()).await.unwrap();
        added_up(&db).await;
        // A type that has its row goes on with it.
        let mut again = posted(3000);
        again.event.event_type = "type-000".into();
        db.accept(vec![event(&ada(), "x"), posted(2000), again]).await.unwrap();
        added_up(&db).await;
        for step in Step::ALL {
            let rows = rows(&db, &ada(), CountedBy::EventType, step).await;
            assert_eq!(rows.len(), 101, "{step}");
            let of = |subject: &str| rows.iter().find(|row| row.subject == subject).unwrap();
            assert_eq!(of("*").figures.events, 150 - 40 + 2);
            assert_eq!(of("type-000").figures.events, 2);
        }
        assert_eq!(total(&db, &ada(), CountedBy::All, Step::Day).await.events, 213);
    }

    async fn a_tally_and_a_row_that_do_not_read_stop_nobody(db: Db) {
        dead(&db, &ada(), "1").await;
        added_up(&db).await;
        let mut connection = db.connection().await;
        connection.execute("INSERT INTO stats_tallies (tally) VALUES ('[[')").await.unwrap();
        connection.execute("UPDATE stats SET figures = '{' WHERE step = 'hour'").await.unwrap();
        dead(&db, &ada(), "2").await;
        added_up(&db).await;
        assert_eq!(total(&db, &ada(), CountedBy::All, Step::Day).await.dead, 2);
        assert_eq!(total(&db, &ada(), CountedBy::All, Step::Hour).await.dead, 1, "begun anew");
        assert!(db.damaged().iter().any(|row| row.table == "stats_tallies"));
    }

    async fn old_rows_are_removed_step_by_step(db: Db) {
        dead(&db, &ada(), "1").await;
        dead(&db, &bob(), "2").await;
        added_up(&db).await;
        assert_eq!(db.remove_old_stats(Step::Minute, at(0), 100).await.unwrap(), 0);
        // Of each tenant: all, a type, an endpoint, a rule.
        assert_eq!(db.remove_old_stats(Step::Minute, at(1), 3).await.unwrap(), 3);
        assert_eq!(db.remove_old_stats(Step::Minute, at(1), 100).await.unwrap(), 5);
        assert!(rows(&db, &ada(), CountedBy::All, Step::Minute).await.is_empty());
        assert_eq!(rows(&db, &ada(), CountedBy::All, Step::Hour).await.len(), 1);
    }

    async fn a_great_many_tallies_are_added_up_in_portions(db: Db) {
        for n in 0..520 {
            db.accept(vec![event(&ada(), &n.to_string())]).await.unwrap();
        }
        assert!(db.add_up_stats().await.unwrap(), "there are more than one portion");
        assert!(!db.add_up_stats().await.unwrap());
        assert_eq!(total(&db, &ada(), CountedBy::All, Step::Day).await.events, 520);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_that_count_and_add_up_at_once_count_everything_once() {
    let url = fresh_database().await;
    let hosts = [Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap()];
    let work = async |store: &Store, number: usize| {
        for n in 0..40 {
            dead(store, &ada(), &format!("{number}-{n}")).await;
            store.add_up_stats().await.unwrap();
        }
    };
    tokio::join!(work(&hosts[0], 0), work(&hosts[1], 1));
    added_up(&hosts[0]).await;
    for step in Step::ALL {
        let figures = total(&hosts[1], &ada(), CountedBy::All, step).await;
        assert_eq!((figures.events, figures.dead, figures.attempts), (80, 80, 80), "{step}");
    }
}
