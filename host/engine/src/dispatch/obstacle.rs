//! What keeps deliveries from being sent to an endpoint though its target may be
//! well: then none of them is tried, and they stay in the database until it is gone.

use std::sync::Arc;

use alerts_domain::delivery::ErrorText;
use alerts_domain::id::EndpointId;
use alerts_domain::tenant::TenantId;
use alerts_package::Kind;
use alerts_sandbox::Plugin;

use crate::catalog::TenantCatalog;
use crate::plugins::Plugins;

/// Why nothing can be sent to an endpoint; none when something can, and for one that
/// was deleted, whose deliveries are given up.
pub(super) fn obstacle(
    catalog: &TenantCatalog,
    plugins: &Plugins,
    tenant: &TenantId,
    endpoint: EndpointId,
) -> Option<String> {
    if !catalog.is_open() {
        return Some("alerts are not open to this namespace yet".to_owned());
    }
    if catalog.is_locked(endpoint) {
        return Some(format!(
            "the secrets of webhook endpoint {endpoint} do not open with this host's encryption \
             keys; ask the operator to put the key back, or give the endpoint new secrets"
        ));
    }
    let spec = &catalog.endpoint(endpoint)?.stored().spec;
    if !spec.is_active {
        return Some("the webhook endpoint is switched off".to_owned());
    }
    usable(plugins, &spec.target, tenant).err()
}

/// What a delivery says that waits until an obstacle is gone.
pub(super) fn waits_for(obstacle: &str) -> ErrorText {
    format!("{obstacle}; waiting").into()
}

/// A target plugin that may be called for a tenant, or why there is none.
pub(super) fn usable(
    plugins: &Plugins,
    id: &str,
    tenant: &TenantId,
) -> Result<Arc<Plugin>, String> {
    let plugin = plugins
        .get(Kind::Target, id)
        .ok_or_else(|| format!("the target plugin `{id}` is not loaded"))?;
    match plugins.is_open_to(id, tenant) {
        true => Ok(plugin),
        false => Err(format!("the target plugin `{id}` was closed to this namespace")),
    }
}
