//! API keys: who may act, for whom, and how far.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::id::ApiKeyId;
use crate::secret::Secret;
use crate::tenant::TenantId;

/// How far a key reaches. Each role may do all that the ones before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Changes endpoints and rules, redrives deliveries.
    Editor,
    /// Makes and revokes the tenant's keys.
    Admin,
    /// Posts events, and acts for any tenant.
    Platform,
}

impl Role {
    const ALL: [Self; 4] = [Self::Viewer, Self::Editor, Self::Admin, Self::Platform];

    /// The word in the API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Platform => "platform",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            format!("`{text}` is not a role; use {}", Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

/// A stored key: all but the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// `key_…`; stands in the audit log as the actor.
    pub id: ApiKeyId,
    /// For whom it acts; none for a platform key, which acts for any tenant.
    pub tenant: Option<TenantId>,
    /// For people.
    pub name: String,
    /// How far it reaches.
    pub role: Role,
    /// Of the key.
    pub digest: KeyDigest,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it works at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// SHA-256 of a key, or of a session's or a link's token. Enough without salt and
/// stretching: these are 32 random bytes, or as long as an operator was made to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Prefix of every key that is made here, so that scanners for leaked
    /// secrets can know one.
    pub const KEY_PREFIX: &'static str = "exo_";

    /// The digest of a key as a caller sends it.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// A new key from 32 random bytes.
    pub fn generate_key(random: [u8; 32]) -> Secret {
        Secret::new(format!("{}{}", Self::KEY_PREFIX, hex::encode(random)))
    }
}

impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for KeyDigest {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, hex::FromHexError> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest)?;
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_lesser_ones_may() {
        assert!(Role::Platform > Role::Admin && Role::Admin > Role::Editor);
        assert!(Role::Editor > Role::Viewer);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
    }

    #[test]
    fn a_digest_reads_back_and_an_expired_key_is_not_valid() {
        let digest = KeyDigest::of("exo_x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let now = Timestamp::UNIX_EPOCH;
        let key = ApiKey {
            id: ApiKeyId::new(now, 1),
            tenant: None,
            name: "first".into(),
            role: Role::Platform,
            digest,
            created_by: "system".into(),
            created_at: now,
            expires_at: Some(now),
        };
        assert!(!key.is_valid_at(now));
    }

    #[test]
    fn an_unknown_role_is_refused_with_those_there_are() {
        let refused = "root".parse::<Role>().unwrap_err();
        for role in Role::ALL {
            assert!(refused.contains(role.as_str()), "{refused}");
        }
    }
}
