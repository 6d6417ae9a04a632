//! One host watches a source at a time, and what it writes is written whole.

use alerts_domain::id::HostId;
use alerts_store::{Looked, SourceLease, SourceTurn, Store, WatchedRun};

use crate::fixture::{ada, host};
use crate::on_both;

const SOURCE: &str = "exosphere";
const URL: &str = "http://state-manager:8000/";

async fn turn(db: &Store) -> Option<SourceTurn> {
    db.source_turn(SOURCE).await.unwrap()
}

async fn taken(db: &Store, host: HostId) -> SourceLease {
    let seen = turn(db).await;
    db.take_source(SOURCE, URL, host, seen.as_ref()).await.unwrap().unwrap()
}

fn run(run_id: &str, ordinal: i64, is_open: bool) -> WatchedRun {
    let created_us = ordinal * 1_000_000;
    let (run_id, memory) = (run_id.to_owned(), "{}".to_owned());
    WatchedRun { run_id, created_us, ordinal, misses: 0, is_open, memory }
}

fn looked(runs: Vec<WatchedRun>, events: &[&str]) -> Looked {
    let events = events.iter().map(|event| (ada(), (*event).to_owned())).collect();
    Looked { memory: Some("{\"total\":1}".into()), runs, forgotten: Vec::new(), events }
}

async fn waiting(db: &Store) -> Vec<String> {
    let events = db.source_events(SOURCE, 100).await.unwrap();
    events.into_iter().map(|event| event.body).collect()
}

