//! How somebody gets into the demo: a platform key for `curl`, and a link for the browser.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::api_key::{KeyDigest, Role};
use alerts_domain::secret::Secret;
use alerts_engine::Actor;

use super::DemoError;
use super::company::ANALYTICS;
use super::setup::{DEMO, tenant};
use crate::keys::NewKey;
use crate::server::Server;
use crate::sessions::NewLink;

/// How long key and link work.
const LASTS: Duration = Duration::from_secs(24 * 60 * 60);
/// Most platform keys that are looked through for those of earlier starts.
const LOOK_THROUGH: u32 = 200;

/// What lets people in.
#[derive(Debug)]
pub(super) struct WayIn {
    pub(super) key: Secret,
    /// Opens the dashboard, once.
    pub(super) link: String,
}

/// Makes key and link. Those of earlier starts end, so that they do not pile up.
pub(super) async fn make(server: &Server) -> Result<WayIn, DemoError> {
    let (engine, keys) = (server.engine(), server.keys());
    let now = engine.clock().now();
    let known = engine.store().list_api_keys(None, LOOK_THROUGH, None).await?;
    for old in known.items.iter().filter(|key| key.created_by == DEMO) {
        keys.revoke(None, old.id, DEMO, now).await?;
    }
    let secret = KeyDigest::generate_key(engine.entropy().bytes());
    let new = NewKey {
        tenant: None,
        name: DEMO.to_owned(),
        role: Role::Platform,
        secret: secret.clone(),
        expires_at: Some(now.saturating_add(LASTS).unwrap_or(Timestamp::MAX)),
        created_by: DEMO.to_owned(),
    };
    let key = keys.create(engine, new).await?;
    let link = NewLink {
        api_key_id: key.id,
        // Whoever runs the demo runs the host, and may look at all of it.
        role: Role::Platform,
        expires_in: LASTS,
        theme: None,
        accent: None,
        return_url: None,
    };
    let actor = Actor { tenant: tenant(ANALYTICS)?, name: key.id.to_string() };
    let (token, _, _) = keys.sessions().make_link(engine, &actor, link).await?;
    let link = format!("{}/settings/alerts/portal?ns={ANALYTICS}#{}", server.url(), token.expose());
    Ok(WayIn { key: secret, link })
}
