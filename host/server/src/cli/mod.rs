//! The command line. Each command is one file.

#![expect(clippy::print_stderr, reason = "who typed a command is told of its progress and failure")]

mod audit;
mod backup;
mod client;
mod configuration;
mod event;
mod health;
mod keys;
mod listen;
mod logging;
mod migrate;
mod openapi;
mod plugin;
mod progress;
mod restore;
mod serve;
mod signals;
mod tenant;
mod welcome;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use alerts_store::Store;
use clap::{Parser, Subcommand};

use crate::builtin::{self, COMPILE_ARGUMENT};
use crate::settings::{Database, ServeArgs, SettingError};

/// Turns workflow events into signed, durable, retried webhook notifications.
#[derive(Parser)]
#[command(name = "exosphere-alerts", version = BUILD.as_str(), arg_required_else_help = true, after_help = AFTER)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What `--version` shows: the release, and which build of it.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    // Set by `cargo xtask build`; a build by hand may be of anything.
    let commit = option_env!("ALERTS_BUILD_COMMIT").unwrap_or("unknown");
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let kind = if cfg!(debug_assertions) { "development" } else { "release" };
    format!("{} (commit {commit}, {kind} build for {os} {arch})", env!("CARGO_PKG_VERSION"))
});

const AFTER: &str = "\
To see it work, with a receiver, rules and events of its own:
  exosphere-alerts serve --demo

To begin, with everything in ./data; it prints a key and three requests to copy:
  exosphere-alerts serve

`exosphere-alerts serve --help` explains each setting. Every flag has an
environment variable, and a flag wins over its variable.";

#[derive(Subcommand)]
enum Command {
    Apply(configuration::Apply),
    /// Serve the API and deliver alerts
    ///
    /// Each flag has an environment variable of the same name, shown beside it; a
    /// flag wins over its variable. SIGINT or SIGTERM ends it in good order: no
    /// request is taken any more, attempts that run are finished, and what waits
    /// is left for the next start. A second signal ends it at once.
    Serve(Box<ServeArgs>),
    #[command(subcommand)]
    Audit(audit::Command),
    Backup(backup::Backup),
    /// Print the JSON Schema of configuration files, for editors
    ConfigurationSchema,
    #[command(subcommand)]
    Event(event::Command),
    Export(configuration::Export),
    /// Ask a running host on this machine whether it is ready
    ///
    /// Ends with 0 if it is; else with 1, and says which parts are not. For health checks
    /// of containers, which have nothing else in the image to ask with.
    Health(health::Health),
    #[command(subcommand)]
    Keys(keys::Command),
    Listen(Box<listen::Listen>),
    Migrate(migrate::Migrate),
    /// Print the API's description (OpenAPI 3.1), to make clients from
    Openapi,
    #[command(subcommand)]
    Plugin(plugin::Command),
    Restore(restore::Restore),
    #[command(subcommand)]
    Tenant(Box<tenant::Command>),
    /// Compiles a plugin from standard input; only this program itself asks for it.
    #[command(hide = true)]
    CompilePlugin,
    /// Writes a copy of this program with its plugins in compiled form; `cargo xtask
    /// build` asks for it.
    #[command(hide = true)]
    BundlePlugins {
        /// Where to.
        into: PathBuf,
    },
}

/// Why a command ended badly.
#[derive(Debug)]
enum Failure {
    /// Wrong settings: told by name.
    Settings(Vec<SettingError>),
    /// Anything else.
    Other(String),
}

impl Failure {
    fn other(error: impl std::fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<Vec<SettingError>> for Failure {
    fn from(errors: Vec<SettingError>) -> Self {
        Self::Settings(errors)
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::Settings(vec![error])
    }
}

/// Runs the command that the process was started with. Its exit code: 0 when
/// all went well, 2 for wrong settings or arguments, 1 for anything else.
pub fn main() -> ExitCode {
    // Before anything else: the child that compiles an untrusted file has no
    // business with threads, settings or logs.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == COMPILE_ARGUMENT) {
        return alerts_sandbox::compile_child_main();
    }
    let ran = match Cli::parse().command {
        Command::Serve(args) => serve::run(*args),
        Command::Apply(apply) => match configuration::apply(apply) {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Audit(command) => audit::run(command),
        Command::Backup(backup) => backup::run(backup),
        Command::ConfigurationSchema => configuration::print_schema(),
        Command::Event(command) => event::run(command),
        Command::Export(export) => configuration::export(export),
        Command::Health(health) => health::run(health),
        Command::Keys(command) => keys::run(command),
        Command::Listen(listen) => listen::run(*listen),
        Command::Migrate(migrate) => migrate::run(migrate),
        Command::Openapi => openapi::run(),
        Command::Plugin(command) => plugin::run_command(command),
        Command::Restore(restore) => restore::run(restore),
        Command::Tenant(command) => tenant::run(*command),
        Command::BundlePlugins { into } => builtin::bundle(&into).map_err(Failure::other),
        Command::CompilePlugin => return alerts_sandbox::compile_child_main(),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Settings(errors)) => {
            for error in errors {
                eprintln!("exosphere-alerts: {error}");
            }
            ExitCode::from(2)
        }
        Err(Failure::Other(error)) => {
            eprintln!("exosphere-alerts: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The runtime of commands that wait for something.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| Failure::Other(format!("the threads did not start: {error}")))
}

/// The database of a command that does not make one.
async fn existing_store(database: &Database) -> Result<Store, Failure> {
    if let Database::Sqlite { file, .. } = database
        && !file.exists()
    {
        let (file, advice) = (file.display(), "name the database that the host uses");
        let problem = format!("there is no database at {file}");
        return Err(SettingError::new("ALERTS_DATABASE_URL", problem, advice).into());
    }
    Store::open(database.url()).await.map_err(Failure::other)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn secrets_do_not_show_in_the_help() {
        let mut command = Cli::command();
        let serve = command.find_subcommand_mut("serve").unwrap();
        for secret in ["encryption_keys", "bootstrap_key", "database_url"] {
            let argument = serve.get_arguments().find(|argument| argument.get_id() == secret);
            assert!(argument.unwrap().is_hide_env_values_set(), "{secret}");
        }
    }
}
