//! What a host leaves behind is taken up by another.

use alerts_domain::delivery::{DeliveryStatus, Lease};

use crate::fixture::{Db, ada, at, host, in_hand};
use crate::on_both;

on_both! {
    async fn a_dead_hosts_work_is_due_again_and_a_living_ones_is_not(db: Db) {
        let (dead, living) = (host(), host());
        db.heartbeat(dead, at(10)).await.unwrap();
        db.heartbeat(living, at(30)).await.unwrap();
        let left = in_hand(&db, &ada(), "1", Lease { host: dead, fence: 1 }).await;
        let held = in_hand(&db, &ada(), "2", Lease { host: living, fence: 1 }).await;
        assert_eq!(db.release_dead_hosts(at(9)).await.unwrap(), 0);
        assert_eq!(db.release_dead_hosts(at(10)).await.unwrap(), 1);
        let (read, _) = db.get_delivery(&ada(), left.id).await.unwrap().unwrap();
        assert_eq!((read.status, read.next_attempt_at), (DeliveryStatus::Scheduled, Some(at(10))));
        let (read, _) = db.get_delivery(&ada(), held.id).await.unwrap().unwrap();
        assert_eq!(read.status, DeliveryStatus::Leased);
        // Claimed anew, its fence keeps the dead host out should it wake up.
        let claimed = db.claim_due(at(10), living, &[], 10, 10).await.unwrap();
        assert_eq!(claimed[0].lease, Lease { host: living, fence: 2 });
    }

    async fn a_heartbeat_says_whether_the_host_was_forgotten(db: Db) {
        let (still, living) = (host(), host());
        assert!(!db.heartbeat(still, at(10)).await.unwrap(), "it is new");
        assert!(db.heartbeat(still, at(20)).await.unwrap());
        // Late, and nobody has seen it.
        assert!(db.heartbeat(still, at(60)).await.unwrap());
        db.heartbeat(living, at(200)).await.unwrap();
        db.release_dead_hosts(at(60)).await.unwrap();
        assert!(!db.heartbeat(still, at(90)).await.unwrap());
    }

    async fn what_a_forgotten_host_claims_and_leaves_is_freed_too(db: Db) {
        let (still, living) = (host(), host());
        db.heartbeat(still, at(10)).await.unwrap();
        db.heartbeat(living, at(60)).await.unwrap();
        assert_eq!(db.release_dead_hosts(at(20)).await.unwrap(), 0);
        // It goes on, and dies before it beats again.
        let left = in_hand(&db, &ada(), "1", Lease { host: still, fence: 1 }).await;
        in_hand(&db, &ada(), "2", Lease { host: living, fence: 1 }).await;
        assert_eq!(db.release_dead_hosts(at(25)).await.unwrap(), 1);
        let (read, _) = db.get_delivery(&ada(), left.id).await.unwrap().unwrap();
        assert_eq!(read.status, DeliveryStatus::Scheduled);
        assert_eq!(db.release_dead_hosts(at(26)).await.unwrap(), 0);
    }

    async fn hosts_are_listed_with_their_release_and_what_they_hold(db: Db) {
        let (busy, idle) = (host(), host());
        db.heartbeat(busy, at(10)).await.unwrap();
        db.heartbeat(idle, at(20)).await.unwrap();
        in_hand(&db, &ada(), "1", Lease { host: busy, fence: 1 }).await;
        let listed = db.list_hosts().await.unwrap();
        let of = |id| listed.iter().find(|host| host.id == id).unwrap();
        assert_eq!((of(busy).deliveries_held, of(busy).lease_until), (1, at(10)));
        assert_eq!((of(idle).deliveries_held, of(idle).lease_until), (0, at(20)));
        assert_eq!(of(idle).version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    }
}

#[tokio::test]
async fn on_sqlite_a_new_host_takes_over_at_once() {
    let db = Db::sqlite().await;
    let (old, new) = (host(), host());
    db.heartbeat(old, at(1_000)).await.unwrap();
    in_hand(&db, &ada(), "1", Lease { host: old, fence: 1 }).await;
    assert_eq!(db.take_over(at(1), new).await.unwrap(), 1);
}

#[tokio::test]
async fn on_postgres_a_new_host_waits_for_the_lease_to_end() {
    let db = Db::postgres().await;
    let (old, new) = (host(), host());
    db.heartbeat(old, at(1_000)).await.unwrap();
    in_hand(&db, &ada(), "1", Lease { host: old, fence: 1 }).await;
    assert_eq!(db.take_over(at(1), new).await.unwrap(), 0);
    assert_eq!(db.take_over(at(1_000), new).await.unwrap(), 1);
}

#[tokio::test]
async fn a_second_host_on_the_same_sqlite_file_is_refused() {
    let db = Db::sqlite().await;
    let refused = alerts_store::Store::open(&db.url).await.unwrap_err();
    assert!(refused.to_string().contains("another host has it open"), "{refused}");
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let mut db = Db::sqlite().await;
    let sent = in_hand(&db, &ada(), "1", Lease { host: host(), fence: 1 }).await;
    db.reopen().await;
    assert!(db.get_delivery(&ada(), sent.id).await.unwrap().is_some());
}
