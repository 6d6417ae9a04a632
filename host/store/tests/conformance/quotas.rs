//! No tenant gets more than its quota, however many ask at once.

use alerts_domain::keyring::Sealed;
use alerts_domain::quota::{Quota, QuotaReached, Quotas};
use alerts_domain::tenant::TenantId;
use alerts_store::{Store, StoreError};

use crate::fixture::{ada, at, bob, endpoint, entry, rule};
use crate::on_both;

fn reached(refused: Result<impl Sized, StoreError>) -> Option<QuotaReached> {
    match refused.err()? {
        StoreError::Quota(reached) => Some(reached),
        other => panic!("{other}"),
    }
}

async fn create(db: &Store, tenant: &TenantId, quotas: &Quotas) -> Option<QuotaReached> {
    reached(db.create_endpoint(&endpoint(tenant), quotas, &entry("x"), at(0)).await)
}

on_both! {
    async fn of_many_at_once_as_many_are_made_as_there_may_be(db: Db) {
        let quotas = Quotas { webhook_endpoints: 3, alert_rules: 2, ..Quotas::default() };
        let made = endpoint(&ada());
        let (db, quotas, tenant) = (&*db, &quotas, &ada());
        let endpoints = (0..8).map(|_| create(db, tenant, quotas));
        let endpoints = futures_util::future::join_all(endpoints).await;
        assert_eq!(endpoints.iter().filter(|refused| refused.is_none()).count(), 3);
        let refused = endpoints.into_iter().flatten().next();
        let told = QuotaReached { what: Quota::WebhookEndpoints, limit: 3, count: 4 };
        assert_eq!(refused, Some(told));
        assert_eq!(db.list_endpoints(&ada(), 10, None).await.unwrap().items.len(), 3);
        assert_eq!(db.list_audit(&ada(), 10, None).await.unwrap().items.len(), 3);

        let rules = (0..8).map(|_| {
            let rule = rule(&made);
            async move { reached(db.create_rule(&rule, quotas, &entry("x"), at(0)).await) }
        });
        let rules = futures_util::future::join_all(rules).await;
        assert_eq!(rules.iter().filter(|refused| refused.is_none()).count(), 2);
        assert_eq!(create(db, &bob(), quotas).await, None, "another tenant has its own");
    }

    async fn what_is_deleted_makes_room(db: Db) {
        let quotas = Quotas { webhook_endpoints: 1, ..Quotas::default() };
        let made = endpoint(&ada());
        db.create_endpoint(&made, &quotas, &entry("x"), at(0)).await.unwrap();
        assert!(create(&db, &ada(), &quotas).await.is_some());
        db.delete_endpoint(&ada(), made.id, None, &entry("x"), at(1)).await.unwrap();
        assert_eq!(create(&db, &ada(), &quotas).await, None);
    }

    async fn secrets_are_bounded_in_bytes_and_may_always_shrink(db: Db) {
        let quotas = Quotas { secret_bytes: 100, ..Quotas::default() };
        let mut made = endpoint(&ada());
        made.sealed_secrets = Sealed::from_stored("s".repeat(80));
        db.create_endpoint(&made, &quotas, &entry("x"), at(0)).await.unwrap();
        let mut change = async |bytes: usize, quotas: &Quotas| {
            made.sealed_secrets = Sealed::from_stored("s".repeat(bytes));
            let read = made.version;
            made.version += 1;
            let changed = db.update_endpoint(&made, read, quotas, &entry("x"), at(1)).await;
            made.version -= i64::from(changed.is_err());
            reached(changed)
        };
        let told = QuotaReached { what: Quota::SecretBytes, limit: 100, count: 101 };
        assert_eq!(change(101, &quotas).await, Some(told));
        assert_eq!(change(100, &quotas).await, None);
        let lowered = Quotas { secret_bytes: 10, ..quotas };
        assert_eq!(change(99, &lowered).await, None, "less than before, if still too much");
        assert!(change(100, &lowered).await.is_some());
    }
}
