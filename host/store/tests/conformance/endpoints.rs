//! Webhook endpoints, as they were stored.

use alerts_domain::quota::Quotas;
use alerts_domain::tenant::TenantId;

use crate::fixture::{ada, at, bob, endpoint, entry};
use crate::on_both;

on_both! {
    async fn an_endpoint_reads_back_and_belongs_to_its_tenant(db: Db) {
        let made = endpoint(&ada());
        db.create_endpoint(&made, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        assert_eq!(db.get_endpoint(&ada(), made.id).await.unwrap(), Some(made.clone()));
        assert_eq!(db.get_endpoint(&bob(), made.id).await.unwrap(), None);
        assert!(db.list_endpoints(&bob(), 10, None).await.unwrap().items.is_empty());
        assert_eq!(db.active_tenant(&ada()).await.unwrap().endpoints, [made]);
    }

    async fn of_two_changes_of_one_version_the_second_is_refused(db: Db) {
        let mut made = endpoint(&ada());
        db.create_endpoint(&made, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        made.version = 2;
        made.spec.name = "First".into();
        assert!(db.update_endpoint(&made, 1, &Quotas::NONE, &entry("webhook.updated"), at(1)).await.unwrap());
        made.spec.name = "Second".into();
        assert!(!db.update_endpoint(&made, 1, &Quotas::NONE, &entry("webhook.updated"), at(1)).await.unwrap());
        let read = db.get_endpoint(&ada(), made.id).await.unwrap().unwrap();
        assert_eq!(read.spec.name, "First");
        assert_eq!(db.list_audit(&ada(), 10, None).await.unwrap().items.len(), 2);
    }

    async fn a_deleted_endpoint_is_listed_no_more_but_still_known(db: Db) {
        let made = endpoint(&ada());
        db.create_endpoint(&made, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        assert!(!db.delete_endpoint(&bob(), made.id, None, &entry("x"), at(1)).await.unwrap());
        assert!(db.delete_endpoint(&ada(), made.id, None, &entry("x"), at(1)).await.unwrap());
        assert!(!db.delete_endpoint(&ada(), made.id, None, &entry("x"), at(2)).await.unwrap());
        assert!(db.list_endpoints(&ada(), 10, None).await.unwrap().items.is_empty());
        let read = db.get_endpoint(&ada(), made.id).await.unwrap().unwrap();
        assert_eq!(read.deleted_at, Some(at(1)));
    }

    async fn every_change_raises_the_tenants_revision_and_no_others(db: Db) {
        let revision = async |tenant| db.active_tenant(&tenant).await.unwrap().revision;
        let made = endpoint(&ada());
        assert_eq!(revision(ada()).await, 0);
        db.create_endpoint(&made, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        let first = revision(ada()).await;
        db.delete_endpoint(&ada(), made.id, None, &entry("x"), at(1)).await.unwrap();
        assert!(first > 0 && revision(ada()).await > first);
        assert_eq!(revision(bob()).await, 0);
        // The host's own log has a revision too, and is no tenant.
        db.note(&TenantId::host(), &entry("plugin.uploaded"), at(1)).await.unwrap();
        assert_eq!(db.revisions().await.unwrap(), [(ada(), revision(ada()).await)]);
    }

    async fn a_list_of_endpoints_comes_in_pages(db: Db) {
        let mut made: Vec<_> = (0..3).map(|_| endpoint(&ada())).collect();
        for endpoint in &made {
            db.create_endpoint(endpoint, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        }
        made.reverse();
        let first = db.list_endpoints(&ada(), 2, None).await.unwrap();
        assert_eq!((first.items.as_slice(), first.has_more), (&made[..2], true));
        let second = db.list_endpoints(&ada(), 2, Some(made[1].id)).await.unwrap();
        assert_eq!((second.items.as_slice(), second.has_more), (&made[2..], false));
    }
}
