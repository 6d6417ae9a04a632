//! The first platform key: without one, nobody could make any other.

use crate::keys::{KeyRegistry, NewKey};
use crate::remembered::LookupError;
use alerts_domain::api_key::{KeyDigest, Role};
use alerts_domain::secret::Secret;
use alerts_engine::Engine;

/// Sees to it that somebody holds a platform key. `given` is the operator's;
/// without one, and without a platform key in the database, one is made and
/// handed back to be shown this once.
pub(crate) async fn ensure_platform_key(
    engine: &Engine,
    keys: &KeyRegistry,
    given: Option<Secret>,
) -> Result<Option<Secret>, LookupError> {
    let is_given = given.is_some();
    let has_one = engine.store().has_platform_key(engine.clock().now()).await?;
    let secret = match given {
        Some(secret) if keys.get(&KeyDigest::of(secret.expose())).await?.is_some() => {
            return Ok(None);
        }
        Some(secret) => secret,
        None if has_one => return Ok(None),
        None => KeyDigest::generate_key(engine.entropy().bytes()),
    };
    if is_given && has_one {
        tracing::warn!("ALERTS_BOOTSTRAP_KEY is new; earlier platform keys go on working");
    }
    let new = NewKey {
        tenant: None,
        name: "bootstrap".to_owned(),
        role: Role::Platform,
        secret: secret.clone(),
        expires_at: None,
        created_by: "system".to_owned(),
    };
    match keys.create(engine, new).await {
        Ok(_) => Ok((!is_given).then_some(secret)),
        Err(error) => {
            // Another host that started at the same moment may have stored it.
            let known = keys.get(&KeyDigest::of(secret.expose())).await?;
            if known.is_some() { Ok(None) } else { Err(error.into()) }
        }
    }
}
