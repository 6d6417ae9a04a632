//! A Postgres that is locked, silent, read-only or restarting: every caller gets an
//! answer, and the true one.

use std::time::Duration;

use alerts_domain::quota::Quotas;
use alerts_store::{DeliveryFilter, EventFilter, Store, StoreError};
use alerts_test_support::postgres::{Proxy, fresh_database};
use futures_util::future::{join_all, select_all};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::fixture::{ada, at, endpoint, entry, event, host, scheduled};

/// Far longer than any deadline: whoever waits for so long was forgotten.
async fn answered<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap()
}

/// Waits for a condition, not for a time.
async fn eventually(what: &str, look: impl AsyncFn() -> bool) {
    let looked = async {
        while !look().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), looked).await.is_ok(), "{what}");
}

fn is_away<T>(outcome: Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

#[tokio::test]
async fn a_table_that_somebody_has_locked_is_an_answer_and_not_a_wait() {
    let url = fresh_database().await;
    let db = Store::open(&url).await.unwrap();
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut locked = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE events, tenants").execute(&mut *locked).await.unwrap();
    assert!(is_away(answered(db.accept(vec![event(&ada(), "1")])).await));
    assert!(is_away(answered(db.note(&ada(), &entry("noted"), at(0))).await));
    let filter = EventFilter::default();
    assert!(is_away(answered(db.list_events(&ada(), &filter, 10, None)).await));
    assert!(db.writer_health().last_error.unwrap().contains("lock timeout"));
    locked.rollback().await.unwrap();
    db.accept(vec![event(&ada(), "1")]).await.unwrap();
    assert_eq!(db.writer_health().last_error, None);
    assert_eq!(db.writer_health().waiting_for, None);
}

#[tokio::test]
async fn a_way_that_went_silent_is_given_up_and_replaced() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let db = Store::open(way.url()).await.unwrap();
    let (everything, me) = (EventFilter::default(), host());
    let use_all = async || {
        let calls = (0..4).map(async |n| {
            let (name, made) = (format!("{n}"), entry("webhook.created"));
            let (tenant, new) = (ada(), endpoint(&ada()));
            let (accepted, noted, listed, beat) = tokio::join!(
                db.accept(vec![event(&tenant, &name)]),
                db.create_endpoint(&new, &Quotas::NONE, &made, at(0)),
                db.list_events(&tenant, &everything, 10, None),
                db.heartbeat(me, at(60)),
            );
            [accepted.map(drop), noted, listed.map(drop), beat.map(drop), db.ping().await]
        });
        answered(join_all(calls)).await.into_iter().flatten().collect::<Vec<_>>()
    };
    assert!(use_all().await.into_iter().all(|outcome| outcome.is_ok()));
    way.go_silent();
    assert!(use_all().await.into_iter().all(is_away));
    way.recover();
    eventually("all of it works again", async || {
        use_all().await.into_iter().all(|outcome| outcome.is_ok())
    })
    .await;
}

