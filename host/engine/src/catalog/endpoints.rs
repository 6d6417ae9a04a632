//! Making and changing webhook endpoints: checked by the host and by the
//! adapter, secrets sealed, written with an audit entry.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::endpoint::{
    EndpointSecrets, EndpointSpec, PreviousSecret, WebhookEndpoint, masked_url,
};
use alerts_domain::id::EndpointId;
use alerts_domain::keyring::Sealed;
use alerts_domain::quota::Quotas;
use alerts_domain::run_url::LinkTemplate;
use alerts_domain::secret::Secret;
use alerts_package::Kind;
use alerts_sandbox::Sandbox;
use alerts_store::Store;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::audited;
use super::cache::Catalog;
use super::endpoint_requests::{CreatedEndpoint, EndpointDraft, EndpointPatch};
use super::expected::Expected;
use super::patch::set;
use super::turns::Turns;
use crate::actor::Actor;
use crate::changes;
use crate::clock::Clock;
use crate::egress::Egress;
use crate::entropy::Entropy;
use crate::error::ChangeError;
use crate::plugins::Plugins;
use crate::wakes::Wakes;

/// How long a replaced signing secret goes on signing, in hours: a working day
/// to roll a new key out.
const GRACE_HOURS: i64 = 24;

/// The endpoints of all tenants, as people change them.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct Endpoints {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) plugins: Plugins,
    pub(crate) sandbox: Sandbox,
    pub(crate) egress: Egress,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) schema_checks: Arc<Turns>,
    pub(crate) quotas: Quotas,
    pub(crate) wakes: Wakes,
    pub(crate) run_link: Option<Arc<LinkTemplate>>,
}

impl Endpoints {
    /// Makes an endpoint.
    pub async fn create(
        &self,
        actor: &Actor,
        draft: EndpointDraft,
    ) -> Result<CreatedEndpoint, ChangeError> {
        let (mut endpoint, secrets) = self.made(actor, draft).await?;
        self.seal(&mut endpoint, &secrets);
        let (id, now) = (endpoint.id, endpoint.created_at);
        let detail = changes::made(audited::of_endpoint(&endpoint.spec));
        let entry = actor.does("webhook.created", id, detail);
        self.store.create_endpoint(&endpoint, &self.quotas, &entry, now).await?;
        self.catalog.refresh(&actor.tenant).await;
        Ok(CreatedEndpoint { endpoint, signing_secret: secrets.signing })
    }

