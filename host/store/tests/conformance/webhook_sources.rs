//! Webhooks in, and what is noted of each.

use alerts_domain::id::SourceId;
use alerts_domain::keyring::Sealed;
use alerts_domain::quota::Quotas;
use alerts_domain::source::{Mapping, SourceKind, SourceSpec, WebhookSource};
use alerts_domain::tenant::TenantId;
use alerts_store::{SealedKind, StoreError};

use crate::fixture::{ada, at, bob, entry, unique};
use crate::on_both;

fn source(tenant: &TenantId) -> WebhookSource {
    let mapping: Mapping = serde_json::from_str(r#"{"type": "'a.b'", "data": "1"}"#).unwrap();
    let spec = SourceSpec { name: "Ours".into(), kind: SourceKind::Mapped, mapping: Some(mapping) };
    WebhookSource {
        id: SourceId::new(at(0), unique()),
        tenant: tenant.clone(),
        spec,
        sealed_secret: Sealed::from_stored("v1.a.AAAA".into()),
        version: 1,
        created_by: "key_1".into(),
        created_at: at(0),
        updated_at: at(0),
    }
}

on_both! {
    async fn a_source_is_found_by_its_id_alone_and_listed_for_its_tenant(db: Db) {
        let (first, second, foreign) = (source(&ada()), source(&ada()), source(&bob()));
        for source in [&first, &second, &foreign] {
            db.create_webhook_source(source, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        }
        let found = db.find_webhook_source(foreign.id).await.unwrap().unwrap();
        assert_eq!((found.source, found.status), (foreign, None));
        let listed = db.list_webhook_sources(&ada()).await.unwrap();
        let mut ids: Vec<_> = [first.id, second.id].into();
        ids.sort_by_key(|id| std::cmp::Reverse(id.to_string()));
        assert_eq!(listed.into_iter().map(|stored| stored.source.id).collect::<Vec<_>>(), ids);
    }

    async fn a_change_is_written_only_over_the_version_that_was_read(db: Db) {
        let mut made = source(&ada());
        db.create_webhook_source(&made, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        db.note_webhook_source(made.id, "{}").await.unwrap();
        made.version = 2;
        made.spec.name = "New".into();
        assert!(db.update_webhook_source(&made, 1, &entry("x"), at(1)).await.unwrap());
        assert!(!db.update_webhook_source(&made, 1, &entry("x"), at(1)).await.unwrap());
        let found = db.find_webhook_source(made.id).await.unwrap().unwrap();
        assert_eq!((&found.source, found.status.as_deref()), (&made, Some("{}")), "a change keeps what is noted");
        let delete = async |tenant: TenantId, read| {
            db.delete_webhook_source(&tenant, made.id, read, &entry("x"), at(2)).await.unwrap()
        };
        assert!(!delete(ada(), Some(1)).await);
        assert!(!delete(bob(), None).await, "another tenant's");
        assert!(delete(ada(), Some(2)).await);
        assert!(!delete(ada(), None).await);
        // Noting what is gone is no error: its last request may have been under way.
        db.note_webhook_source(made.id, "{}").await.unwrap();
        assert_eq!(db.find_webhook_source(made.id).await.unwrap(), None);
    }

    async fn one_source_more_than_the_quota_is_refused_and_not_there(db: Db) {
        let quotas = Quotas { sources: 1, ..Quotas::NONE };
        db.create_webhook_source(&source(&ada()), &quotas, &entry("x"), at(0)).await.unwrap();
        let refused = db.create_webhook_source(&source(&ada()), &quotas, &entry("x"), at(0)).await;
        assert!(matches!(refused, Err(StoreError::Quota(_))), "{refused:?}");
        assert_eq!(db.list_webhook_sources(&ada()).await.unwrap().len(), 1);
        db.create_webhook_source(&source(&bob()), &quotas, &entry("x"), at(0)).await.unwrap();
    }

    async fn a_sources_secret_is_among_those_that_a_change_of_keys_goes_through(db: Db) {
        let made = source(&ada());
        db.create_webhook_source(&made, &Quotas::NONE, &entry("x"), at(0)).await.unwrap();
        let rows = db.list_sealed(SealedKind::SourceSecret, None, 10).await.unwrap();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!((&row.id, &row.sealed), (&made.id.to_string(), &made.sealed_secret));
        let anew = Sealed::from_stored("v1.b.BBBB".into());
        let replaced = [(row.clone(), anew.clone())];
        assert_eq!(db.replace_sealed(SealedKind::SourceSecret, &replaced).await.unwrap(), 1);
        let found = db.find_webhook_source(made.id).await.unwrap().unwrap();
        assert_eq!(found.source.sealed_secret, anew);
    }
}
