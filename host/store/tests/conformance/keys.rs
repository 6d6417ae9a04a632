//! API keys and idempotency keys.

use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::ApiKeyId;
use alerts_domain::keyring::Sealed;
use alerts_domain::tenant::TenantId;
use alerts_store::{EncryptionChecks, Idempotency, KeptAnswer, StoreError, Taken};

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
            assert_eq!(db.find_api_key(&key.digest).await.unwrap().as_ref(), Some(key));
        }
        let delete = async |owner: Option<&_>, id| {
            db.delete_api_key(owner, id, &entry("api_key.deleted"), at(1)).await.unwrap()
        };
        assert_eq!(delete(Some(&bob()), tenant.id).await, None);
        assert_eq!(delete(Some(&ada()), platform.id).await, None);
        assert_eq!(delete(Some(&ada()), tenant.id).await, Some(tenant.digest));
        assert_eq!(delete(None, platform.id).await, Some(platform.digest));
        for key in [&platform, &tenant] {
            assert_eq!(db.find_api_key(&key.digest).await.unwrap(), None);
        }
        for log in [ada(), TenantId::host()] {
            let entries = db.list_audit(&log, 10, None).await.unwrap().items;
            let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
            assert_eq!(actions, ["api_key.deleted", "api_key.created"], "{log}");
        }
        assert!(db.list_audit(&bob(), 10, None).await.unwrap().items.is_empty());
    }

    async fn keys_are_listed_by_owner_newest_first(db: Db) {
        let mut keys = Vec::new();
        for number in 1..=5 {
            let key = key(number, (number != 3).then(ada));
            db.create_api_key(&key, &entry("api_key.created"), at(0)).await.unwrap();
            keys.push(key);
        }
        let ids = async |owner: Option<&_>, limit, before| {
            let page = db.list_api_keys(owner, limit, before).await.unwrap();
            (page.items.into_iter().map(|key| key.id).collect::<Vec<_>>(), page.has_more)
        };
        assert_eq!(ids(Some(&ada()), 2, None).await, (vec![keys[4].id, keys[3].id], true));
        let rest = ids(Some(&ada()), 2, Some(keys[3].id)).await;
        assert_eq!(rest, (vec![keys[1].id, keys[0].id], false));
        assert_eq!(ids(None, 9, None).await, (vec![keys[2].id], false));
        assert_eq!(ids(Some(&bob()), 9, None).await, (vec![], false));
        assert!(db.has_platform_key(at(99)).await.unwrap());
        assert!(!db.has_platform_key(at(100)).await.unwrap(), "it has expired");
    }

    async fn a_request_with_a_key_is_answered_once(db: Db) {
        let take = async |tenant: &_, fingerprint, now| {
            db.take_idempotency_key(tenant, "k", fingerprint, at(now), at(now - 60)).await.unwrap()
        };
        let taken = fresh(take(&ada(), "f", 0).await);
        assert_eq!(take(&ada(), "f", 1).await, Idempotency::InProgress);
        assert_eq!(take(&ada(), "other", 1).await, Idempotency::Mismatch);
        fresh(take(&bob(), "other", 1).await);
        let kept = KeptAnswer { kind: 201, sealed_body: Sealed::from_stored("v1.a.AA".into()) };
        assert!(db.keep_idempotent_answer(&taken, &kept).await.unwrap());
        let answered = Idempotency::Answered(kept);
        assert_eq!(take(&ada(), "f", 1000).await, answered, "also much later");
        db.release_idempotency_key(&taken).await.unwrap();
        assert_eq!(take(&ada(), "f", 1000).await, answered, "what is answered stays");
        assert_eq!(db.forget_idempotency_keys(at(1)).await.unwrap(), 1);
        fresh(take(&ada(), "f", 3).await);
    }

    async fn a_key_whose_request_failed_or_died_is_free_again(db: Db) {
        let take = async |now, stale| {
            db.take_idempotency_key(&ada(), "k", "f", at(now), at(stale)).await.unwrap()
        };
        let first = fresh(take(0, -60).await);
        db.release_idempotency_key(&first).await.unwrap();
        let second = fresh(take(1, -60).await);
        let third = fresh(take(100, 40).await);
        assert!(third.fence > second.fence, "its host died");
        let kept = KeptAnswer { kind: 201, sealed_body: Sealed::from_stored("v1.a.AA".into()) };
        assert!(!db.keep_idempotent_answer(&second, &kept).await.unwrap(), "it is given up");
        db.release_idempotency_key(&second).await.unwrap();
        assert_eq!(take(101, 40).await, Idempotency::InProgress, "the key is the third one's");
    }

    async fn a_change_marks_the_key_that_it_was_asked_for_with(db: Db) {
        let take = async |now, stale| {
            db.take_idempotency_key(&ada(), "k", "f", at(now), at(stale)).await.unwrap()
        };
        let taken = fresh(take(0, -60).await);
        let made = key(1, Some(ada()));
        let work = db.create_api_key(&made, &entry("api_key.created"), at(0));
        taken.clone().hold(work).await.unwrap();
        // Its host died before it kept the answer, or it never heard of the commit.
        let done = Idempotency::Done(entry("api_key.created").resource);
        assert_eq!(take(1, -60).await, done);
        assert_eq!(take(1000, 900).await, done, "it is never done again");
        db.release_idempotency_key(&taken).await.unwrap();
        assert_eq!(take(1000, 900).await, done);
        // A change that nobody asked for with a key marks none.
        let other = key(2, Some(ada()));
        db.create_api_key(&other, &entry("api_key.created"), at(0)).await.unwrap();
    }

    async fn a_request_that_was_given_up_changes_nothing(db: Db) {
        let take = async |now, stale| {
            db.take_idempotency_key(&ada(), "k", "f", at(now), at(stale)).await.unwrap()
        };
        let slow = fresh(take(0, -60).await);
        let again = fresh(take(100, 40).await);
        let (first, second) = (key(1, Some(ada())), key(2, Some(ada())));
        let late = db.create_api_key(&first, &entry("api_key.created"), at(0));
        let late = slow.hold(late).await;
        assert!(matches!(late, Err(StoreError::Overtaken { .. })), "{late:?}");
        assert_eq!(db.find_api_key(&first.digest).await.unwrap(), None);
        let work = db.create_api_key(&second, &entry("api_key.created"), at(0));
        again.hold(work).await.unwrap();
        assert!(db.find_api_key(&second.digest).await.unwrap().is_some());
    }

    async fn check_values_are_replaced_by_who_has_read_them(db: Db) {
        let of = |ids: &[&str]| -> EncryptionChecks {
            let sealed = |id: &&str| Sealed::from_stored(format!("v1.{id}.AA"));
            ids.iter().map(|id| ((*id).to_owned(), sealed(id))).collect()
        };
        assert_eq!(db.encryption_checks().await.unwrap(), of(&[]));
        assert!(db.replace_encryption_checks(&of(&[]), &of(&["a"])).await.unwrap());
        assert!(!db.replace_encryption_checks(&of(&[]), &of(&["b"])).await.unwrap());
        assert!(db.replace_encryption_checks(&of(&["a"]), &of(&["b", "a"])).await.unwrap());
        assert_eq!(db.encryption_checks().await.unwrap(), of(&["a", "b"]));
    }
}

#[track_caller]
fn fresh(taken: Idempotency) -> Taken {
    match taken {
        Idempotency::Fresh(taken) => taken,
        other => panic!("the key is not free: {other:?}"),
    }
}
