//! `exosphere-alerts serve`: the main job.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alerts_domain::address::AddressRules;
use alerts_domain::tenant::Rollout;
use alerts_engine::{EngineConfig, EngineParts, Entropy, Plugins, SystemClock};
use alerts_sandbox::{Sandbox, SandboxConfig, SandboxError};
use alerts_store::{Store, StoreError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;

use super::signals::Signals;
use super::{Failure, logging, runtime, welcome};
use crate::builtin;
use crate::connections::Tls;
use crate::demo::{self, Demo};
use crate::server::{Server, ServerOptions};
use crate::settings::{CacheDir, PluginSettings, ServeArgs, SettingError, Settings};

/// Between two looks at what is still compiled at the start.
const LOOK: Duration = Duration::from_millis(50);
/// How long an orderly end may take, all in all.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);
/// How long threads that are still at work are waited for at the very end.
const LAST_WAIT: Duration = Duration::from_millis(500);

pub(super) fn run(args: ServeArgs) -> Result<(), Failure> {
    let settings = match (Settings::read(&args), logging::start(&args)) {
        (Ok(settings), Ok(())) => settings,
        (read, logged) => {
            let wrong = read.err().into_iter().chain(logged.err()).flatten();
            return Err(Failure::Settings(wrong.collect()));
        }
    };
    let open_files = raise_open_files();
    let runtime = runtime()?;
    let served = runtime.block_on(serve(settings, open_files));
    runtime.shutdown_timeout(LAST_WAIT);
    served
}

async fn serve(mut settings: Settings, open_files: u64) -> Result<(), Failure> {
    if settings.demo {
        demo::adapt(&mut settings).map_err(Failure::other)?;
    }
    if let Some(folder) = &settings.plugins_dir {
        readable(folder)?;
    }
    // Early: two hosts on one port should not both look at the database.
    let listener = bind(&settings.listen).await?;
    let tls = settings.tls.map(Tls::open).transpose()?;
    let entropy = Entropy::from_system();
    // Before the database is made: a key is never made beside an existing one.
    let keyring = settings.encryption_keys.open(&entropy)?;
    let store = open(settings.database.url()).await?;
    match settings.rollout {
        Rollout::Off => tracing::warn!("ALERTS_ROLLOUT is off: events are stored, nothing is sent"),
        Rollout::Beta => tracing::info!("ALERTS_ROLLOUT is beta: open to tenants that are marked"),
        Rollout::Ga => {}
    }
    tracing::info!("loading plugins; the first start compiles them, which takes some seconds");
    let (cache_dir, limits) = (settings.cache_dir, settings.plugins);
    let sandbox = start_sandbox(cache_dir, limits)?;
    let config = EngineConfig {
        addresses: AddressRules::new(settings.allow_targets),
        name_servers: settings.name_servers,
        builtin: builtin::FILES,
        plugins_dir: settings.plugins_dir,
        rollout: settings.rollout,
        run_link: settings.run_link,
        retention: settings.retention,
        quotas: settings.quotas,
        rate_limit: settings.rate_limit,
        tenant_rate_limit: settings.tenant_rate_limit,
        max_in_flight: max_in_flight(open_files),
        ..EngineConfig::default()
    };
    let parts = || EngineParts {
        store: store.clone(),
        sandbox: sandbox.clone(),
        plugins: Plugins::default(),
        keyring: keyring.clone(),
        config: config.clone(),
        clock: Arc::new(SystemClock),
        entropy: Entropy::from_system(),
    };
    let demo = if settings.demo { Some(Demo::begin(parts()).await) } else { None };
    let demo = demo.transpose().map_err(Failure::other)?;
    let options = ServerOptions {
        limits: settings.connections.limits(open_files),
        site: settings.site,
        tls,
        exosphere: settings.exosphere,
    };
    let server = Server::start_with(listener, parts(), settings.bootstrap_key, options);
    let server = server.await.map_err(Failure::other)?;
    let mut signals = Signals::listen()?;
    tracing::info!(address = %server.address(), version = env!("CARGO_PKG_VERSION"), "serving");
    tokio::select! {
        biased;
        () = signals.next() => {}
        begun = begin(&server, demo.as_ref()) => {
            begun?;
            signals.next().await;
        }
    }
    tracing::info!("stopping; a second signal stops at once");
    signals.exit_at_next();
    server.shutdown(SHUTDOWN_DEADLINE).await;
    tracing::info!("stopped");
    Ok(())
}

/// Says how to go on, once what a newcomer would try at once can be done.
async fn begin(server: &Server, demo: Option<&Demo>) -> Result<(), Failure> {
    let mut told = false;
    loop {
        let compiling = server.engine().plugins().awaited().join(", ");
        if compiling.is_empty() {
            break;
        }
        if !told {
            tracing::info!(compiling, "plugins are compiled, once; /readyz says when all is ready");
            told = true;
        }
        tokio::time::sleep(LOOK).await;
    }
    match demo {
        None => welcome::print(&server.url(), server.made_key()),
        Some(demo) => demo.play(server).await.map_err(Failure::other)?,
    }
    Ok(())
}

async fn bind(listen: &str) -> Result<TcpListener, SettingError> {
    TcpListener::bind(listen).await.map_err(|error| {
        SettingError::new(
            "ALERTS_LISTEN",
            format!("{listen} cannot be listened on: {error}"),
            "stop what is there, or choose another address or port",
        )
    })
}

/// Told at the start; later the engine tells it in the log.
fn readable(folder: &Path) -> Result<(), SettingError> {
    std::fs::read_dir(folder).map(drop).map_err(|error| {
        SettingError::new(
            "ALERTS_PLUGINS_DIR",
            format!("the folder {} cannot be read: {error}", folder.display()),
            "name a folder that this user may read, or none",
        )
    })
}

async fn open(url: &str) -> Result<Store, Failure> {
    Store::open(url).await.map_err(|error| match error {
        StoreError::Url(_) | StoreError::Open { .. } => Failure::from(SettingError::new(
            "ALERTS_DATABASE_URL",
            error.to_string(),
            "mend that, or name another database",
        )),
        other => Failure::other(other),
    })
}

fn start_sandbox(cache: Option<CacheDir>, limits: PluginSettings) -> Result<Sandbox, Failure> {
    let program = builtin::program().map_err(|error| {
        Failure::Other(format!("this program does not find its own file: {error}"))
    })?;
    let config = |cache_dir| {
        let compiler = builtin::child_compiler(program.clone());
        let program = Some(program.clone());
        limits.apply(SandboxConfig { cache_dir, program, compiler, ..SandboxConfig::default() })
    };
    let is_chosen = cache.as_ref().is_some_and(|cache| cache.is_chosen);
    match Sandbox::new(config(cache.map(|cache| cache.path))) {
        Ok(sandbox) => Ok(sandbox),
        Err(error @ SandboxError::CacheDir { .. }) if is_chosen => Err(SettingError::new(
            "ALERTS_CACHE_DIR",
            error.to_string(),
            "name such a folder, or leave it out",
        )
        .into()),
        Err(error @ SandboxError::CacheDir { .. }) => {
            tracing::warn!(%error, "compiled plugins are not kept; each start compiles them anew");
            Sandbox::new(config(None)).map_err(Failure::other)
        }
        Err(error) => Err(Failure::other(error)),
    }
}

/// Takes as many open files as the system allows: connections are files. Says how many.
fn raise_open_files() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = current != maximum
        && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
            .inspect_err(|_| {
                tracing::warn!(?current, "the limit on open files could not be raised");
            })
            .is_ok();
    // None is without a limit.
    (if raised { maximum } else { current }).unwrap_or(u64::MAX)
}

/// How many attempts may run at once: half of the open files at most, the rest
/// is for callers and the database.
fn max_in_flight(open_files: u64) -> usize {
    let most = EngineConfig::default().max_in_flight;
    usize::try_from(open_files / 2).map_or(most, |half| half.clamp(2, most))
}
