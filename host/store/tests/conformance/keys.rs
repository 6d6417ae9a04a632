//! API keys and idempotency keys.

use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::ApiKeyId;
use alerts_domain::keyring::Sealed;
use alerts_domain::tenant::TenantId;
use alerts_store::Idempotency;

use crate::fixture::{ada, at, bob, entry};
use crate::on_both;

fn key(number: u128, tenant: Option<TenantId>) -> ApiKey {
    ApiKey {
        id: ApiKeyId::new(at(0), number),
        role: if tenant.is_some() { Role::Editor } else { Role::Platform },
        tenant,
        name: "CI".into(),
        digest: KeyDigest::of(&number.to_string()),
        created_by: "key_1".into(),
        created_at: at(0),
        expires_at: Some(at(100)),
    }
}

on_both! {
    async fn a_key_is_taken_back_only_by_its_own_tenant(db: Db) {
        let (platform, tenant) = (key(1, None), key(2, Some(ada())));
        for key in [&platform, &tenant] {
            db.create_api_key(key, &entry("api_key.created"), at(0)).await.unwrap();
        }
        assert_eq!(db.all_api_keys().await.unwrap(), [platform.clone(), tenant.clone()]);
        let delete = async |owner: Option<&_>, id| {
            db.delete_api_key(owner, id, &entry("api_key.deleted"), at(1)).await.unwrap()
        };
        assert!(!delete(Some(&bob()), tenant.id).await);
        assert!(!delete(Some(&ada()), platform.id).await);
        assert!(delete(Some(&ada()), tenant.id).await);
        assert!(delete(None, platform.id).await);
        assert!(db.all_api_keys().await.unwrap().is_empty());
        for log in [ada(), TenantId::host()] {
            let entries = db.list_audit(&log, 10, None).await.unwrap().items;
            let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
            assert_eq!(actions, ["api_key.deleted", "api_key.created"], "{log}");
        }
        assert!(db.list_audit(&bob(), 10, None).await.unwrap().items.is_empty());
    }

    async fn a_request_with_a_key_is_answered_once(db: Db) {
        let take = async |tenant: &_, fingerprint, now| {
            db.take_idempotency_key(tenant, "k", fingerprint, at(now), at(now - 60)).await.unwrap()
        };
        assert_eq!(take(&ada(), "f", 0).await, Idempotency::Fresh);
        assert_eq!(take(&ada(), "f", 1).await, Idempotency::InProgress);
        assert_eq!(take(&ada(), "other", 1).await, Idempotency::Mismatch);
        assert_eq!(take(&bob(), "other", 1).await, Idempotency::Fresh);
        let sealed_body = Sealed::from_stored("v1.a.AA".into());
        db.keep_idempotent_answer(&ada(), "k", 201, &sealed_body).await.unwrap();
        let answered = Idempotency::Answered { status: 201, sealed_body };
        assert_eq!(take(&ada(), "f", 1000).await, answered, "also much later");
        assert_eq!(db.forget_idempotency_keys(at(1)).await.unwrap(), 1);
        assert_eq!(take(&ada(), "f", 3).await, Idempotency::Fresh);
    }

    async fn a_key_whose_request_failed_or_died_is_free_again(db: Db) {
        let take = async |now, stale| {
            db.take_idempotency_key(&ada(), "k", "f", at(now), at(stale)).await.unwrap()
        };
        assert_eq!(take(0, -60).await, Idempotency::Fresh);
        db.release_idempotency_key(&ada(), "k").await.unwrap();
        assert_eq!(take(1, -60).await, Idempotency::Fresh);
        assert_eq!(take(100, 40).await, Idempotency::Fresh, "its host died");
    }
}
