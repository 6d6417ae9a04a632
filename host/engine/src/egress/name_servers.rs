//! Whom to ask for names: the machine's resolver configuration and hosts file, read
//! again when they change, or name servers that an operator chose.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, TokioResolver, system_conf};

/// How often it is looked whether the machine's files have changed.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long one server may take for one query, and how often it is asked. The
/// lookup's own deadline ends both; a lost datagram is sent again within it.
const QUERY: Duration = Duration::from_millis(1500);
const ATTEMPTS: usize = 2;

const RESOLV_CONF: &str = "/etc/resolv.conf";
const HOSTS: &str = "/etc/hosts";

/// Whom to ask, as of now.
#[derive(Debug)]
pub(super) struct NameServers {
    /// Those that an operator chose; empty for the machine's.
    chosen: Vec<SocketAddr>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    configured: Arc<Configured>,
    changed_at: Stamps,
    looked_at: Instant,
}

/// When the machine's files were last changed.
type Stamps = [Option<SystemTime>; 2];

/// A hosts file and a way to ask.
#[derive(Debug)]
pub(super) struct Configured {
    hosts: Hosts,
    resolver: Result<TokioResolver, Arc<str>>,
}

impl NameServers {
    pub(super) fn new(chosen: &[SocketAddr]) -> Self {
        let changed_at = stamps();
        let configured = Arc::new(Configured::read(chosen));
        let state = State { configured, changed_at, looked_at: Instant::now() };
        Self { chosen: chosen.to_vec(), state: Mutex::new(state) }
    }

    /// Whom to ask now.
    pub(super) fn current(&self) -> Arc<Configured> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked_at.elapsed() >= LOOK_AGAIN {
            state.looked_at = Instant::now();
            let changed_at = stamps();
            // Two small files; read where they are needed, since that is rare.
            if changed_at != state.changed_at {
                state.changed_at = changed_at;
                state.configured = Arc::new(Configured::read(&self.chosen));
            }
        }
        state.configured.clone()
    }
}

fn stamps() -> Stamps {
    [RESOLV_CONF, HOSTS].map(|path| Path::new(path).metadata().and_then(|it| it.modified()).ok())
}

impl Configured {
    fn read(chosen: &[SocketAddr]) -> Self {
        let hosts = Hosts::from_system().unwrap_or_default();
        let resolver = resolver(chosen).map_err(|why| {
            // Not an error that stops the host: names in the hosts file and plain
            // addresses are reached all the same.
            tracing::warn!(error = why, "host names cannot be looked up");
            why.into()
        });
        Self { hosts, resolver }
    }

    /// A machine that has none, for this reason.
    #[cfg(test)]
    pub(super) fn without_servers(why: &str) -> Self {
        Self { hosts: Hosts::from_system().unwrap_or_default(), resolver: Err(why.into()) }
    }

    /// What asks them, or why there is nobody to ask.
    pub(super) fn resolver(&self) -> Result<&TokioResolver, Arc<str>> {
        self.resolver.as_ref().map_err(Arc::clone)
    }

    /// A name's addresses in the hosts file.
    pub(super) fn hosts_file(&self, name: &str) -> Option<Vec<IpAddr>> {
        let name = Name::from_utf8(name).ok()?.to_lowercase();
        let of = |kind| self.hosts.lookup_static_host(&Query::query(name.clone(), kind));
        let found = [RecordType::A, RecordType::AAAA].into_iter().filter_map(of);
        let found: Vec<IpAddr> = found
            .flat_map(|lookup| lookup.answers().to_vec())
            .filter_map(|record| record.data.ip_addr())
            .collect();
        (!found.is_empty()).then_some(found)
    }
}

fn resolver(chosen: &[SocketAddr]) -> Result<TokioResolver, String> {
    let (config, mut options) = if chosen.is_empty() {
        let read = system_conf::read_system_conf();
        let (config, options) = read.map_err(|error| format!("{RESOLV_CONF}: {error}"))?;
        // The machine's own domain, which the library would try after the names in
        // `search`, is not something that a URL means.
        let (_, search, servers) = config.into_parts();
        (ResolverConfig::from_parts(None, search, servers), options)
    } else {
        let servers = chosen.iter().map(name_server).collect();
        (ResolverConfig::from_name_servers(servers), ResolverOpts::default())
    };
    options.timeout = QUERY;
    options.attempts = ATTEMPTS;
    // The answers that were made of it are kept, see `names`.
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build().map_err(|error| error.to_string())
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}
