//! The end of an attempt is written once, by whoever holds the lease.

use alerts_domain::delivery::{DeliveryStatus, Lease, Transition};
use alerts_store::FinishOutcome;

use crate::fixture::{
    ada, at, delivery, endpoint, entry, event, finished, host, in_hand, leased, rule,
};
use crate::on_both;

on_both! {
    async fn a_delivered_delivery_keeps_its_attempt(db: Db) {
        let lease = Lease { host: host(), fence: 1 };
        let sent = in_hand(&db, &ada(), "1", lease).await;
        let end = finished(&sent, lease, Transition::Deliver);
        assert_eq!(db.finish(end.clone()).await.unwrap(), FinishOutcome::Recorded);
        let (read, attempts) = db.get_delivery(&ada(), sent.id).await.unwrap().unwrap();
        assert_eq!((read.status, read.attempt_count), (DeliveryStatus::Delivered, 1));
        assert_eq!(read.finished_at, Some(at(2)));
        assert_eq!(Some(&attempts[0]), end.attempt.as_ref());
    }

    async fn a_stale_worker_cannot_finish_a_reclaimed_delivery(db: Db) {
        let (slow, quick) = (host(), host());
        let lease = Lease { host: slow, fence: 1 };
        let sent = in_hand(&db, &ada(), "1", lease).await;
        // Even the same host may not use an older number.
        for stale in [Lease { host: quick, fence: 1 }, Lease { host: slow, fence: 0 }] {
            let end = finished(&sent, stale, Transition::Deliver);
            assert_eq!(db.finish(end).await.unwrap(), FinishOutcome::LeaseLost);
        }
        let (read, attempts) = db.get_delivery(&ada(), sent.id).await.unwrap().unwrap();
        assert_eq!((read.status, attempts.len()), (DeliveryStatus::Leased, 0));
        let end = finished(&sent, lease, Transition::Deliver);
        assert_eq!(db.finish(end.clone()).await.unwrap(), FinishOutcome::Recorded);
        assert_eq!(db.finish(end).await.unwrap(), FinishOutcome::LeaseLost, "only once");
    }

    async fn a_failed_attempt_is_scheduled_again_and_the_last_one_is_buried(db: Db) {
        let lease = Lease { host: host(), fence: 1 };
        let mut sent = in_hand(&db, &ada(), "1", lease).await;
        let retry = Transition::Retry { at: at(60), error: "answered 500".into() };
        db.finish(finished(&sent, lease, retry)).await.unwrap();
        let (read, _) = db.get_delivery(&ada(), sent.id).await.unwrap().unwrap();
        assert_eq!(read.next_attempt_at, Some(at(60)));
        assert_eq!(read.last_error.as_deref(), Some("answered 500"));

        let claimed = db.claim_due(at(60), lease.host, &[], 10, 10).await.unwrap();
        assert_eq!((claimed.len(), claimed[0].lease.fence), (1, 2));
        sent.attempt_count = claimed[0].delivery.attempt_count;
        let bury = Transition::Bury { error: "gave up".into(), disable_rule: false };
        db.finish(finished(&sent, claimed[0].lease, bury)).await.unwrap();
        let (read, attempts) = db.get_delivery(&ada(), sent.id).await.unwrap().unwrap();
        assert_eq!((read.status, read.attempt_count), (DeliveryStatus::Dead, 2));
        assert_eq!(attempts.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 2]);
    }

    async fn a_delivery_given_back_counts_no_attempt(db: Db) {
        let lease = Lease { host: host(), fence: 1 };
        let sent = in_hand(&db, &ada(), "1", lease).await;
        let release = Transition::Release { at: at(5), reason: Some("switched off".into()) };
        let mut end = finished(&sent, lease, release);
        end.attempt = None;
        db.finish(end).await.unwrap();
        let (read, attempts) = db.get_delivery(&ada(), sent.id).await.unwrap().unwrap();
        assert_eq!((read.status, read.attempt_count), (DeliveryStatus::Scheduled, 0));
        assert_eq!(read.last_error.as_deref(), Some("switched off"));
        assert!(attempts.is_empty());
    }

    async fn a_target_that_is_gone_switches_its_rule_off_with_the_reason(db: Db) {
        let endpoint = endpoint(&ada());
        let rule = rule(&endpoint);
        db.create_endpoint(&endpoint, &entry("webhook.created"), at(0)).await.unwrap();
        db.create_rule(&rule, &entry("alert_rule.created"), at(0)).await.unwrap();
        let lease = Lease { host: host(), fence: 1 };
        let mut new = event(&ada(), "1");
        let sent = leased(delivery(&new, endpoint.id, rule.id), lease);
        new.deliveries.push(sent.clone());
        db.accept(vec![new]).await.unwrap();
        let revision = db.active_tenant(&ada()).await.unwrap().revision;

        let gone = Transition::Bury { error: "answered 410".into(), disable_rule: true };
        db.finish(finished(&sent.delivery, lease, gone)).await.unwrap();
        let read = db.get_rule(&ada(), rule.id).await.unwrap().unwrap();
        assert!(!read.spec.is_active);
        assert_eq!(read.disabled_reason.as_deref(), Some("answered 410"));
        assert!(db.active_tenant(&ada()).await.unwrap().revision > revision);
        let audit = db.list_audit(&ada(), 1, None).await.unwrap();
        assert_eq!(audit.items[0].action, "alert_rule.disabled");
        assert_eq!(audit.items[0].resource, rule.id.to_string());
    }

    async fn many_results_at_once_are_all_written(db: Db) {
        let lease = Lease { host: host(), fence: 1 };
        let mut sent = Vec::new();
        for n in 0..100 {
            sent.push(in_hand(&db, &ada(), &n.to_string(), lease).await);
        }
        let ends = sent.iter().map(|sent| db.finish(finished(sent, lease, Transition::Deliver)));
        let outcomes = futures_util::future::join_all(ends).await;
        assert!(outcomes.into_iter().all(|outcome| outcome.unwrap() == FinishOutcome::Recorded));
        for sent in sent {
            let (read, attempts) = db.get_delivery(&ada(), sent.id).await.unwrap().unwrap();
            assert_eq!((read.status, attempts.len()), (DeliveryStatus::Delivered, 1));
        }
    }
}