    /// A new endpoint as it would be stored, and its secrets, which are not sealed yet.
    pub(super) async fn made(
        &self,
        actor: &Actor,
        draft: EndpointDraft,
    ) -> Result<(WebhookEndpoint, EndpointSecrets), ChangeError> {
        let now = self.clock.now();
        let signing =
            draft.signing_secret.unwrap_or_else(|| Secret::generate_signing(self.entropy.bytes()));
        let mut secrets =
            EndpointSecrets { signing, previous_signing: None, url: None, named: draft.secrets };
        self.check(&actor.tenant, &draft.spec, &secrets, Some(&secrets.signing)).await?;
        let mut endpoint = WebhookEndpoint {
            id: self.entropy.id(now, EndpointId::new),
            tenant: actor.tenant.clone(),
            spec: draft.spec,
            sealed_secrets: Sealed::from_stored(String::new()),
            version: 1,
            managed_by: draft.managed_by,
            created_by: actor.name.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        self.hide_url(&mut endpoint.spec, &mut secrets);
        Ok((endpoint, secrets))
    }

    /// Changes an endpoint, if it is the version that is expected.
    pub async fn update(
        &self,
        actor: &Actor,
        id: EndpointId,
        expected: &Expected,
        patch: EndpointPatch,
    ) -> Result<WebhookEndpoint, ChangeError> {
        let Changed { mut endpoint, secrets, detail } =
            self.changed(actor, id, expected, patch).await?;
        self.seal(&mut endpoint, &secrets);
        self.write(actor, endpoint, expected, "webhook.updated", detail).await
    }

    /// An endpoint as it would be with a change, if it is the version that is expected.
    pub(super) async fn changed(
        &self,
        actor: &Actor,
        id: EndpointId,
        expected: &Expected,
        patch: EndpointPatch,
    ) -> Result<Changed, ChangeError> {
        let (mut endpoint, mut secrets) = self.with_secrets(actor, id).await?;
        expected.require(endpoint.version)?;
        let before = audited::of_endpoint(&endpoint.spec);
        let (had_url, had_headers) =
            (endpoint.spec.target_url.clone(), endpoint.spec.headers.clone());
        let spec = &mut endpoint.spec;
        set(&mut spec.name, patch.name);
        set(&mut spec.target_url, patch.target_url);
        set(&mut spec.target, patch.target);
        set(&mut spec.settings, patch.settings);
        set(&mut spec.headers, patch.headers);
        set(&mut spec.is_active, patch.is_active);
        set(&mut spec.include_event_data, patch.include_event_data);
        set(&mut spec.rate_limit, patch.rate_limit);
        set(&mut spec.gone_after, patch.gone_after);
        let mut untold = Vec::new();
        let mut note = |name, is_changed: bool| untold.extend(is_changed.then_some(name));
        note("target_url", spec.target_url != had_url);
        note("headers", spec.headers != had_headers);
        let is_other = |name, secret: &Option<Secret>| secrets.named.get(name) != secret.as_ref();
        note("secret", patch.signing_secret.as_ref().is_some_and(|new| *new != secrets.signing));
        note("secrets", patch.secrets.iter().any(|(name, secret)| is_other(name, secret)));
        // One that is stored stays good, whatever is asked of new ones by now.
        let chosen = patch.signing_secret.clone();
        if let Some(signing) = patch.signing_secret {
            secrets.signing = signing;
            secrets.previous_signing = None;
        }
        for (name, value) in patch.secrets {
            match value {
                Some(value) => secrets.named.insert(name, value),
                None => secrets.named.remove(&name),
            };
        }
        self.check(&actor.tenant, &endpoint.spec, &secrets, chosen.as_ref()).await?;
        self.hide_url(&mut endpoint.spec, &mut secrets);
        let detail = changes::between(&before, &audited::of_endpoint(&endpoint.spec), &untold);
        Ok(Changed { endpoint, secrets, detail })
    }

    /// Deletes an endpoint, softly, if it is the version that is expected. Its deliveries
    /// stay on record.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: EndpointId,
        expected: &Expected,
    ) -> Result<(), ChangeError> {
        let stored = self.stored(actor, id).await?;
        expected.require(stored.version)?;
        let read = match expected {
            Expected::Whatever => None,
            Expected::OneOf(_) => Some(stored.version),
        };
        let now = self.clock.now();
        let entry = actor.does("webhook.deleted", id, json!({"name": stored.spec.name}));
        let deleted = self.store.delete_endpoint(&actor.tenant, id, read, &entry, now).await?;
        self.catalog.refresh(&actor.tenant).await;
        // What waited for it goes at once, or is given up with it.
        self.wakes.look_for_unblocked(self.clock.now());
        match read {
            _ if deleted => Ok(()),
            Some(_) => Err(ChangeError::Stale),
            None => Err(ChangeError::NotFound("webhook endpoint")),
        }
    }