#[tokio::test]
async fn a_commit_that_is_not_answered_is_in_doubt_whoever_makes_it() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let db = Store::open(way.url()).await.unwrap();
    for lose in [Proxy::lose_commit_of, Proxy::silence_commit_of] {
        let new = event(&ada(), &format!("{:?}", std::time::Instant::now()));
        lose(&way, "INSERT INTO events");
        let unknown = answered(db.accept(vec![new.clone()])).await.unwrap_err();
        assert!(unknown.is_in_doubt(), "{unknown}");
        let again = db.accept(vec![event(&ada(), &new.event.id)]).await.unwrap();
        assert!(again[0].duplicate, "it was done");

        let made = endpoint(&ada());
        lose(&way, "INSERT INTO webhook_endpoints");
        let unknown =
            answered(db.create_endpoint(&made, &Quotas::NONE, &entry("webhook.created"), at(0)))
                .await;
        assert!(unknown.unwrap_err().is_in_doubt());
        assert!(db.get_endpoint(&ada(), made.id).await.unwrap().is_some());

        let sent = scheduled(&db, &ada(), &format!("due-{}", new.event.id)).await;
        lose(&way, "SET status = 'leased'");
        let claimed = answered(db.claim_due(at(0), host(), &[], 10, 10)).await.unwrap();
        assert!(claimed[0].in_doubt);
        assert_eq!(claimed[0].delivery.id, sent.id);
        assert!(way.has_struck());
    }
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_in_doubt_too_and_may_be_told_again() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let db = Store::open(way.url()).await.unwrap();
    way.drop_commit_of("INSERT INTO events");
    let unknown = answered(db.accept(vec![event(&ada(), "1")])).await.unwrap_err();
    assert!(unknown.is_in_doubt(), "{unknown}");
    assert!(way.has_struck());
    let again = db.accept(vec![event(&ada(), "1")]).await.unwrap();
    assert!(!again[0].duplicate, "it was not done");
}

#[tokio::test]
async fn what_is_connected_to_a_server_that_became_read_only_is_dropped_at_the_first_refusal() {
    let url = fresh_database().await;
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let db = Store::open(&url).await.unwrap();
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut run = async |statement: String| {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut other).await.unwrap();
    };
    let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let write = async || {
        let calls = (0..6).map(async |_| {
            let (made, entry) = (endpoint(&ada()), entry("webhook.created"));
            let (noted, accepted) = tokio::join!(
                db.create_endpoint(&made, &Quotas::NONE, &entry, at(0)),
                db.accept(vec![event(&ada(), &made.id.to_string())]),
            );
            [noted, accepted.map(drop)]
        });
        join_all(calls).await.into_iter().flatten().collect::<Vec<_>>()
    };
    run(format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    run(end_all.to_owned()).await;
    eventually("every connection is a read-only one", async || {
        write().await.into_iter().all(is_away)
    })
    .await;
    // Whoever connects now can write: another server has taken over.
    run("SET default_transaction_read_only = off".to_owned()).await;
    run(format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await;
    for outcome in write().await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_proxy_that_accepts_and_closes_is_a_database_that_is_away() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let db = Store::open(way.url()).await.unwrap();
    db.accept(vec![event(&ada(), "1")]).await.unwrap();
    way.close_all();
    for _ in 0..3 {
        assert!(is_away(db.accept(vec![event(&ada(), "2")]).await));
        assert!(is_away(
            db.create_endpoint(&endpoint(&ada()), &Quotas::NONE, &entry("made"), at(0)).await
        ));
        assert!(is_away(db.active_tenant(&ada()).await));
        assert!(is_away(db.ping().await));
    }
    way.recover();
    eventually("it is back", async || db.ping().await.is_ok()).await;
}

#[tokio::test]
async fn those_who_look_at_lists_keep_neither_leases_nor_claims_nor_commits_waiting() {
    let url = fresh_database().await;
    let db = Store::open(&url).await.unwrap();
    scheduled(&db, &ada(), "1").await;
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut locked = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE audit").execute(&mut *locked).await.unwrap();
    // More of them than there are connections for.
    let tenant = ada();
    let lookers = select_all((0..40).map(|_| Box::pin(db.list_audit(&tenant, 10, None))));
    let work = async {
        let me = host();
        db.heartbeat(me, at(60)).await.unwrap();
        assert_eq!(db.claim_due(at(0), me, &[], 10, 10).await.unwrap().len(), 1);
        scheduled(&db, &ada(), "2").await;
    };
    tokio::select! {
        () = work => {}
        _ = lookers => panic!("the work waited until a list had waited long enough"),
    }
    locked.rollback().await.unwrap();
    let found = db.list_deliveries(&tenant, &DeliveryFilter::default(), 10, None).await.unwrap();
    assert_eq!(found.items.len(), 2);
}
