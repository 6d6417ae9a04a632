//! What a plugin's calls may use, as an operator decides while the host runs.

use alerts_domain::plugin_limits::PluginLimits;
use alerts_domain::problem::FieldError;
use alerts_package::Kind;
use alerts_sandbox::Limits;
use alerts_store::{OperatorChange, StoreError};

use super::admin::PluginAdmin;
use super::upload::noted;
use super::{Plugins, Registry};
use crate::actor::Actor;
use crate::changes::{self, Fields, value};
use crate::error::ChangeError;

impl Plugins {
    /// What an operator has set for a plugin.
    pub fn granted_limits(&self, id: &str) -> PluginLimits {
        self.read().limits(id)
    }
}

impl Registry {
    /// Every file that is ready, also one that another source covers.
    fn grant_all(&self) {
        for (id, layers) in &self.layers {
            for plugin in layers.values().filter_map(|layer| layer.plugin.as_ref()) {
                plugin.grant(self.limits(id));
            }
        }
    }
}

impl PluginAdmin {
    /// Replaces a plugin's limits; those that are absent are the host's. In
    /// force for the next call. A file that was refused is looked at again.
    pub async fn limit_plugin(
        &self,
        actor: &Actor,
        id: &str,
        limits: PluginLimits,
    ) -> Result<(), ChangeError> {
        let entry = self.plugins().entry(id).ok_or(ChangeError::NotFound("plugin"))?;
        let manifest = entry.manifest.as_ref();
        let manifest = manifest.or(entry.in_use.as_ref().map(|plugin| plugin.manifest()));
        let kind = manifest.map(|manifest| manifest.kind).ok_or_else(|| {
            ChangeError::Conflict(format!(
                "plugin `{id}` has no manifest that reads; load a file that has one first"
            ))
        })?;
        let problems = range_problems(kind, &limits);
        if !problems.is_empty() {
            return Err(ChangeError::Invalid(problems));
        }
        let changing = self.plugins().changing().await;
        let had = self.plugins().granted_limits(id);
        let detail = changes::between(&fields(&had), &fields(&limits), &[]);
        let entry = noted(actor, "plugin.limited", id, detail);
        let by = OperatorChange { tenant: &actor.tenant, entry: &entry, at: self.clock().now() };
        self.store().set_plugin_limits(id, &limits, &by).await?;
        {
            // Nothing that can fail stands between what is stored and what is in force.
            let mut registry = self.plugins().write();
            registry.limits.insert(id.to_owned(), limits);
            registry.limits.retain(|_, limits| !limits.is_empty());
            registry.grant_all();
        }
        drop(changing);
        let admin = self.clone();
        tokio::spawn(async move {
            // Reading files takes its time, and nobody waits for it.
            if let Err(error) = admin.follow_uploads().await {
                tracing::error!(%error, "refused uploads could not be looked at again");
            }
        });
        Ok(())
    }

    /// Reads the limits, perhaps changed by another host.
    pub(crate) async fn follow_limits(&self) -> Result<(), StoreError> {
        let _changing = self.plugins().changing().await;
        let limits = self.store().plugin_limits().await?.into_iter().collect();
        let mut registry = self.plugins().write();
        registry.limits = limits;
        registry.grant_all();
        Ok(())
    }
}

fn fields(limits: &PluginLimits) -> Fields {
    let set = limits.fields().into_iter().filter_map(|(name, limit)| Some((name, limit?)));
    set.map(|(name, limit)| (name.to_owned(), value(limit))).collect()
}

fn range_problems(kind: Kind, limits: &PluginLimits) -> Vec<FieldError> {
    let ceilings = Limits::ceilings(kind);
    let fields = limits.fields().into_iter().zip(ceilings);
    let wrong = fields.filter_map(|((name, value), (_, most))| match value {
        None => None,
        Some(_) if name == "exchanges" && kind == Kind::Condition => {
            let detail = "a condition language sends no requests; leave it out".to_owned();
            Some(FieldError::new(format!("/{name}"), detail))
        }
        Some(value) if (1..=most).contains(&value) => None,
        Some(_) => Some(FieldError::new(format!("/{name}"), format!("must be from 1 to {most}"))),
    });
    wrong.collect()
}
