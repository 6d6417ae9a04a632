//! What a host has leased and nobody works on is given back, and nothing else.

use alerts_domain::delivery::{DeliveryStatus, Lease};
use alerts_store::StoredLease;

use crate::fixture::{ada, at, bob, host, in_hand};
use crate::on_both;

on_both! {
    async fn what_is_leased_to_a_host_is_told_with_its_lease(db: Db) {
        let (one, other) = (host(), host());
        let first = in_hand(&db, &ada(), "1", Lease { host: one, fence: 1 }).await;
        let second = in_hand(&db, &bob(), "2", Lease { host: one, fence: 3 }).await;
        in_hand(&db, &ada(), "3", Lease { host: other, fence: 1 }).await;
        let mut leased = db.leased_to(one).await.unwrap();
        leased.sort();
        let lease = |tenant, id, fence| StoredLease { tenant, id, fence };
        assert_eq!(leased, [lease(ada(), first.id, 1), lease(bob(), second.id, 3)]);
    }

    async fn a_stray_is_due_again_unless_it_was_leased_anew(db: Db) {
        let (one, other) = (host(), host());
        let stray = in_hand(&db, &ada(), "1", Lease { host: one, fence: 1 }).await;
        let held = in_hand(&db, &ada(), "2", Lease { host: one, fence: 2 }).await;
        let others = in_hand(&db, &ada(), "3", Lease { host: other, fence: 1 }).await;
        let lease = |id, fence| StoredLease { tenant: ada(), id, fence };
        // The second was told under the lease that it had before.
        let strays = [lease(others.id, 1), lease(held.id, 1), lease(stray.id, 1)];
        assert_eq!(db.release_strays(one, &strays, at(5)).await.unwrap(), 1);
        for (delivery, status) in [
            (stray.id, DeliveryStatus::Scheduled),
            (held.id, DeliveryStatus::Leased),
            (others.id, DeliveryStatus::Leased),
        ] {
            let (read, _) = db.get_delivery(&ada(), delivery).await.unwrap().unwrap();
            assert_eq!(read.status, status, "{delivery}");
        }
        let claimed = db.claim_due(at(5), one, &[], 10, 10).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!(claimed[0].lease, Lease { host: one, fence: 2 }, "the fence goes on");
    }
}
