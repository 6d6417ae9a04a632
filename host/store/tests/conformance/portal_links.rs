//! Portal links: each opens one session, and there are never too many of them.

use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::{ApiKeyId, PortalLinkId, SessionId};
use alerts_domain::quota::Quotas;
use alerts_domain::session::{Portal, PortalLink, Session, Theme};
use alerts_domain::tenant::TenantId;
use alerts_store::{LinkCreation, Store};

use crate::fixture::{ada, at, bob, entry};
use crate::on_both;

/// A platform key: it makes links for any tenant.
async fn stored_key(db: &Store) -> ApiKey {
    let key = ApiKey {
        id: ApiKeyId::new(at(0), 1),
        role: Role::Platform,
        tenant: None,
        name: "platform".into(),
        digest: KeyDigest::of("platform"),
        created_by: "system".into(),
        created_at: at(0),
        expires_at: Some(at(500)),
    };
    db.create_api_key(&key, &Quotas::NONE, &entry("api_key.created"), at(0)).await.unwrap();
    key
}

fn link(key: &ApiKey, tenant: TenantId, number: u8) -> PortalLink {
    PortalLink {
        portal: Portal {
            link: PortalLinkId::new(at(0), number.into()),
            theme: Some(Theme::Dark),
            accent: None,
            return_url: Some("https://exosphere.example.com/".into()),
        },
        digest: KeyDigest::of(PortalLink::generate_token([number; 32]).expose()),
        api_key_id: key.id,
        tenant,
        role: Role::Viewer,
        created_at: at(0),
        expires_at: at(100),
    }
}

async fn make(db: &Store, link: &PortalLink, most: u32, now: i64) -> LinkCreation {
    db.create_portal_link(link, most, &entry("portal_link.created"), at(now)).await.unwrap()
}

async fn open(db: &Store, link: &PortalLink, now: i64) -> Option<Session> {
    let token = Session::generate_token([link.digest.to_string().as_bytes()[0]; 32]);
    let id = SessionId::new(at(now), 1);
    let session = Session::of_link(id, &token, link, None, at(now));
    let opened = db.open_portal_link(link, &session, &entry("portal_link.opened"), at(now)).await;
    opened.unwrap().map(|_| session)
}

on_both! {
    async fn a_link_reads_back_and_opens_one_session(db: Db) {
        let key = stored_key(&db).await;
        let made = link(&key, ada(), 1);
        assert_eq!(make(&db, &made, 10, 0).await, LinkCreation::Created);
        let found = db.find_portal_link(&made.digest).await.unwrap();
        assert_eq!(found, Some((made.clone(), key.expires_at)));
        let session = open(&db, &made, 99).await.unwrap();
        assert_eq!(db.find_session(&session.digest).await.unwrap(), Some(session));
        assert_eq!(open(&db, &made, 99).await, None);
        assert_eq!(db.find_portal_link(&made.digest).await.unwrap(), None);
    }

    async fn a_link_whose_time_is_over_opens_nothing(db: Db) {
        let made = link(&stored_key(&db).await, ada(), 1);
        make(&db, &made, 10, 0).await;
        assert_eq!(open(&db, &made, 100).await, None);
        assert_eq!(db.forget_ended_sessions(at(100)).await.unwrap(), 1);
    }

    async fn links_and_what_they_have_opened_end_with_their_key(db: Db) {
        let key = stored_key(&db).await;
        let (used, unused) = (link(&key, ada(), 1), link(&key, bob(), 2));
        for link in [&used, &unused] {
            make(&db, link, 10, 0).await;
        }
        let session = open(&db, &used, 1).await.unwrap();
        db.delete_api_key(None, key.id, &entry("api_key.revoked"), at(2)).await.unwrap();
        assert_eq!(db.find_session(&session.digest).await.unwrap(), None);
        assert_eq!(db.find_portal_link(&unused.digest).await.unwrap(), None);
        assert_eq!(open(&db, &unused, 3).await, None);
        assert_eq!(make(&db, &link(&key, ada(), 3), 10, 3).await, LinkCreation::KeyGone);
    }

    async fn a_tenant_has_so_many_links_that_nobody_has_opened(db: Db) {
        let key = stored_key(&db).await;
        for number in 1..=2 {
            assert_eq!(make(&db, &link(&key, ada(), number), 2, 0).await, LinkCreation::Created);
        }
        assert_eq!(make(&db, &link(&key, ada(), 3), 2, 0).await, LinkCreation::TooMany);
        assert_eq!(make(&db, &link(&key, bob(), 4), 2, 0).await, LinkCreation::Created);
        open(&db, &link(&key, ada(), 1), 1).await.unwrap();
        assert_eq!(make(&db, &link(&key, ada(), 5), 2, 1).await, LinkCreation::Created);
        // Those whose time is over count no more.
        assert_eq!(make(&db, &link(&key, ada(), 6), 2, 100).await, LinkCreation::Created);
    }
}
