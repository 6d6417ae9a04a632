//! Making and changing webhook endpoints: checked by the host and by the
//! adapter, secrets sealed, written with an audit entry.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::endpoint::{
    EndpointSecrets, EndpointSpec, PreviousSecret, WebhookEndpoint, masked_url, secret_url_problem,
};
use alerts_domain::header;
use alerts_domain::id::EndpointId;
use alerts_domain::keyring::Sealed;
use alerts_domain::problem::FieldError;
use alerts_domain::quota::Quotas;
use alerts_domain::run_url::LinkTemplate;
use alerts_domain::secret::Secret;
use alerts_domain::target_url;
use alerts_domain::tenant::TenantId;
use alerts_package::{Kind, Manifest};
use alerts_sandbox::{Plugin, Sandbox};
use alerts_store::Store;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::cache::Catalog;
use super::endpoint_requests::{CreatedEndpoint, EndpointDraft, EndpointPatch};
use super::expected::Expected;
use super::name;
use super::patch::set;
use super::rehearsal::Rehearsal;
use super::turns::Turns;
use crate::actor::Actor;
use crate::clock::Clock;
use crate::egress::Egress;
use crate::entropy::Entropy;
use crate::error::{ChangeError, EngineError};
use crate::plugins::Plugins;
use crate::wakes::Wakes;

/// Most headers a tenant may add.
const MAX_HEADERS: usize = 32;
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
        let now = self.clock.now();
        let signing =
            draft.signing_secret.unwrap_or_else(|| Secret::generate_signing(self.entropy.bytes()));
        let secrets = EndpointSecrets {
            signing: signing.clone(),
            previous_signing: None,
            url: None,
            named: draft.secrets,
        };
        self.check(&actor.tenant, &draft.spec, &secrets, Some(&signing)).await?;
        let id = self.entropy.id(now, EndpointId::new);
        let mut endpoint = WebhookEndpoint {
            id,
            tenant: actor.tenant.clone(),
            spec: draft.spec,
            sealed_secrets: Sealed::from_stored(String::new()),
            version: 1,
            created_by: actor.name.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        self.protect(&mut endpoint, secrets);
        let entry = actor.does("webhook.created", id, json!({"name": endpoint.spec.name}));
        self.store.create_endpoint(&endpoint, &self.quotas, &entry, now).await?;
        self.catalog.refresh(&actor.tenant).await;
        Ok(CreatedEndpoint { endpoint, signing_secret: signing })
    }

    /// Changes an endpoint, if it is the version that is expected.
    pub async fn update(
        &self,
        actor: &Actor,
        id: EndpointId,
        expected: &Expected,
        patch: EndpointPatch,
    ) -> Result<WebhookEndpoint, ChangeError> {
        let (mut endpoint, mut secrets) = self.with_secrets(actor, id).await?;
        expected.require(endpoint.version)?;
        let mut changed: Vec<&str> = Vec::new();
        let spec = &mut endpoint.spec;
        let mut note = |name: &'static str| changed.push(name);
        set(&mut spec.name, patch.name, || note("name"));
        set(&mut spec.target_url, patch.target_url, || note("target_url"));
        set(&mut spec.target, patch.target, || note("target"));
        set(&mut spec.settings, patch.settings, || note("settings"));
        set(&mut spec.headers, patch.headers, || note("headers"));
        set(&mut spec.is_active, patch.is_active, || note("is_active"));
        set(&mut spec.include_event_data, patch.include_event_data, || note("include_event_data"));
        set(&mut spec.rate_limit, patch.rate_limit, || note("rate_limit"));
        set(&mut spec.gone_after, patch.gone_after, || note("gone_after"));
        // One that is stored stays good, whatever is asked of new ones by now.
        let chosen = patch.signing_secret.clone();
        if let Some(signing) = patch.signing_secret {
            secrets.signing = signing;
            secrets.previous_signing = None;
            note("secret");
        }
        for (name, value) in patch.secrets {
            note("secrets");
            match value {
                Some(value) => secrets.named.insert(name, value),
                None => secrets.named.remove(&name),
            };
        }
        self.check(&actor.tenant, &endpoint.spec, &secrets, chosen.as_ref()).await?;
        self.protect(&mut endpoint, secrets);
        let detail = json!({"changed": changed});
        self.write(actor, endpoint, expected, "webhook.updated", detail).await
    }

    /// Deletes an endpoint, softly, if it is the version that is expected. Its deliveries
    /// stay on record.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: EndpointId,
        expected: &Expected,
    ) -> Result<(), ChangeError> {
        let read = match expected {
            Expected::Whatever => None,
            Expected::OneOf(_) => {
                let version = self.stored(actor, id).await?.version;
                expected.require(version)?;
                Some(version)
            }
        };
        let now = self.clock.now();
        let entry = actor.does("webhook.deleted", id, json!({}));
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
        self.protect(&mut endpoint, secrets);
        let any = Expected::Whatever;
        self.write(actor, endpoint, &any, "webhook.secret_rotated", json!({})).await?;
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

    /// Puts everything that is secret about an endpoint into its sealed part.
    fn protect(&self, endpoint: &mut WebhookEndpoint, mut secrets: EndpointSecrets) {
        let spec = &mut endpoint.spec;
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
        let place = EndpointSecrets::associated_data(&endpoint.tenant, endpoint.id);
        let plain = Zeroizing::new(serde_json::to_vec(&secrets).unwrap_or_default());
        let nonce = self.entropy.bytes();
        endpoint.sealed_secrets = self.catalog.keyring().seal(&plain, &place, nonce);
    }

    /// Everything that can be known to be wrong before anything is sent. `chosen` is a
    /// signing secret that is new.
    async fn check(
        &self,
        tenant: &TenantId,
        spec: &EndpointSpec,
        secrets: &EndpointSecrets,
        chosen: Option<&Secret>,
    ) -> Result<(), ChangeError> {
        let mut problems = name::problems(&spec.name);
        if let Err(error) = target_url::check(&spec.target_url, self.egress.rules()) {
            problems.push(error.under("/target_url"));
        } else if let Err(error) = self.egress.judge_now(&spec.target_url).await {
            problems.push(FieldError::new("/target_url", error));
        }
        if spec.headers.len() > MAX_HEADERS {
            let detail = format!("at most {MAX_HEADERS} headers may be added");
            problems.push(FieldError::new("/headers", detail));
        }
        problems.extend(header::problems(&spec.headers).map(|wrong| wrong.under("/headers")));
        if let Some(limit) = spec.rate_limit {
            problems.extend(limit.problems().into_iter().map(|p| p.under("/rate_limit")));
        }
        problems.extend(spec.gone_after_problem());
        let chosen = chosen.and_then(Secret::signing_problem);
        problems.extend(chosen.map(|problem| problem.under("/secret")));

        let Some(plugin) = self.plugins.get(Kind::Target, &spec.target) else {
            if self.plugins.is_awaited(&spec.target) {
                return Err(EngineError::Compiling { id: spec.target.clone() }.into());
            }
            let known = self.plugins.ids(Kind::Target).join(", ");
            let detail =
                format!("there is no target plugin `{}`; loaded are: {known}", spec.target);
            problems.push(FieldError::new("/target", detail));
            return Err(ChangeError::Invalid(problems));
        };
        if !self.plugins.is_open_to(&spec.target, tenant) {
            let detail = format!(
                "the target plugin `{}` is not open to this namespace; ask the operator to grant it",
                spec.target
            );
            problems.push(FieldError::new("/target", detail));
        }
        problems.extend(secret_problems(plugin.manifest(), secrets));
        if plugin.manifest().url_is_secret {
            problems.extend(secret_url_problem(&spec.target_url));
        }
        let schema_problems = self.schema_problems(plugin.clone(), spec.settings.clone()).await;
        if schema_problems.is_empty() {
            // The adapter's own check may rely on the schema having held.
            let settings = Value::from(spec.settings.clone()).to_string();
            let checked = self.sandbox.check(&plugin, tenant, settings.into()).await;
            if let Err(found) = checked.map_err(EngineError::from)? {
                problems.extend(found.into_iter().map(|problem| problem.under("/settings")));
            }
        } else {
            problems.extend(schema_problems);
        }
        // One that is switched off may have all kinds of faults until it is on again.
        if problems.is_empty() && spec.is_active {
            let rehearsal = Rehearsal {
                sandbox: &self.sandbox,
                egress: &self.egress,
                plugin: &plugin,
                granted: &self.plugins.origins_for(plugin.manifest(), tenant),
                tenant,
                spec,
                run_link: self.run_link.as_deref(),
                now: self.clock.now(),
            };
            problems.extend(rehearsal.problems(secrets).await);
        }
        if problems.is_empty() { Ok(()) } else { Err(ChangeError::Invalid(problems)) }
    }

    /// What a target's schema says against settings, within the deadline. A plugin
    /// whose schema takes longer holds up itself alone.
    async fn schema_problems(
        &self,
        plugin: Arc<Plugin>,
        settings: Map<String, Value>,
    ) -> Vec<FieldError> {
        let id = plugin.id().to_owned();
        let check = move || plugin.manifest().settings_problems(&settings);
        let wrong = match self.schema_checks.run(&id, SCHEMA_DEADLINE, check).await {
            Some(Ok(problems)) => {
                return problems.into_iter().map(|problem| problem.under("/settings")).collect();
            }
            Some(Err(error)) => format!("the settings schema of target `{id}` is broken: {error}"),
            None => format!(
                "the settings schema of target `{id}` takes too long to check; tell the operator"
            ),
        };
        vec![FieldError::new("/settings", wrong)]
    }
}

