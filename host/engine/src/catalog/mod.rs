//! What tenants have: their endpoints and rules in memory, and how people change
//! them.
//!
//! `cache` holds a tenant's catalog, `load` makes one from what is stored, and
//! `endpoints`, `rules` and `tenants` are the changes. Each change is written with
//! its audit entry first and seen in memory before its caller is answered.

mod audited;
mod cache;
mod drafts;
mod endpoint_check;
mod endpoint_requests;
mod endpoints;
mod expected;
mod load;
mod name;
mod patch;
mod rehearsal;
mod rules;
mod tenant;
mod tenant_cache;
mod tenants;
mod turns;

pub(crate) use cache::Catalog;
pub use drafts::Draft;
pub use endpoint_requests::{CreatedEndpoint, EndpointDraft, EndpointPatch};
pub use endpoints::Endpoints;
pub use expected::Expected;
pub(crate) use load::Loader;
pub use name::problems as name_problems;
pub use rules::{RuleDraft, RulePatch, Rules};
pub(crate) use tenant::TenantCatalog;
pub use tenants::Tenants;
pub(crate) use turns::Turns;
