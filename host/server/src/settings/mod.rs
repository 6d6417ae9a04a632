//! Settings: what an operator may decide, read once at start from flags and the
//! environment, and checked all at once.
//!
//! Everything after this file deals in types. A wrong setting is told by its
//! name, with what is wrong and what to write instead.

mod arguments;
mod bootstrap_key;
mod connections;
mod database;
mod encryption_key;
mod error;
mod exosphere;
mod name_servers;
mod plugins;
mod quotas;
mod retention;
mod site;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use alerts_domain::quota::Quotas;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::run_url::LinkTemplate;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::Rollout;
use alerts_engine::Retention;
use alerts_sources::ExosphereSettings;
use ipnet::IpNet;

pub use self::arguments::{LogFormat, ServeArgs};
pub use self::connections::ConnectionSettings;
pub use self::database::Database;
pub use self::encryption_key::EncryptionKeys;
pub(crate) use self::encryption_key::encryption_key_file;
pub use self::error::SettingError;
pub use self::plugins::PluginSettings;
pub use self::site::Site;
pub use self::tls::TlsFiles;

/// Where a host listens when nobody says.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
/// Where events are kept when nobody says.
const DEFAULT_DATABASE: &str = "sqlite://data/alerts.db";
/// The demo's own database, so that it does not mix with real events.
const DEMO_DATABASE: &str = "sqlite://data/demo.db";

/// All settings of a host, checked.
#[derive(Debug)]
pub struct Settings {
    /// Host and port.
    pub listen: String,
    /// Where everything is kept.
    pub database: Database,
    /// What encrypts secrets at rest.
    pub encryption_keys: EncryptionKeys,
    /// A folder with further plugins.
    pub plugins_dir: Option<PathBuf>,
    /// Networks that alerts may go to besides the public internet.
    pub allow_targets: Vec<IpNet>,
    /// Name servers to ask in place of the machine's own.
    pub name_servers: Vec<SocketAddr>,
    /// Deliveries that may start on this host, over all tenants.
    pub rate_limit: Option<RateLimit>,
    /// The same for each tenant.
    pub tenant_rate_limit: Option<RateLimit>,
    /// The operator's own platform key.
    pub bootstrap_key: Option<Secret>,
    /// Which tenants alerts are open to.
    pub rollout: Rollout,
    /// Where people look at a run, for the alerts to lead there.
    pub run_link: Option<LinkTemplate>,
    /// How long things are kept.
    pub retention: Retention,
    /// How much of each thing one namespace may have.
    pub quotas: Quotas,
    /// Where compiled plugins are kept between starts.
    pub cache_dir: Option<CacheDir>,
    /// How many connections callers may hold open.
    pub connections: ConnectionSettings,
    /// Where browsers reach it, and which sites may show it in a frame.
    pub site: Site,
    /// What it serves TLS with, if it does.
    pub tls: Option<TlsFiles>,
    /// What plugins may use where nobody says otherwise.
    pub plugins: PluginSettings,
    /// Which Exosphere is watched, if any is.
    pub exosphere: Option<ExosphereSettings>,
    /// Whether sample data is wanted.
    pub demo: bool,
}

/// Where compiled plugins are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheDir {
    /// The folder.
    pub path: PathBuf,
    /// Whether the operator chose it; a chosen one must work.
    pub is_chosen: bool,
}

