//! What an engine is made of, and what an operator may set about it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use alerts_domain::address::AddressRules;
use alerts_domain::keyring::Keyring;
use alerts_domain::quota::Quotas;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::run_url::LinkTemplate;
use alerts_domain::tenant::Rollout;
use alerts_sandbox::Sandbox;
use alerts_store::Store;

use crate::background::retention::Retention;
use crate::clock::Clock;
use crate::egress::{Deadlines, Transport};
use crate::entropy::Entropy;
use crate::plugins::Plugins;

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Where alerts may go.
    pub addresses: AddressRules,
    /// How long exchanges may take.
    pub deadlines: Deadlines,
    /// Name servers to ask for host names; empty for the machine's own.
    pub name_servers: Vec<SocketAddr>,
    /// Attempts that run at once, over all endpoints. Each holds a connection.
    pub max_in_flight: usize,
    /// Deliveries that may start, over all tenants, on this host.
    pub rate_limit: Option<RateLimit>,
    /// The same for each tenant.
    pub tenant_rate_limit: Option<RateLimit>,
    /// The plugins inside the binary: name and bytes of each file. What is compiled
    /// already is in use when the engine has started, the rest once it is compiled.
    pub builtin: &'static [(&'static str, &'static [u8])],
    /// The operator's folder of plugins.
    pub plugins_dir: Option<PathBuf>,
    /// Which tenants alerts are open to.
    pub rollout: Rollout,
    /// Where people look at a run, for the alerts to lead there.
    pub run_link: Option<LinkTemplate>,
    /// How long things are kept.
    pub retention: Retention,
    /// How much of each thing one tenant may have.
    pub quotas: Quotas,
    /// What carries requests in place of HTTP, for simulations.
    pub transport: Option<Arc<dyn Transport>>,
}

impl Default for EngineConfig {
    /// 1,024 attempts at once: with receivers that take 100 ms, 10,000 deliveries
    /// a second. Needs that many open files; see what starts the host.
    fn default() -> Self {
        Self {
            addresses: AddressRules::default(),
            deadlines: Deadlines::default(),
            name_servers: Vec::new(),
            max_in_flight: 1024,
            rate_limit: None,
            tenant_rate_limit: None,
            builtin: &[],
            plugins_dir: None,
            rollout: Rollout::Ga,
            run_link: None,
            retention: Retention::default(),
            quotas: Quotas::default(),
            transport: None,
        }
    }
}

/// What an engine is made of.
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct EngineParts {
    /// What the operator has set.
    pub config: EngineConfig,
    /// Where everything is kept.
    pub store: Store,
    /// Where plugins run.
    pub sandbox: Sandbox,
    /// The plugins to begin with.
    pub plugins: Plugins,
    /// What seals and opens the endpoints' secrets.
    pub keyring: Keyring,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids, nonces and jitter come from.
    pub entropy: Entropy,
}