    /// A new signing secret, and until when the old one signs too.
    pub async fn rotate_secret(
        &self,
        actor: &Actor,
        id: EndpointId,
    ) -> Result<(Secret, Timestamp), ChangeError> {
        let (mut endpoint, mut secrets) = self.with_secrets(actor, id).await?;
        let signing = Secret::generate_signing(self.entropy.bytes());
        let grace = jiff::SignedDuration::from_hours(GRACE_HOURS);
        let until = self.clock.now().saturating_add(grace).unwrap_or(Timestamp::MAX);
        let old = std::mem::replace(&mut secrets.signing, signing.clone());
        secrets.previous_signing = Some(PreviousSecret { secret: old, until });
        self.hide_url(&mut endpoint.spec, &mut secrets);
        self.seal(&mut endpoint, &secrets);
        let (any, detail) = (Expected::Whatever, json!({"name": endpoint.spec.name}));
        self.write(actor, endpoint, &any, "webhook.secret_rotated", detail).await?;
        Ok((signing, until))
    }

    async fn stored(&self, actor: &Actor, id: EndpointId) -> Result<WebhookEndpoint, ChangeError> {
        let stored = self.store.get_endpoint(&actor.tenant, id).await?;
        let stored = stored.filter(|endpoint| endpoint.deleted_at.is_none());
        stored.ok_or(ChangeError::NotFound("webhook endpoint"))
    }

    async fn with_secrets(
        &self,
        actor: &Actor,
        id: EndpointId,
    ) -> Result<(WebhookEndpoint, EndpointSecrets), ChangeError> {
        let live = self.catalog.open(self.stored(actor, id).await?)?;
        let (mut endpoint, secrets) = (live.stored().clone(), live.secrets().clone());
        if let Some(url) = &secrets.url {
            endpoint.spec.target_url = url.expose().to_owned();
        }
        Ok((endpoint, secrets))
    }

    async fn write(
        &self,
        actor: &Actor,
        mut endpoint: WebhookEndpoint,
        expected: &Expected,
        action: &'static str,
        detail: Value,
    ) -> Result<WebhookEndpoint, ChangeError> {
        let now = self.clock.now();
        let read = endpoint.version;
        endpoint.version += 1;
        endpoint.updated_at = now;
        let entry = actor.does(action, endpoint.id, detail);
        let (store, quotas) = (&self.store, &self.quotas);
        let written = store.update_endpoint(&endpoint, read, quotas, &entry, now).await?;
        self.catalog.refresh(&actor.tenant).await;
        self.wakes.look_for_unblocked(self.clock.now());
        if !written {
            return Err(expected.overtaken(format_args!("endpoint {}", endpoint.id)));
        }
        Ok(endpoint)
    }

    /// Takes a URL that is a secret out of what is shown, and puts it among the secrets.
    fn hide_url(&self, spec: &mut EndpointSpec, secrets: &mut EndpointSecrets) {
        let plugin = self.plugins.get(Kind::Target, &spec.target);
        // A URL that was a secret stays one, whatever else changes about it.
        let was_secret = secrets.url.as_ref().is_some_and(|url| url.expose() == spec.target_url);
        secrets.url = None;
        if was_secret || plugin.is_some_and(|plugin| plugin.manifest().url_is_secret) {
            // In its normal form a slash follows the host, also before a bare query,
            // which is where the secret may be.
            let url = url::Url::parse(&spec.target_url).map(String::from);
            let url = Secret::new(url.unwrap_or_else(|_| spec.target_url.clone()));
            spec.target_url = masked_url(url.expose());
            secrets.url = Some(url);
        }
    }

    /// Seals everything that is secret about an endpoint.
    fn seal(&self, endpoint: &mut WebhookEndpoint, secrets: &EndpointSecrets) {
        let place = EndpointSecrets::associated_data(&endpoint.tenant, endpoint.id);
        let plain = Zeroizing::new(serde_json::to_vec(secrets).unwrap_or_default());
        let nonce = self.entropy.bytes();
        endpoint.sealed_secrets = self.catalog.keyring().seal(&plain, &place, nonce);
    }
}

/// An endpoint as it would be with a change.
pub(super) struct Changed {
    /// With its URL masked where that is a secret; not sealed anew yet.
    pub(super) endpoint: WebhookEndpoint,
    pub(super) secrets: EndpointSecrets,
    /// What changed about it, for the audit log.
    pub(super) detail: Value,
}
