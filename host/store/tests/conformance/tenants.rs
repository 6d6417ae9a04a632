//! What the operator decides about a tenant, and what its revision tells.

use alerts_domain::quota::Quotas;
use alerts_domain::rate_limit::RateLimit;
use alerts_store::{TenantMark, TenantPatch};

use crate::fixture::{ada, at, bob, dead, endpoint, entry, scheduled};
use crate::on_both;

on_both! {
    async fn a_mark_is_kept_and_is_a_new_revision(db: Db) {
        assert_eq!(db.active_tenant(&ada()).await.unwrap().mark, TenantMark::default());
        let rate_limit = Some(RateLimit { per_minute: 60, burst: Some(2) });
        let mark = TenantMark { is_beta: true, rate_limit };
        let patch = TenantPatch { is_beta: Some(true), rate_limit: Some(rate_limit) };
        for tenant in [bob(), ada()] {
            let entry = |_: &TenantMark, _: &TenantMark| entry("tenant.marked");
            assert_eq!(db.mark_tenant(&tenant, &patch, entry, at(0)).await.unwrap(), mark);
        }
        let active = db.active_tenant(&ada()).await.unwrap();
        assert_eq!((active.mark, active.revision), (mark, 1));
        let listed = db.list_tenants(10, None).await.unwrap();
        assert_eq!(listed, [(ada(), mark), (bob(), mark)]);
        assert_eq!(db.list_tenants(10, Some(&ada())).await.unwrap(), [(bob(), mark)]);
    }

    async fn of_two_marks_at_once_neither_undoes_the_other(db: Db) {
        let rate_limit = Some(RateLimit { per_minute: 60, burst: None });
        let patches = [
            TenantPatch { is_beta: Some(true), rate_limit: None },
            TenantPatch { is_beta: None, rate_limit: Some(rate_limit) },
        ];
        for round in 0..10 {
            let off = TenantPatch { is_beta: Some(false), rate_limit: Some(None) };
            let entry = |_: &TenantMark, _: &TenantMark| entry("tenant.marked");
            db.mark_tenant(&ada(), &off, entry, at(round)).await.unwrap();
            let marked = patches.map(|patch| {
                let db = &*db;
                async move { db.mark_tenant(&ada(), &patch, entry, at(round)).await.unwrap() }
            });
            futures_util::future::join_all(marked).await;
            let mark = db.active_tenant(&ada()).await.unwrap().mark;
            assert_eq!(mark, TenantMark { is_beta: true, rate_limit });
        }
    }

    async fn what_changes_no_catalog_lets_no_host_read_it_anew(db: Db) {
        let made = endpoint(&ada());
        db.create_endpoint(&made, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        let before = db.revisions().await.unwrap();
        let (hurried, stopped) = (scheduled(&db, &ada(), "1").await, scheduled(&db, &ada(), "2").await);
        let buried = dead(&db, &ada(), "3").await;
        db.reschedule_now(&ada(), hurried.id, &entry("x"), at(1)).await.unwrap();
        db.cancel_delivery(&ada(), stopped.id, &entry("x"), at(1)).await.unwrap();
        let scope = alerts_store::RedriveScope::Ids(vec![buried.id]);
        let new_id = || alerts_domain::id::DeliveryId::new(at(9), 9);
        db.redrive(&ada(), &scope, at(1), new_id, &entry("x")).await.unwrap();
        db.note(&ada(), &entry("x"), at(1)).await.unwrap();
        assert_eq!(db.list_audit(&ada(), 10, None).await.unwrap().items.len(), 5, "all audited");
        assert_eq!(db.revisions().await.unwrap(), before);
        assert_eq!(before, [(ada(), db.active_tenant(&ada()).await.unwrap().revision)]);
        assert!(db.delete_endpoint(&ada(), made.id, None, &entry("x"), at(2)).await.unwrap());
        assert_ne!(db.revisions().await.unwrap(), before);
    }
}