impl Settings {
    /// Checks all settings, and tells all that are wrong.
    pub fn read(args: &ServeArgs) -> Result<Self, Vec<SettingError>> {
        let mut wrong = Vec::new();
        let database = keep(&mut wrong, database(args));
        let listen = keep(&mut wrong, listen(given(&args.listen).unwrap_or(DEFAULT_LISTEN)));
        let allow_targets = keep(&mut wrong, networks(given(&args.allow_targets)));
        let name_servers =
            keep(&mut wrong, name_servers::parse(given(&args.name_servers))).unwrap_or_default();
        let rate_limit =
            keep(&mut wrong, rate_limit_of("ALERTS_RATE_LIMIT", given(&args.rate_limit)));
        let tenant_rate_limit = given(&args.tenant_rate_limit);
        let tenant_rate_limit =
            keep(&mut wrong, rate_limit_of("ALERTS_TENANT_RATE_LIMIT", tenant_rate_limit));
        let bootstrap_key = keep(&mut wrong, bootstrap_key::check(args.bootstrap_key.as_ref()));
        let rollout = keep(&mut wrong, rollout(given(&args.rollout).unwrap_or("ga")));
        let run_link = keep(&mut wrong, run_link(given(&args.link_template)));
        let parsed = keep(&mut wrong, encryption_key::given(args.encryption_keys.as_ref()));
        let encryption_keys = match (&database, parsed) {
            (Some(database), Some(parsed)) => {
                keep(&mut wrong, EncryptionKeys::choose(parsed, database))
            }
            _ => None,
        };
        let cache_dir = database.as_ref().and_then(|database| cache_dir(args, database));
        let plugins = PluginSettings::read(args, &mut wrong);
        let retention = retention::read(args, &mut wrong);
        let quotas = quotas::read(args, &mut wrong);
        let connections = ConnectionSettings::read(args, &mut wrong);
        let site = Site::read(args, &mut wrong);
        let tls = keep(&mut wrong, tls::read(args)).flatten();
        let exosphere = exosphere::read(args, &name_servers, &mut wrong);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        match (database, listen, allow_targets, bootstrap_key, rollout, encryption_keys) {
            (
                Some(database),
                Some(listen),
                Some(allow_targets),
                Some(bootstrap_key),
                Some(rollout),
                Some(encryption_keys),
            ) => Ok(Self {
                listen,
                database,
                encryption_keys,
                plugins_dir: given(&args.plugins_dir).map(PathBuf::from),
                allow_targets,
                name_servers,
                rate_limit: rate_limit.flatten(),
                tenant_rate_limit: tenant_rate_limit.flatten(),
                bootstrap_key,
                rollout,
                run_link: run_link.flatten(),
                cache_dir,
                connections,
                site,
                tls,
                plugins,
                retention,
                quotas,
                exosphere,
                demo: args.demo,
            }),
            _ => Err(wrong),
        }
    }
}

/// A whole number within bounds.
fn whole(setting: &'static str, text: &str, least: u64, most: u64) -> Result<u64, SettingError> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        SettingError::new(
            setting,
            format!("`{text}` is out of range"),
            format!("write a whole number from {least} to {most}"),
        )
    })
}

/// An empty value, as deployment tools leave one behind, is none.
fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|value| !value.is_empty())
}

fn keep<T>(wrong: &mut Vec<SettingError>, read: Result<T, SettingError>) -> Option<T> {
    read.map_err(|error| wrong.push(error)).ok()
}

fn database(args: &ServeArgs) -> Result<Database, SettingError> {
    let default = if args.demo { DEMO_DATABASE } else { DEFAULT_DATABASE };
    Database::parse(given(&args.database_url).unwrap_or(default))
}

fn listen(text: &str) -> Result<String, SettingError> {
    let port = text.rsplit_once(':').and_then(|(host, port)| {
        let host_is_there = !host.is_empty() && (!host.contains(':') || host.starts_with('['));
        host_is_there.then(|| port.parse::<u16>().ok()).flatten()
    });
    match port {
        Some(_) => Ok(text.to_owned()),
        None => Err(SettingError::new(
            "ALERTS_LISTEN",
            format!("`{text}` is not an address and a port"),
            "write them like 127.0.0.1:8080, or 0.0.0.0:8080 to be reached from other machines",
        )),
    }
}

fn networks(text: Option<&str>) -> Result<Vec<IpNet>, SettingError> {
    let entries = text.unwrap_or_default().split(',').map(str::trim);
    let read = |entry: &str| {
        let network = entry.parse::<IpNet>();
        network.or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
            SettingError::new(
                "ALERTS_ALLOW_TARGETS",
                format!("`{entry}` is not a network"),
                "write networks like 10.20.0.0/16 or fd00::/8, with commas between them",
            )
        })
    };
    entries.filter(|entry| !entry.is_empty()).map(read).collect()
}

fn rollout(text: &str) -> Result<Rollout, SettingError> {
    match text {
        "off" => Ok(Rollout::Off),
        "beta" => Ok(Rollout::Beta),
        "ga" => Ok(Rollout::Ga),
        _ => Err(SettingError::new(
            "ALERTS_ROLLOUT",
            format!("`{text}` is not known"),
            "write off, beta or ga",
        )),
    }
}

fn run_link(text: Option<&str>) -> Result<Option<LinkTemplate>, SettingError> {
    text.map(LinkTemplate::parse).transpose().map_err(|problem| {
        SettingError::new(
            "ALERTS_LINK_TEMPLATE",
            problem,
            "write a URL like https://exosphere.example.com/graph/{namespace}/{run_id}",
        )
    })
}

/// A number of deliveries a minute.
fn rate_limit_of(
    setting: &'static str,
    text: Option<&str>,
) -> Result<Option<RateLimit>, SettingError> {
    let Some(text) = text else { return Ok(None) };
    let limit = text.parse().ok().map(RateLimit::per_minute);
    limit.filter(|limit| limit.problems().is_empty()).map(Some).ok_or_else(|| {
        SettingError::new(
            setting,
            format!("`{text}` is not a number of deliveries a minute"),
            format!("write a number from 1 to {}, or nothing for no limit", RateLimit::MAX),
        )
    })
}