on_both! {
    async fn a_source_is_taken_over_only_by_who_saw_its_watcher_silent(db: Db) {
        let (first, second) = (host(), host());
        assert_eq!(turn(&db).await, None);
        let lease = taken(&db, first).await;
        assert_eq!(db.take_source(SOURCE, URL, second, None).await.unwrap(), None);
        let seen = turn(&db).await.unwrap();
        assert_eq!(seen.host, Some(first));
        assert!(db.beat_source(&lease, Some("{}")).await.unwrap());
        let late = db.take_source(SOURCE, URL, second, Some(&seen)).await.unwrap();
        assert_eq!(late, None, "it has beaten since");
        let other = taken(&db, second).await;
        assert!(!db.beat_source(&lease, None).await.unwrap());
        assert!(db.beat_source(&other, None).await.unwrap());
        db.release_source(&lease).await.unwrap();
        assert_eq!(turn(&db).await.unwrap().host, Some(second), "the old one lets nothing go");
        db.release_source(&other).await.unwrap();
        assert_eq!(turn(&db).await.unwrap().host, None);
    }

    async fn of_two_that_want_a_source_one_has_it(db: Db) {
        taken(&db, host()).await;
        let seen = turn(&db).await.unwrap();
        let (one, other) = (host(), host());
        let (one, other) = tokio::join!(
            db.take_source(SOURCE, URL, one, Some(&seen)),
            db.take_source(SOURCE, URL, other, Some(&seen)),
        );
        assert_eq!([one.unwrap(), other.unwrap()].iter().flatten().count(), 1);
    }

    async fn what_is_seen_and_what_follows_from_it_are_one_commit_of_the_watcher_alone(db: Db) {
        let lease = taken(&db, host()).await;
        let first = looked(vec![run("a", 1, true), run("b", 2, false)], &["1", "2"]);
        assert!(db.save_looked(&lease, "ada", &first).await.unwrap());
        let other = taken(&db, host()).await;
        let late = looked(vec![run("a", 1, false), run("c", 3, true)], &["late"]);
        assert!(!db.save_looked(&lease, "ada", &late).await.unwrap());
        assert!(!db.begin_watch_anew(&lease, "ada", "{}").await.unwrap());
        assert!(!db.forget_source_events(&lease, 2).await.unwrap());
        assert_eq!(waiting(&db).await, ["1", "2"]);
        let known = db.watched_runs(SOURCE, "ada", &["a", "b", "c"]).await.unwrap();
        assert_eq!(known, first.runs);
        let memory = db.watched_namespace(SOURCE, "ada").await.unwrap();
        assert_eq!(memory, first.memory);
        assert!(db.save_looked(&other, "ada", &late).await.unwrap());
        assert_eq!(waiting(&db).await, ["1", "2", "late"]);
    }

    async fn events_leave_in_their_order_and_are_forgotten_up_to_a_number(db: Db) {
        let lease = taken(&db, host()).await;
        for bodies in [&["1", "2"][..], &["3"]] {
            db.save_looked(&lease, "ada", &looked(Vec::new(), bodies)).await.unwrap();
        }
        let two = db.source_events(SOURCE, 2).await.unwrap();
        assert_eq!(two.iter().map(|event| &event.tenant).collect::<Vec<_>>(), [&ada(), &ada()]);
        assert!(db.forget_source_events(&lease, two[1].number).await.unwrap());
        assert_eq!(waiting(&db).await, ["3"]);
    }

    async fn open_runs_are_found_by_their_numbers_and_closed_ones_by_their_age(db: Db) {
        let lease = taken(&db, host()).await;
        let runs = vec![run("a", 1, true), run("b", 2, false), run("c", 3, true), run("d", 4, false)];
        db.save_looked(&lease, "ada", &looked(runs, &[])).await.unwrap();
        db.save_looked(&lease, "bob", &looked(vec![run("x", 9, true)], &[])).await.unwrap();
        let open = async |up_to, limit| {
            let open = db.open_runs(SOURCE, "ada", up_to, limit).await.unwrap();
            open.into_iter().map(|run| run.run_id).collect::<Vec<_>>()
        };
        assert_eq!(open(i64::MAX, 10).await, ["c", "a"]);
        assert_eq!(open(i64::MAX, 1).await, ["c"]);
        assert_eq!(open(3, 10).await, ["c", "a"]);
        assert_eq!(open(2, 10).await, ["a"]);
        let closed = db.oldest_closed_runs(SOURCE, "ada", 5_000_000, 10).await.unwrap();
        assert_eq!(closed, [(2_000_000, "b".to_owned()), (4_000_000, "d".to_owned())]);
        let forgotten = Looked { forgotten: vec!["b".into(), "c".into()], ..Looked::default() };
        db.save_looked(&lease, "ada", &forgotten).await.unwrap();
        let left = db.watched_runs(SOURCE, "ada", &["a", "b", "c", "d"]).await.unwrap();
        assert_eq!(left.iter().map(|run| run.run_id.as_str()).collect::<Vec<_>>(), ["a", "d"]);
        let sources = db.list_sources().await.unwrap();
        assert_eq!((sources[0].open_runs, sources[0].waiting_events), (2, 0));
    }

    async fn what_is_remembered_of_another_place_is_forgotten_and_its_events_are_not(db: Db) {
        let first = host();
        let lease = taken(&db, first).await;
        db.beat_source(&lease, Some("{\"x\":1}")).await.unwrap();
        let runs = looked(vec![run("a", 1, true)], &["1"]);
        db.save_looked(&lease, "ada", &runs).await.unwrap();
        let known = async || db.watched_runs(SOURCE, "ada", &["a"]).await.unwrap().len();
        let again = taken(&db, first).await;
        assert_eq!(known().await, 1);
        assert!(db.begin_watch_anew(&again, "ada", "{\"anew\":1}").await.unwrap());
        let memory = db.watched_namespace(SOURCE, "ada").await.unwrap();
        assert_eq!((known().await, memory.as_deref()), (0, Some("{\"anew\":1}")));
        db.save_looked(&again, "ada", &looked(vec![run("a", 1, true)], &[])).await.unwrap();
        let seen = turn(&db).await;
        let elsewhere = db.take_source(SOURCE, "http://other/", first, seen.as_ref()).await;
        assert!(elsewhere.unwrap().is_some());
        assert_eq!((known().await, db.watched_namespace(SOURCE, "ada").await.unwrap()), (0, None));
        assert_eq!(waiting(&db).await, ["1"]);
        let sources = db.list_sources().await.unwrap();
        assert_eq!((sources[0].url.as_str(), sources[0].status.as_deref()), ("http://other/", None));
    }
}