fn secret_problems(manifest: &Manifest, secrets: &EndpointSecrets) -> Vec<FieldError> {
    let mut problems = Vec::new();
    if secrets.named.len() > EndpointSecrets::MAX_NAMED {
        let detail = format!("at most {} secrets may be kept", EndpointSecrets::MAX_NAMED);
        problems.push(FieldError::new("/secrets", detail));
    }
    for (name, value) in &secrets.named {
        let pointer = format!("/secrets/{name}");
        if !manifest.secrets.iter().any(|slot| slot.name == *name) {
            let known: Vec<_> = manifest.secrets.iter().map(|slot| slot.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let detail =
                format!("target `{}` knows no secret `{name}`; it knows: {known}", manifest.id);
            problems.push(FieldError::new(pointer, detail));
        } else {
            problems.extend(value.named_problem().map(|problem| problem.under(&pointer)));
        }
    }
    let missing = manifest.secrets.iter().filter(|slot| slot.required);
    for slot in missing.filter(|slot| !secrets.named.contains_key(&slot.name)) {
        let detail = format!("target `{}` needs it: {}", manifest.id, slot.summary);
        problems.push(FieldError::new(format!("/secrets/{}", slot.name), detail));
    }
    problems
}

/// Longest look at an endpoint's settings: a schema is a plugin's. The worst that is
/// admitted takes some seconds, a usual one microseconds.
const SCHEMA_DEADLINE: Duration = Duration::from_secs(1);
