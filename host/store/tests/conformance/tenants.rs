//! What the operator decides about a tenant.

use alerts_domain::rate_limit::RateLimit;
use alerts_store::TenantMark;

use crate::fixture::{ada, at, bob, entry};
use crate::on_both;

on_both! {
    async fn a_mark_is_kept_and_is_a_new_revision(db: Db) {
        assert_eq!(db.active_tenant(&ada()).await.unwrap().mark, TenantMark::default());
        let rate_limit = Some(RateLimit { per_minute: 60, burst: Some(2) });
        let mark = TenantMark { is_beta: true, rate_limit };
        for tenant in [bob(), ada()] {
            db.mark_tenant(&tenant, &mark, &entry("tenant.marked"), at(0)).await.unwrap();
        }
        let active = db.active_tenant(&ada()).await.unwrap();
        assert_eq!((active.mark, active.revision), (mark, 1));
        let listed = db.list_tenants(10, None).await.unwrap();
        assert_eq!(listed, [(ada(), mark), (bob(), mark)]);
        assert_eq!(db.list_tenants(10, Some(&ada())).await.unwrap(), [(bob(), mark)]);
    }
}
