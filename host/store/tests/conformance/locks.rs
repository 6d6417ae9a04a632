//! Who writes at the same time waits for each other in a row, and never in a ring.

use alerts_domain::delivery::{Lease, Transition};
use alerts_domain::quota::Quotas;
use alerts_domain::tenant::TenantId;
use alerts_store::{FinishOutcome, NewDelivery, NewEvent, RateLimiter, Store, TriggerChange};
use alerts_test_support::postgres::{Cluster, fresh_database};
use futures_util::future::join_all;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use crate::fixture::{
    ada, at, delivery, endpoint, entry, event, finished, host, leased, rule, scheduled,
};

#[tokio::test]
async fn a_host_that_forgets_rate_limiters_leaves_those_to_others_that_they_write() {
    let url = fresh_database().await;
    let db = Store::open(&url).await.unwrap();
    let kept = |scope: &str| RateLimiter { scope: scope.into(), free_at: at(1) };
    db.keep_rate_limiters(&[kept("rule:a"), kept("rule:b")], at(0), 10).await.unwrap();
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut writing = other.begin().await.unwrap();
    writing.execute("UPDATE rate_limiters SET free_at = 0 WHERE scope = 'rule:a'").await.unwrap();
    db.keep_rate_limiters(&[], at(2), 10).await.unwrap();
    writing.commit().await.unwrap();
    let left = sqlx::query("SELECT scope FROM rate_limiters").fetch_all(&mut other).await.unwrap();
    let left: Vec<String> = left.iter().map(|row| row.get("scope")).collect();
    assert_eq!(left, ["rule:a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_that_are_told_the_same_events_in_opposite_order_both_store_them() {
    let url = fresh_database().await;
    let hosts = [Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap()];
    for round in 0..20 {
        let names = || (0..300).map(|n| event(&ada(), &format!("{round}-{n}")));
        let there: Vec<NewEvent> = names().collect();
        let back: Vec<NewEvent> = names().rev().collect();
        let (one, two) = tokio::join!(hosts[0].accept(there), hosts[1].accept(back));
        let new = |stored: Vec<alerts_store::StoredId>| {
            stored.iter().filter(|stored| !stored.duplicate).count()
        };
        assert_eq!(new(one.unwrap()) + new(two.unwrap()), 300);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rule_that_is_switched_off_by_its_target_while_people_change_it_stops_nobody() {
    let url = fresh_database().await;
    let hosts = [Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap()];
    let tenants: Vec<TenantId> =
        (0..4).map(|n| TenantId::new(&format!("tenant-{n}")).unwrap()).collect();
    let mut rules = Vec::new();
    for tenant in &tenants {
        let endpoint = endpoint(tenant);
        hosts[0]
            .create_endpoint(&endpoint, &Quotas::NONE, &entry("webhook.created"), at(0))
            .await
            .unwrap();
        let rule = rule(&endpoint);
        hosts[0]
            .create_rule(&rule, &Quotas::NONE, &entry("alert_rule.created"), at(0))
            .await
            .unwrap();
        rules.push((endpoint, rule));
    }
    for round in 0..20 {
        let lease = Lease { host: host(), fence: 1 };
        let mut ends = Vec::new();
        for (endpoint, rule) in &rules {
            let mut new = event(&endpoint.tenant, &format!("{round}"));
            let sent = leased(delivery(&new, endpoint.id, rule.id), lease);
            new.deliveries.push(sent.clone());
            hosts[0].accept(vec![new]).await.unwrap();
            let gone = Transition::Bury { error: "answered 410".into(), disable_rule: true };
            ends.push(finished(&sent.delivery, lease, gone));
        }
        let finishes = ends.iter().map(|end| hosts[0].finish(end.clone()));
        // The other host's people switch them on again, in the other order.
        let changes = rules.iter().rev().map(async |(_, rule)| {
            let read = hosts[1].get_rule(&rule.tenant, rule.id).await.unwrap().unwrap();
            let before = read.updated_at;
            let mut on = read;
            on.spec.is_active = true;
            on.updated_at = at(round * 2);
            let entry = entry("alert_rule.updated");
            hosts[1].update_rule(&on, before, TriggerChange::Forget, &entry, at(round)).await
        });
        let (finishes, changes) = tokio::join!(join_all(finishes), join_all(changes));
        for finished in finishes {
            assert_ne!(finished.unwrap(), FinishOutcome::LeaseLost);
        }
        for changed in changes {
            changed.unwrap();
        }
    }
}

#[tokio::test]
async fn what_cannot_be_stored_and_leases_that_are_lost_cost_a_few_transactions_and_not_one_each() {
    // A server of its own: all that others do there counts too.
    let cluster = Cluster::start().unwrap();
    let db = Store::open(&cluster.url()).await.unwrap();
    let taken = scheduled(&db, &ada(), "taken").await;
    let transactions = async || {
        let mut connection = PgConnection::connect(&cluster.url()).await.unwrap();
        let row = sqlx::query("SELECT txid_current() AS id").fetch_one(&mut connection).await;
        row.unwrap().get::<i64, _>("id")
    };

    let before = transactions().await;
    let mut bad = event(&ada(), "bad");
    bad.deliveries.push(NewDelivery { delivery: taken, lease: None });
    let calls = (0..250).map(|n| db.accept(vec![event(&ada(), &n.to_string())]));
    let (others, refused) = tokio::join!(join_all(calls), db.accept(vec![bad]));
    assert!(refused.is_err());
    assert!(others.iter().all(Result::is_ok));
    let used = transactions().await - before;
    assert!(used < 60, "{used} transactions for 251 calls");

    let lease = Lease { host: host(), fence: 1 };
    let stale = Lease { fence: 0, ..lease };
    let new = (0..200).map(|n| {
        let mut new = event(&ada(), &format!("sent-{n}"));
        let sent =
            leased(delivery(&new, crate::fixture::endpoint_id(), crate::fixture::rule_id()), lease);
        new.deliveries.push(sent);
        new
    });
    let new: Vec<NewEvent> = new.collect();
    db.accept(new.clone()).await.unwrap();
    let before = transactions().await;
    let ends = new.iter().enumerate().map(|(n, new)| {
        let used = if n % 2 == 0 { lease } else { stale };
        db.finish(finished(&new.deliveries[0].delivery, used, Transition::Deliver))
    });
    for (n, outcome) in join_all(ends).await.into_iter().enumerate() {
        let expected = if n % 2 == 0 { FinishOutcome::Recorded } else { FinishOutcome::LeaseLost };
        assert_eq!(outcome.unwrap(), expected);
    }
    let used = transactions().await - before;
    assert!(used < 30, "{used} transactions for 200 results");
}
