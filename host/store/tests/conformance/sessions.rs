//! Sessions: each ends with its key, whatever else is known of it.

use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::{ApiKeyId, SessionId};
use alerts_domain::quota::Quotas;
use alerts_domain::session::Session;
use alerts_store::{SessionOpening, Store};

use crate::fixture::{ada, at, bob, entry};
use crate::on_both;

async fn stored_key(db: &Store, number: u128) -> ApiKey {
    let key = ApiKey {
        id: ApiKeyId::new(at(0), number),
        role: Role::Editor,
        tenant: Some(ada()),
        name: "CI".into(),
        digest: KeyDigest::of(&number.to_string()),
        created_by: "key_1".into(),
        created_at: at(0),
        expires_at: None,
    };
    db.create_api_key(&key, &Quotas::NONE, &entry("api_key.created"), at(0)).await.unwrap();
    key
}

fn session(key: &ApiKey, number: u8) -> Session {
    let token = Session::generate_token([number; 32]);
    Session::of_key(SessionId::new(at(0), number.into()), &token, key, at(0))
}

async fn open(db: &Store, session: &Session) -> SessionOpening {
    db.open_session(session, &entry("session.opened"), at(0)).await.unwrap()
}

on_both! {
    async fn a_session_reads_back_by_its_digest_until_it_is_ended(db: Db) {
        let made = session(&stored_key(&db, 1).await, 1);
        assert_eq!(open(&db, &made).await, SessionOpening::Opened { others_ended: 0 });
        assert_eq!(db.find_session(&made.digest).await.unwrap(), Some(made.clone()));
        assert_eq!(db.find_session(&KeyDigest::of("other")).await.unwrap(), None);
        assert!(db.end_session(&made, &entry("session.ended"), at(1)).await.unwrap());
        assert!(!db.end_session(&made, &entry("session.ended"), at(1)).await.unwrap());
        assert_eq!(db.find_session(&made.digest).await.unwrap(), None);
        let log = db.list_audit(&ada(), 10, None).await.unwrap().items;
        let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["session.ended", "session.opened", "api_key.created"]);
    }

    async fn a_session_ends_with_its_key_and_none_is_opened_after_it(db: Db) {
        let (key, other) = (stored_key(&db, 1).await, stored_key(&db, 2).await);
        let (ended, kept) = (session(&key, 1), session(&other, 2));
        for session in [&ended, &kept] {
            open(&db, session).await;
        }
        db.delete_api_key(Some(&ada()), key.id, &entry("api_key.revoked"), at(1)).await.unwrap();
        assert_eq!(db.find_session(&ended.digest).await.unwrap(), None);
        assert_eq!(db.find_session(&kept.digest).await.unwrap(), Some(kept));
        let late = session(&key, 3);
        assert_eq!(open(&db, &late).await, SessionOpening::KeyGone);
        assert_eq!(db.find_session(&late.digest).await.unwrap(), None);
    }

    async fn the_oldest_sessions_of_a_key_end_when_there_are_too_many(db: Db) {
        let (key, other) = (stored_key(&db, 1).await, stored_key(&db, 2).await);
        let theirs = session(&other, 200);
        open(&db, &theirs).await;
        let most = u8::try_from(Session::MOST_OF_KEY).unwrap();
        for number in 1..=most {
            let opened = open(&db, &session(&key, number)).await;
            assert_eq!(opened, SessionOpening::Opened { others_ended: 0 });
        }
        // Its clock was set back: it has the smallest id of all, and stays.
        let newest = session(&key, 0);
        assert_eq!(open(&db, &newest).await, SessionOpening::Opened { others_ended: 1 });
        assert_eq!(db.find_session(&newest.digest).await.unwrap(), Some(newest));
        assert_eq!(db.find_session(&session(&key, 1).digest).await.unwrap(), None);
        for kept in [session(&key, 2), session(&key, most), theirs] {
            assert!(db.find_session(&kept.digest).await.unwrap().is_some());
        }
    }

    async fn what_has_ended_is_forgotten(db: Db) {
        let key = stored_key(&db, 1).await;
        let made = session(&key, 1);
        open(&db, &made).await;
        assert_eq!(db.forget_ended_sessions(at(12 * 60 * 60 - 1)).await.unwrap(), 0);
        assert_eq!(db.forget_ended_sessions(at(12 * 60 * 60)).await.unwrap(), 1);
        assert_eq!(db.find_session(&made.digest).await.unwrap(), None);
        assert!(db.list_audit(&bob(), 10, None).await.unwrap().items.is_empty());
    }
}
