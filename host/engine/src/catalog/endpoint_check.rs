//! What is wrong with an endpoint that somebody wants to save, as far as can be known before
//! anything is sent.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::endpoint::{EndpointSecrets, EndpointSpec, secret_url_problem};
use alerts_domain::header;
use alerts_domain::problem::FieldError;
use alerts_domain::secret::Secret;
use alerts_domain::target_url;
use alerts_domain::tenant::TenantId;
use alerts_package::{Kind, Manifest};
use alerts_sandbox::Plugin;
use serde_json::{Map, Value};

use super::endpoints::Endpoints;
use super::name;
use super::rehearsal::Rehearsal;
use crate::error::{ChangeError, EngineError};

/// Most headers a tenant may add.
const MAX_HEADERS: usize = 32;

impl Endpoints {
    /// Everything that can be known to be wrong before anything is sent. `chosen` is a
    /// signing secret that is new.
    pub(super) async fn check(
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
