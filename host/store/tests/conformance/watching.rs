//! What is committed is told to those who watch, whichever host did it, once.

use std::collections::HashSet;
use std::time::Duration;

use alerts_domain::delivery::{DeliveryStatus, Lease, Transition};
use alerts_domain::tenant::TenantId;
use alerts_store::{News, NewsReader, Store};
use alerts_test_support::postgres::fresh_database;
use sqlx::{Connection as _, Executor as _};

use crate::fixture::{ada, at, bob, entry, event, finished, host, in_hand, scheduled};
use crate::on_both;

async fn read(reader: &mut NewsReader) -> Vec<(TenantId, News)> {
    reader.read().await.unwrap().0.expect("nothing is lost")
}

/// In the order in which they are told: what each is, and how a delivery stands.
fn words(news: &[(TenantId, News)]) -> Vec<String> {
    let word = |news: &News| match news {
        News::Event { .. } => "event".to_owned(),
        News::Delivery(delivery) => delivery.status.to_string(),
        other => format!("{other:?}"),
    };
    news.iter().map(|(_, news)| word(news)).collect()
}

on_both! {
    async fn what_becomes_of_events_and_deliveries_is_told(db: Db) {
        db.watch(HashSet::from([ada()]));
        let mut reader = NewsReader::new(db.clone());
        assert!(read(&mut reader).await.is_empty());
        let lease = Lease { host: host(), fence: 1 };
        let sent = in_hand(&db, &ada(), "1", lease).await;
        assert_eq!(words(&read(&mut reader).await), ["event", "leased"]);
        let retry = Transition::Retry { at: at(70), error: "answered 503".into() };
        db.finish(finished(&sent, lease, retry)).await.unwrap();
        db.cancel_delivery(&ada(), sent.id, &entry("delivery.canceled"), at(3)).await.unwrap();
        let news = read(&mut reader).await;
        assert_eq!(words(&news), ["scheduled", "canceled"]);
        let (News::Delivery(waits), News::Delivery(canceled)) = (&news[0].1, &news[1].1) else {
            panic!("{news:?}")
        };
        assert_eq!((waits.id, waits.attempt_count), (sent.id, Some(1)));
        assert_eq!((waits.next_attempt_at, waits.updated_at), (Some(at(70)), at(2)));
        assert_eq!((canceled.status, canceled.updated_at), (DeliveryStatus::Canceled, at(3)));
        assert!(read(&mut reader).await.is_empty(), "each is told once");
        // Nobody watches him; and what is not stored is not told.
        scheduled(&db, &bob(), "1").await;
        db.finish(finished(&sent, lease, Transition::Deliver)).await.unwrap();
        assert!(db.accept(vec![event(&ada(), "1")]).await.unwrap()[0].duplicate);
        assert!(read(&mut reader).await.is_empty());
        db.watch(HashSet::new());
        scheduled(&db, &ada(), "2").await;
        assert!(read(&mut reader).await.is_empty(), "nobody watches any more");
    }

    async fn very_much_at_once_is_told_as_too_much(db: Db) {
        db.watch(HashSet::from([ada()]));
        let mut reader = NewsReader::new(db.clone());
        read(&mut reader).await;
        let events = |tenant: TenantId| (0..1_001).map(move |n| event(&tenant, &n.to_string()));
        db.accept(events(ada()).chain(events(bob())).collect()).await.unwrap();
        assert_eq!(read(&mut reader).await, [(ada(), News::TooMany)]);
    }

    async fn changes_of_rules_and_endpoints_are_read_from_the_audit_log(db: Db) {
        let before = db.newest_audit_entry(&ada()).await.unwrap();
        let endpoint = crate::fixture::endpoint(&ada());
        let quotas = alerts_domain::quota::Quotas::NONE;
        let made = alerts_store::AuditEntry {
            resource: endpoint.id.to_string(),
            ..entry("webhook.created")
        };
        db.create_endpoint(&endpoint, &quotas, &made, at(1)).await.unwrap();
        let rule = crate::fixture::rule(&endpoint);
        db.create_rule(&rule, &quotas, &entry("alert_rule.created"), at(2)).await.unwrap();
        db.create_endpoint(&crate::fixture::endpoint(&bob()), &quotas, &made, at(3)).await.unwrap();
        let news = db.audited_news(&[(ada(), before)]).await.unwrap();
        let (id, action) = (endpoint.id.to_string(), "webhook.created".to_owned());
        let created = News::Endpoint { id, action, updated_at: at(1) };
        assert_eq!(news[0], (ada(), before + 1, Some(created)));
        assert!(matches!(&news[1].2, Some(News::Rule { updated_at, .. }) if *updated_at == at(2)));
        assert_eq!(news.len(), 2);
        assert!(db.audited_news(&[(ada(), before + 2)]).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_host_commits_is_told_once_it_knows_who_watches() {
    let url = fresh_database().await;
    let [watches, works] = [Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap()];
    works.follow_watches(at(0)).await.unwrap();
    let mut reader = NewsReader::new(watches.clone());
    read(&mut reader).await;
    scheduled(&works, &ada(), "1").await;
    assert!(read(&mut reader).await.is_empty(), "nothing is written for who does not watch");
    let tenants = HashSet::from([ada()]);
    watches.watch(tenants.clone());
    watches.keep_watching(host(), &tenants, at(20)).await.unwrap();
    works.follow_watches(at(1)).await.unwrap();
    scheduled(&works, &ada(), "2").await;
    assert_eq!(words(&read(&mut reader).await), ["event", "scheduled"]);
    works.follow_watches(at(21)).await.unwrap();
    scheduled(&works, &ada(), "3").await;
    assert!(read(&mut reader).await.is_empty(), "the watch has ended");
    assert_eq!(watches.forget_news(at(1), 100).await.unwrap(), 1);
    watches.forget_watches(at(21)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_committed_after_a_later_one_is_read_all_the_same() {
    let url = fresh_database().await;
    let store = Store::open(&url).await.unwrap();
    store.watch(HashSet::from([ada()]));
    let mut reader = NewsReader::new(store.clone());
    read(&mut reader).await;
    let mut slow = sqlx::AnyConnection::connect(&url).await.unwrap();
    let mut transaction = slow.begin().await.unwrap();
    let told = r#"INSERT INTO news (at, told) VALUES (0, '[["ada",{"kind":"too_many"}]]')"#;
    transaction.execute(told).await.unwrap();
    scheduled(&store, &ada(), "1").await;
    assert_eq!(words(&read(&mut reader).await), ["event", "scheduled"]);
    transaction.commit().await.unwrap();
    assert_eq!(read(&mut reader).await, [(ada(), News::TooMany)]);
    assert!(read(&mut reader).await.is_empty(), "once");
    // One that this release cannot read says that something is missed.
    slow.execute("INSERT INTO news (at, told) VALUES (0, '[[1]]')").await.unwrap();
    assert_eq!(reader.read().await.unwrap().0, None);
    assert!(read(&mut reader).await.is_empty());
    tokio::time::timeout(Duration::from_secs(30), store.told()).await.unwrap();
}
