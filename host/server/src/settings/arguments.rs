//! The settings as they are written: flags, each with an environment variable.
//! Only texts; what they mean is decided in the folder's root.

use alerts_domain::secret::Secret;

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings of `serve`.
#[derive(Clone, Default, clap::Args)]
pub struct ServeArgs {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    ///
    /// In front of anything but the loopback address, put a proxy that does TLS, or
    /// give a certificate with ALERTS_TLS_CERT.
    #[arg(long, env = "ALERTS_LISTEN", alias = "alerts-listen", value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,

    /// A PEM file with the certificate to serve TLS with [default: none, plain HTTP]
    ///
    /// This host's own first, then those that lead to an authority. When this file or
    /// that of the key is written anew, it is taken up within seconds; one that cannot be
    /// served with is told in the log, and the one before stays.
    #[arg(long, env = "ALERTS_TLS_CERT", alias = "alerts-tls-cert", value_name = "FILE")]
    pub tls_cert: Option<String>,

    /// A PEM file with the private key of that certificate
    #[arg(long, env = "ALERTS_TLS_KEY", alias = "alerts-tls-key", value_name = "FILE")]
    pub tls_key: Option<String>,

    /// Connections that callers may hold open [default: a quarter of the open files]
    ///
    /// When there are as many, a new one takes the place of one that has sent no
    /// request or rests. At most 4096 unless it is set. From 16.
    #[arg(
        long,
        env = "ALERTS_MAX_CONNECTIONS",
        alias = "alerts-max-connections",
        value_name = "NUMBER"
    )]
    pub max_connections: Option<String>,

    /// The same from one address [default: half of all]
    ///
    /// A proxy in front of the host is one address. Of IPv6, a network of 64 bits is.
    #[arg(
        long,
        env = "ALERTS_MAX_CONNECTIONS_PER_ADDRESS",
        alias = "alerts-max-connections-per-address",
        value_name = "NUMBER"
    )]
    pub max_connections_per_address: Option<String>,

    /// Where everything is kept [default: sqlite://data/alerts.db]
    ///
    /// `sqlite://` and the path of a file, which is made if it is not there; or
    /// `postgres://user:password@host/database`, which several hosts may share.
    #[arg(
        long,
        env = "ALERTS_DATABASE_URL",
        alias = "alerts-database-url",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,

    /// Keys that encrypt secrets at rest: `id:base64,id:base64,…`
    ///
    /// Each is 32 bytes; the first one encrypts, all of them decrypt. Make one
    /// with `echo "k1:$(openssl rand -base64 32)"`. With SQLite, a key is made at
    /// the first start and kept beside the database as `encryption.key`: back it
    /// up. With Postgres it must be given, the same on every host. Better given
    /// by environment: flags show in the list of processes.
    #[arg(
        long,
        env = "ALERTS_ENCRYPTION_KEYS",
        alias = "alerts-encryption-keys",
        value_name = "KEYS",
        hide_env_values = true
    )]
    pub encryption_keys: Option<Secret>,

    /// A folder with further plugins: every `*.wasm` file in it is loaded
    ///
    /// Also those that are put there, replaced or taken away later. One with the
    /// id of a built-in plugin takes its place. A file that is refused is told in
    /// the log and by `GET /v1/plugins`.
    #[arg(long, env = "ALERTS_PLUGINS_DIR", alias = "alerts-plugins-dir", value_name = "FOLDER")]
    pub plugins_dir: Option<String>,

    /// Networks that alerts may go to besides the public internet [default: none]
    ///
    /// Loopback, private, link-local and metadata addresses are refused unless
    /// they are opened here, for example with `10.20.0.0/16,fd00:20::/32`.
    #[arg(
        long,
        env = "ALERTS_ALLOW_TARGETS",
        alias = "alerts-allow-targets",
        value_name = "NETWORKS"
    )]
    pub allow_targets: Option<String>,

    /// Name servers to ask for targets' names [default: the machine's own]
    ///
    /// Addresses with commas between them, each perhaps with a port, in place of
    /// those in /etc/resolv.conf. Names in /etc/hosts are known all the same.
    #[arg(
        long,
        env = "ALERTS_NAME_SERVERS",
        alias = "alerts-name-servers",
        value_name = "ADDRESSES"
    )]
    pub name_servers: Option<String>,

    /// Deliveries that may start in a minute on this host, over all tenants [default: no limit]
    ///
    /// Over it deliveries wait; none is lost.
    #[arg(long, env = "ALERTS_RATE_LIMIT", alias = "alerts-rate-limit", value_name = "NUMBER")]
    pub rate_limit: Option<String>,

    /// The same for each tenant [default: no limit]
    ///
    /// A tenant over its limit holds up no other.
    #[arg(
        long,
        env = "ALERTS_TENANT_RATE_LIMIT",
        alias = "alerts-tenant-rate-limit",
        value_name = "NUMBER"
    )]
    pub tenant_rate_limit: Option<String>,

    /// The first platform key, at least 16 characters
    ///
    /// When it is absent and there is no platform key yet, one is made and
    /// printed once. Better given by environment: flags show in the list of
    /// processes.
    #[arg(
        long,
        env = "ALERTS_BOOTSTRAP_KEY",
        alias = "alerts-bootstrap-key",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub bootstrap_key: Option<Secret>,

    /// Which tenants alerts are open to: off, beta or ga [default: ga]
    ///
    /// With `beta`, those that are marked so.
    #[arg(long, env = "ALERTS_ROLLOUT", alias = "alerts-rollout", value_name = "STAGE")]
    pub rollout: Option<String>,

    /// Where people look at a run: a URL with `{namespace}`, `{graph_name}`, `{run_id}`
    ///
    /// For example https://exosphere.example.com/graph/{namespace}/{run_id}. Alerts lead
    /// there, as `run_url`, in Slack and in PagerDuty. An endpoint may have a
    /// `link_template` of its own in its settings.
    #[arg(long, env = "ALERTS_LINK_TEMPLATE", alias = "alerts-link-template", value_name = "URL")]
    pub link_template: Option<String>,

    /// Where browsers reach this host: scheme, host and port
    ///
    /// For example https://alerts.example.com. Portal links lead there, and with https a
    /// browser sends its session by TLS alone.
    #[arg(long, env = "ALERTS_PUBLIC_URL", alias = "alerts-public-url", value_name = "URL")]
    pub public_url: Option<String>,

    /// Sites that may show the dashboard in a frame [default: none]
    ///
    /// For example `https://exosphere.example.com,https://*.example.com`. Pages in a frame
    /// are opened by portal links, and need TLS.
    #[arg(
        long,
        env = "ALERTS_FRAME_ANCESTORS",
        alias = "alerts-frame-ancestors",
        value_name = "SITES"
    )]
    pub frame_ancestors: Option<String>,

    /// The Exosphere to be watched: where its state-manager is [default: none]
    ///
    /// For example http://state-manager:8000. Its runs become events as they start, end and
    /// are opened again. Needs its key and its namespaces too.
    #[arg(long, env = "ALERTS_EXOSPHERE_URL", alias = "alerts-exosphere-url", value_name = "URL")]
    pub exosphere_url: Option<String>,

    /// The state-manager's secret
    ///
    /// Sent to it as `x-api-key`, and to nobody else. Better given by environment: flags
    /// show in the list of processes.
    #[arg(
        long,
        env = "ALERTS_EXOSPHERE_KEY",
        alias = "alerts-exosphere-key",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub exosphere_key: Option<Secret>,

    /// Namespaces of Exosphere to be watched, with commas between them, or `*`
    ///
    /// `*` is all that have registered nodes, also those that get some later. One that only
    /// borrows the nodes of another is to be named beside it: `*,billing`.
    #[arg(
        long,
        env = "ALERTS_EXOSPHERE_NAMESPACES",
        alias = "alerts-exosphere-namespaces",
        value_name = "NAMES"
    )]
    pub exosphere_namespaces: Option<String>,

    /// Milliseconds between two looks at Exosphere [default: 3000]
    ///
    /// From 100 to 3600000.
    #[arg(
        long,
        env = "ALERTS_EXOSPHERE_INTERVAL_MS",
        alias = "alerts-exosphere-interval-ms",
        value_name = "MS"
    )]
    pub exosphere_interval_ms: Option<String>,

    /// Days for which events are kept [default: 90]
    ///
    /// At least as long as deliveries, which refer to them.
    #[arg(
        long,
        env = "ALERTS_KEEP_EVENTS_DAYS",
        alias = "alerts-keep-events-days",
        value_name = "DAYS"
    )]
    pub keep_events_days: Option<String>,

    /// Days for which deliveries that have reached their end are kept [default: 90]
    #[arg(
        long,
        env = "ALERTS_KEEP_DELIVERIES_DAYS",
        alias = "alerts-keep-deliveries-days",
        value_name = "DAYS"
    )]
    pub keep_deliveries_days: Option<String>,

    /// Days for which attempts, with what was sent and answered, are kept [default: 30]
    #[arg(
        long,
        env = "ALERTS_KEEP_ATTEMPTS_DAYS",
        alias = "alerts-keep-attempts-days",
        value_name = "DAYS"
    )]
    pub keep_attempts_days: Option<String>,

    /// Alert rules that a namespace may have
    ///
    /// 1000 when it is not set. One more is answered with 409.
    #[arg(long, env = "ALERTS_MAX_RULES", alias = "alerts-max-rules", value_name = "COUNT")]
    pub max_rules: Option<String>,

    /// Webhook endpoints that a namespace may have
    ///
    /// 1000 when it is not set. One more is answered with 409.
    #[arg(long, env = "ALERTS_MAX_WEBHOOKS", alias = "alerts-max-webhooks", value_name = "COUNT")]
    pub max_webhooks: Option<String>,

    /// API keys that a namespace may have
    ///
    /// 1000 when it is not set. One more is answered with 409.
    #[arg(long, env = "ALERTS_MAX_API_KEYS", alias = "alerts-max-api-keys", value_name = "COUNT")]
    pub max_api_keys: Option<String>,

    /// Where compiled plugins are kept between starts
    ///
    /// Made private to this user. By default `plugin-cache` beside the SQLite
    /// file, or with Postgres a folder among this user's caches.
    #[arg(long, env = "ALERTS_CACHE_DIR", alias = "alerts-cache-dir", value_name = "FOLDER")]
    pub cache_dir: Option<String>,

    /// Memory that a plugin may have for one call, in MiB [default: 64]
    ///
    /// For every plugin that is not granted something else by
    /// `PUT /v1/plugins/{id}/limits`. From 1 to 1024.
    #[arg(
        long,
        env = "ALERTS_PLUGIN_MEMORY_MIB",
        alias = "alerts-plugin-memory-mib",
        value_name = "MIB"
    )]
    pub plugin_memory_mib: Option<String>,

    /// Time that a target plugin may take for one call, in milliseconds [default: 500]
    ///
    /// For every target that is not granted something else by
    /// `PUT /v1/plugins/{id}/limits`. From 1 to 30000. Condition languages have
    /// 50 ms, since events wait for them.
    #[arg(
        long,
        env = "ALERTS_PLUGIN_DEADLINE_MS",
        alias = "alerts-plugin-deadline-ms",
        value_name = "MS"
    )]
    pub plugin_deadline_ms: Option<String>,

    /// Largest plugin file, in MiB [default: 32]
    ///
    /// From 4 to 256.
    #[arg(
        long,
        env = "ALERTS_PLUGIN_FILE_MIB",
        alias = "alerts-plugin-file-mib",
        value_name = "MIB"
    )]
    pub plugin_file_mib: Option<String>,

    /// Threads on which plugins run [default: one for each core, at least 2]
    ///
    /// From 2 to 256. More of them let more plugins be slow at once.
    #[arg(
        long,
        env = "ALERTS_PLUGIN_THREADS",
        alias = "alerts-plugin-threads",
        value_name = "THREADS"
    )]
    pub plugin_threads: Option<String>,

    /// What is logged, to standard error [default: info]
    ///
    /// A level, or a filter such as `info,alerts_engine=debug`.
    #[arg(long, env = "ALERTS_LOG", alias = "alerts-log", value_name = "FILTER")]
    pub log: Option<String>,

    /// How log lines look: text or json [default: text]
    #[arg(long, env = "ALERTS_LOG_FORMAT", alias = "alerts-log-format", value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// Show a company whose workflows run and fail, with receivers of its own, and print a
    /// link that signs in
    ///
    /// In a database of its own (`./data/demo.db`) unless one is given; in a new one the
    /// company's last day is lived through first. Opens 127.0.0.0/8 for the receivers.
    #[arg(long)]
    pub demo: bool,
}
