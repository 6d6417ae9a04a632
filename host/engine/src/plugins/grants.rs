//! Who may use a plugin, and where it may send for them.

use std::collections::HashMap;

use alerts_domain::origin::Origin;
use alerts_domain::tenant::TenantId;
use alerts_package::Manifest;
use alerts_store::{OperatorChange, PluginGrant, StoreError};

use super::admin::PluginAdmin;
use super::upload::noted;
use super::{Grants, Plugins};
use crate::actor::Actor;
use crate::changes::{self, Fields, value};
use crate::error::ChangeError;

/// Most places in one grant.
const MAX_HOSTS: usize = 64;

impl Plugins {
    /// Whether a tenant may use a plugin.
    pub fn is_open_to(&self, id: &str, tenant: &TenantId) -> bool {
        let registry = self.read();
        registry.grants.get(id).is_none_or(|tenants| tenants.contains_key(tenant))
    }

    /// Where a plugin may send for a tenant, besides the endpoint's own origin:
    /// where the grant says, else where its manifest does.
    pub(crate) fn origins_for(&self, manifest: &Manifest, tenant: &TenantId) -> Vec<Origin> {
        let registry = self.read();
        let granted = registry.grants.get(&manifest.id).and_then(|tenants| tenants.get(tenant));
        let hosts = match granted {
            Some(Some(hosts)) => hosts,
            _ => &manifest.hosts,
        };
        // A text from before these were read as origins grants nothing.
        hosts.iter().filter_map(|host| Origin::parse(host).ok()).collect()
    }

    /// A plugin's grants; none when it is open to everyone.
    pub fn grants(&self, id: &str) -> Vec<PluginGrant> {
        let registry = self.read();
        let tenants = registry.grants.get(id).into_iter().flatten();
        let mut grants: Vec<_> = tenants
            .map(|(tenant, hosts)| PluginGrant { tenant: tenant.clone(), hosts: hosts.clone() })
            .collect();
        grants.sort_by(|a, b| a.tenant.cmp(&b.tenant));
        grants
    }
}

impl PluginAdmin {
    /// Replaces a plugin's grants. With none it is open to everyone. A tenant
    /// that loses a plugin keeps its endpoints; their deliveries wait.
    pub async fn grant_plugin(
        &self,
        actor: &Actor,
        id: &str,
        grants: &[PluginGrant],
    ) -> Result<(), ChangeError> {
        if self.plugins().entry(id).is_none() {
            return Err(ChangeError::NotFound("plugin"));
        }
        for (index, grant) in grants.iter().enumerate() {
            if grants[..index].iter().any(|other| other.tenant == grant.tenant) {
                return Err(ChangeError::field(
                    format!("/grants/{index}/tenant"),
                    format!("repeats `{}`; name each namespace once", grant.tenant),
                ));
            }
            let hosts = grant.hosts.as_deref().unwrap_or_default();
            if hosts.len() > MAX_HOSTS {
                let detail = format!("at most {MAX_HOSTS} hosts may be granted");
                return Err(ChangeError::field(format!("/grants/{index}/hosts"), detail));
            }
            for (number, host) in hosts.iter().enumerate() {
                Origin::parse(host).map_err(|error| {
                    let pointer = format!("/grants/{index}/hosts/{number}");
                    ChangeError::field(pointer, error.to_string())
                })?;
            }
        }
        let _changing = self.plugins().changing().await;
        let had = self.plugins().grants(id);
        let detail = changes::between(&fields(&had), &fields(grants), &[]);
        let entry = noted(actor, "plugin.granted", id, detail);
        let by = OperatorChange { tenant: &actor.tenant, entry: &entry, at: self.clock().now() };
        self.store().set_plugin_grants(id, grants, &by).await?;
        // Nothing that can fail stands between what is stored and what is in force.
        let by_tenant = grants.iter().map(|grant| (grant.tenant.clone(), grant.hosts.clone()));
        let by_tenant: HashMap<_, _> = by_tenant.collect();
        let mut registry = self.plugins().write();
        match by_tenant.is_empty() {
            true => drop(registry.grants.remove(id)),
            false => drop(registry.grants.insert(id.to_owned(), by_tenant)),
        }
        Ok(())
    }

    /// Reads the grants, perhaps changed by another host.
    pub(crate) async fn follow_grants(&self) -> Result<(), StoreError> {
        let _changing = self.plugins().changing().await;
        let mut grants = Grants::new();
        for (id, grant) in self.store().plugin_grants().await? {
            grants.entry(id).or_default().insert(grant.tenant, grant.hosts);
        }
        self.plugins().write().grants = grants;
        Ok(())
    }
}

/// Each tenant, with where the plugin may send for it.
fn fields(grants: &[PluginGrant]) -> Fields {
    let hosts = |grant: &PluginGrant| match &grant.hosts {
        Some(hosts) => value(hosts),
        None => "as its manifest says".into(),
    };
    grants.iter().map(|grant| (grant.tenant.to_string(), hosts(grant))).collect()
}