/// Beside the SQLite file; with Postgres among this user's other caches.
fn cache_dir(args: &ServeArgs, database: &Database) -> Option<CacheDir> {
    if let Some(path) = given(&args.cache_dir) {
        return Some(CacheDir { path: path.into(), is_chosen: true });
    }
    let path = match database {
        Database::Sqlite { file, .. } => file.with_file_name("plugin-cache"),
        Database::Postgres { .. } => user_cache()?.join("exosphere-alerts").join("plugins"),
    };
    Some(CacheDir { path, is_chosen: false })
}

fn user_cache() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(args: ServeArgs) -> Vec<String> {
        let errors = Settings::read(&args).unwrap_err();
        errors.iter().map(|error| error.setting.to_owned()).collect()
    }

    fn set(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    #[test]
    fn nothing_given_means_sqlite_on_the_loopback_address() {
        let settings = Settings::read(&ServeArgs::default()).unwrap();
        assert_eq!(settings.listen, "127.0.0.1:8080");
        assert_eq!(settings.rollout, Rollout::Ga);
        assert_eq!(settings.database.url(), "sqlite://data/alerts.db");
        let cache = settings.cache_dir.unwrap();
        assert_eq!((cache.path, cache.is_chosen), ("data/plugin-cache".into(), false));
    }

    #[test]
    fn an_empty_value_is_none_and_the_demo_has_a_database_of_its_own() {
        let args = ServeArgs { listen: set(" "), demo: true, ..ServeArgs::default() };
        let settings = Settings::read(&args).unwrap();
        assert_eq!(settings.listen, "127.0.0.1:8080");
        assert_eq!(settings.database.url(), "sqlite://data/demo.db");
    }

    #[test]
    fn all_wrong_settings_are_told_at_once() {
        let args = ServeArgs {
            listen: set("8080"),
            database_url: set("mysql://db"),
            allow_targets: set("10.0.0.0/8, lan"),
            name_servers: set("dns"),
            bootstrap_key: Some(Secret::new("changeme")),
            rate_limit: set("many"),
            tenant_rate_limit: set("0"),
            rollout: set("soon"),
            link_template: set("https://example.com/{run}"),
            encryption_keys: Some(Secret::new("k1")),
            plugin_threads: set("many"),
            ..ServeArgs::default()
        };
        assert_eq!(
            wrong(args),
            [
                "ALERTS_DATABASE_URL",
                "ALERTS_LISTEN",
                "ALERTS_ALLOW_TARGETS",
                "ALERTS_NAME_SERVERS",
                "ALERTS_RATE_LIMIT",
                "ALERTS_TENANT_RATE_LIMIT",
                "ALERTS_BOOTSTRAP_KEY",
                "ALERTS_ROLLOUT",
                "ALERTS_LINK_TEMPLATE",
                "ALERTS_ENCRYPTION_KEYS",
                "ALERTS_PLUGIN_THREADS"
            ]
        );
    }

    #[test]
    fn postgres_needs_keys_that_all_hosts_share() {
        let args = ServeArgs { database_url: set("postgres://db/alerts"), ..ServeArgs::default() };
        assert_eq!(wrong(args), ["ALERTS_ENCRYPTION_KEYS"]);
    }

    #[test]
    fn networks_may_be_single_addresses() {
        let read = networks(Some("10.0.0.0/8,127.0.0.1, ::1")).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[1].to_string(), "127.0.0.1/32");
        assert!(networks(None).unwrap().is_empty());
    }

    #[test]
    fn a_link_with_an_unknown_placeholder_is_refused_with_those_that_are_known() {
        assert!(run_link(Some("https://x.example/{namespace}/{graph_name}/{run_id}")).is_ok());
        assert_eq!(run_link(None).unwrap(), None);
        let wrong = run_link(Some("https://x.example/{run}")).unwrap_err().to_string();
        assert!(wrong.contains("{namespace}, {graph_name}, {run_id}"), "{wrong}");
    }

    #[test]
    fn an_address_needs_a_port() {
        for good in ["127.0.0.1:0", "[::1]:8080", "localhost:80"] {
            assert!(listen(good).is_ok(), "{good}");
        }
        for bad in ["127.0.0.1", ":8080", "::1", "localhost:http", "1.2.3.4:70000"] {
            assert!(listen(bad).is_err(), "{bad}");
        }
    }
}
