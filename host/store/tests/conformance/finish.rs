//! The end of an attempt is written once, by whoever holds the lease.

use alerts_domain::delivery::{DeliveryStatus, Lease, Transition};
use alerts_domain::endpoint::WebhookEndpoint;
use alerts_domain::id::HostId;
use alerts_domain::quota::Quotas;
use alerts_domain::rule::AlertRule;
use alerts_store::{FinishOutcome, Store, TriggerChange};

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

    async fn a_lost_lease_and_the_one_that_followed_it_may_be_written_in_one_group(db: Db) {
        let old = Lease { host: host(), fence: 1 };
        let mut sent = in_hand(&db, &ada(), "1", old).await;
        let retry = Transition::Retry { at: at(60), error: "answered 500".into() };
        db.finish(finished(&sent, old, retry)).await.unwrap();
        let new = db.claim_due(at(60), old.host, &[], 10, 10).await.unwrap()[0].lease;
        sent.attempt_count = 1;
        let ends = [old, new].map(|lease| db.finish(finished(&sent, lease, Transition::Deliver)));
        let [lost, kept] = ends;
        // Asked for in one moment, so that they share a commit.
        let (lost, kept) = tokio::join!(lost, kept);
        assert_eq!(lost.unwrap(), FinishOutcome::LeaseLost);
        assert_eq!(kept.unwrap(), FinishOutcome::Recorded);
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
        db.create_endpoint(&endpoint, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        db.create_rule(&rule, &Quotas::NONE, &entry("alert_rule.created"), at(0)).await.unwrap();
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
        assert_eq!(audit.items[0].detail["name"], rule.spec.name.as_str());
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

    async fn a_target_that_may_be_gone_several_times_is_counted_over_all_hosts_and_restarts(db: Db) {
        let mut db = db;
        let (endpoint, rule) = stored_rule(&db).await;
        let hosts = [host(), host()];
        let mut outcomes = Vec::new();
        for n in 0..3 {
            outcomes.push(gone(&db, &endpoint, &rule, hosts[n % 2], 3).await);
            db.reopen().await;
        }
        use FinishOutcome::{Recorded, RuleDisabled};
        assert_eq!(outcomes, [Recorded, Recorded, RuleDisabled]);
        let read = db.get_rule(&ada(), rule.id).await.unwrap().unwrap();
        let reason = read.disabled_reason.unwrap();
        assert_eq!(reason, "answered 404, 3 times in a row");
        let audit = db.list_audit(&ada(), 1, None).await.unwrap();
        assert_eq!(audit.items[0].action, "alert_rule.disabled");
        assert_eq!(audit.items[0].detail["reason"], reason.as_str());

        // Switched on again, it starts anew.
        let mut on = db.get_rule(&ada(), rule.id).await.unwrap().unwrap();
        let before = on.updated_at;
        on.spec.is_active = true;
        assert!(db.update_rule(&on, before, TriggerChange::None, &entry("alert_rule.updated"), at(9)).await.unwrap());
        assert_eq!(gone(&db, &endpoint, &rule, hosts[0], 3).await, Recorded);
    }

    async fn a_rule_that_is_switched_off_is_a_new_version_also_where_the_clock_is_behind(db: Db) {
        let endpoint = endpoint(&ada());
        let mut rule = rule(&endpoint);
        rule.updated_at = at(1000);
        db.create_endpoint(&endpoint, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        db.create_rule(&rule, &Quotas::NONE, &entry("alert_rule.created"), at(0)).await.unwrap();
        assert_eq!(gone(&db, &endpoint, &rule, host(), 1).await, FinishOutcome::RuleDisabled);
        let read = db.get_rule(&ada(), rule.id).await.unwrap().unwrap();
        assert!(read.version() > rule.version());
    }

    async fn a_delivered_alert_ends_the_count_and_another_rule_has_its_own(db: Db) {
        let (endpoint, rule) = stored_rule(&db).await;
        let (other_endpoint, other) = stored_rule(&db).await;
        let me = host();
        use FinishOutcome::{Recorded, RuleDisabled};
        assert_eq!(gone(&db, &endpoint, &rule, me, 2).await, Recorded);
        assert_eq!(gone(&db, &other_endpoint, &other, me, 2).await, Recorded);
        assert_eq!(end(&db, &endpoint, &rule, me, Transition::Deliver).await, Recorded);
        assert_eq!(gone(&db, &endpoint, &rule, me, 2).await, Recorded);
        let retry = Transition::Retry { at: at(60), error: "answered 500".into() };
        assert_eq!(end(&db, &endpoint, &rule, me, retry).await, Recorded);
        assert_eq!(gone(&db, &endpoint, &rule, me, 2).await, RuleDisabled, "500 is no delivery");
        assert!(db.get_rule(&ada(), other.id).await.unwrap().unwrap().spec.is_active);
        assert_eq!(gone(&db, &other_endpoint, &other, me, 2).await, RuleDisabled);
    }

    async fn gone_before_its_number_is_scheduled_again_and_a_lost_lease_counts_nothing(db: Db) {
        let (endpoint, rule) = stored_rule(&db).await;
        let lease = Lease { host: host(), fence: 1 };
        let mut new = event(&ada(), "1");
        let sent = leased(delivery(&new, endpoint.id, rule.id), lease);
        new.deliveries.push(sent.clone());
        db.accept(vec![new]).await.unwrap();
        let stale = Lease { fence: 0, ..lease };
        for _ in 0..5 {
            let end = finished(&sent.delivery, stale, maybe_gone(2));
            assert_eq!(db.finish(end).await.unwrap(), FinishOutcome::LeaseLost);
        }
        let end = finished(&sent.delivery, lease, maybe_gone(2));
        assert_eq!(db.finish(end).await.unwrap(), FinishOutcome::Recorded);
        let (read, attempts) = db.get_delivery(&ada(), sent.delivery.id).await.unwrap().unwrap();
        assert_eq!((read.status, attempts.len()), (DeliveryStatus::Scheduled, 1));
        assert_eq!(read.next_attempt_at, Some(at(60)));
    }
}

fn maybe_gone(gone_after: u32) -> Transition {
    let error = "answered 404".to_owned();
    let otherwise = Transition::Retry { at: at(60), error: error.as_str().into() }.into();
    Transition::Gone { error: error.into(), gone_after, otherwise }
}

async fn stored_rule(db: &Store) -> (WebhookEndpoint, AlertRule) {
    let endpoint = endpoint(&ada());
    let rule = rule(&endpoint);
    db.create_endpoint(&endpoint, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
    db.create_rule(&rule, &Quotas::NONE, &entry("alert_rule.created"), at(0)).await.unwrap();
    (endpoint, rule)
}

/// A delivery of this rule that ends so.
async fn end(
    db: &Store,
    endpoint: &WebhookEndpoint,
    rule: &AlertRule,
    host: HostId,
    transition: Transition,
) -> FinishOutcome {
    let lease = Lease { host, fence: 1 };
    let mut new = event(&ada(), "x");
    new.event.id = new.id.to_string();
    let sent = leased(delivery(&new, endpoint.id, rule.id), lease);
    new.deliveries.push(sent.clone());
    db.accept(vec![new]).await.unwrap();
    db.finish(finished(&sent.delivery, lease, transition)).await.unwrap()
}

async fn gone(
    db: &Store,
    endpoint: &WebhookEndpoint,
    rule: &AlertRule,
    host: HostId,
    gone_after: u32,
) -> FinishOutcome {
    end(db, endpoint, rule, host, maybe_gone(gone_after)).await
}
