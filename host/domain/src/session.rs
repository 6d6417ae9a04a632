//! Sessions: a person in a browser, who signed in with an API key or came by a portal
//! link. A session is known by its token, of which only the digest is kept.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::api_key::{ApiKey, KeyDigest, Role};
use crate::id::{ApiKeyId, PortalLinkId, SessionId};
use crate::secret::Secret;
use crate::tenant::TenantId;

/// A stored session: all but its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `ses_…`
    pub id: SessionId,
    /// Of the token.
    pub digest: KeyDigest,
    /// The key that it was opened with, or that made its portal link. It ends with it.
    pub api_key_id: ApiKeyId,
    /// The portal link that opened it, if one did.
    pub portal: Option<Portal>,
    /// For whom it acts; none for a platform key's, which acts for any tenant.
    pub tenant: Option<TenantId>,
    /// How far it reaches.
    pub role: Role,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// What a portal link says to the page that it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portal {
    /// `portal_…`; stands in the audit log as the actor.
    pub link: PortalLinkId,
    /// Light or dark; the person's own choice when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
    /// A colour like `#87ceeb` in place of the platform's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    /// Where the page leads back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
}

/// How a page looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A portal link that nobody has opened yet: all but its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalLink {
    /// What it says to the page, its id among it.
    pub portal: Portal,
    /// Of the token.
    pub digest: KeyDigest,
    /// The key that made it. It ends with it.
    pub api_key_id: ApiKeyId,
    /// The namespace that it opens.
    pub tenant: TenantId,
    /// How far the session will reach.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be opened.
    pub expires_at: Timestamp,
}

impl Session {
    /// How long a session lasts: a working day, so that nobody signs in twice in one.
    pub const LASTS: Duration = Duration::from_secs(12 * 60 * 60);
    /// Sessions that one key may have open: people share a key, and each has some
    /// browsers. The oldest ends when there is one more.
    pub const MOST_OF_KEY: u32 = 100;
    /// Sessions that the portal links of one key may have open in one namespace. The
    /// oldest ends when there is one more.
    pub const MOST_OF_PORTAL: u32 = 1000;

    /// What every token begins with, so that scanners for leaked secrets can know one.
    const TOKEN_PREFIX: &str = "exo_session_";

    /// A new token from 32 random bytes.
    pub fn generate_token(random: [u8; 32]) -> Secret {
        Secret::new(format!("{}{}", Self::TOKEN_PREFIX, hex::encode(random)))
    }

    /// A session of the person who holds this key, no longer than the key itself works.
    pub fn of_key(id: SessionId, token: &Secret, key: &ApiKey, now: Timestamp) -> Self {
        Self {
            id,
            digest: KeyDigest::of(token.expose()),
            api_key_id: key.id,
            portal: None,
            tenant: key.tenant.clone(),
            role: key.role,
            created_at: now,
            expires_at: Self::end(key.expires_at, now),
        }
    }

    /// A session of somebody who came by a link, no longer than the key behind it works.
    pub fn of_link(
        id: SessionId,
        token: &Secret,
        link: &PortalLink,
        key_expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            digest: KeyDigest::of(token.expose()),
            api_key_id: link.api_key_id,
            portal: Some(link.portal.clone()),
            tenant: Some(link.tenant.clone()),
            role: link.role,
            created_at: now,
            expires_at: Self::end(key_expires_at, now),
        }
    }

    fn end(key_expires_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let end = now.saturating_add(Self::LASTS).unwrap_or(Timestamp::MAX);
        key_expires_at.map_or(end, |of_key| of_key.min(end))
    }

    /// Whether it is open at `now`.
    pub fn is_open_at(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Who acts, for the audit log: the key, or the link by which somebody came.
    pub fn actor(&self) -> String {
        match &self.portal {
            Some(portal) => portal.link.to_string(),
            None => self.api_key_id.to_string(),
        }
    }
}

impl PortalLink {
    /// Links of one namespace that nobody has opened: a page that shows the dashboard in a
    /// frame makes one each time it is loaded.
    pub const MOST_UNOPENED: u32 = 10_000;
    /// Longest time for which a link can be opened, in seconds: a week, for one that is
    /// sent to somebody.
    pub const MAX_EXPIRES_IN_S: u64 = 7 * 24 * 60 * 60;

    /// What every token begins with, so that scanners for leaked secrets can know one.
    const TOKEN_PREFIX: &str = "exo_portal_";

    /// A new token from 32 random bytes.
    pub fn generate_token(random: [u8; 32]) -> Secret {
        Secret::new(format!("{}{}", Self::TOKEN_PREFIX, hex::encode(random)))
    }
}

/// What a page shows with each change, to prove that it may read what the host answers
/// to this session: another site's page can make a browser send the cookie, and cannot
/// know this. Made of the token, and tells nothing about it.
pub fn csrf_token(token: &str) -> String {
    // The text before it keeps it apart from the digest, which is stored.
    let digest = Sha256::new().chain_update("csrf\0").chain_update(token).finalize();
    hex::encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(expires_at: Option<Timestamp>) -> ApiKey {
        ApiKey {
            id: ApiKeyId::new(Timestamp::UNIX_EPOCH, 1),
            tenant: None,
            name: "first".into(),
            role: Role::Platform,
            digest: KeyDigest::of("exo_x"),
            created_by: "system".into(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at,
        }
    }

    #[test]
    fn a_session_never_outlives_its_key() {
        let now = Timestamp::UNIX_EPOCH;
        let token = Session::generate_token([7; 32]);
        let end = |of_key| {
            let id = SessionId::new(now, 1);
            Session::of_key(id, &token, &key(of_key), now).expires_at
        };
        let after = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(end(None), after(12 * 60 * 60));
        assert_eq!(end(Some(after(60))), after(60));
        assert_eq!(end(Some(after(13 * 60 * 60))), after(12 * 60 * 60));
    }

    #[test]
    fn the_proof_of_a_page_is_neither_the_token_nor_what_is_stored_of_it() {
        let token = Session::generate_token([7; 32]);
        let proof = csrf_token(token.expose());
        assert_eq!(proof.len(), 64);
        assert_ne!(proof, KeyDigest::of(token.expose()).to_string());
        assert!(!token.expose().contains(&proof));
        assert_ne!(proof, csrf_token(Session::generate_token([8; 32]).expose()));
    }
}
