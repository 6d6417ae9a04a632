//! `exosphere-alerts migrate`: from SQLite to Postgres.

use alerts_domain::Timestamp;
use alerts_store::{MoveError, MoveStep, Moved, move_to_postgres};
use indicatif::HumanCount;

use super::progress::Progress;
use super::{Failure, runtime};
use crate::say::say;
use crate::settings::{Database, SettingError, encryption_key_file};

/// Move a stopped host from SQLite to Postgres
///
/// All of it: endpoints, rules, events, deliveries with their attempts, API keys,
/// statistics, audit logs. What waits is sent from there.
///
///  1. Make an empty database: `createdb alerts`.
///  2. Stop the host.
///  3. exosphere-alerts migrate --to postgres://user:password@host/alerts
///     Better given by environment, as ALERTS_MIGRATE_TO: flags show in the list of
///     processes.
///  4. Start hosts with that URL as ALERTS_DATABASE_URL, and with what is in
///     `encryption.key` as ALERTS_ENCRYPTION_KEYS. Do not start one on the SQLite
///     file any more: it would send again what the others send.
///
/// Cut off half-way, run it again: it goes on where it was. Until all is there and
/// verified (the rows of every table counted, every audit log followed from its first
/// entry) no host starts on the target. The SQLite file stays as it is.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Migrate {
    /// Where everything is [default: sqlite://data/alerts.db]
    #[arg(long, env = "ALERTS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    from: Option<String>,
    /// The empty database to which it goes
    #[arg(long, env = "ALERTS_MIGRATE_TO", value_name = "URL", hide_env_values = true)]
    to: String,
}

pub(super) fn run(Migrate { from, to }: Migrate) -> Result<(), Failure> {
    let Database::Sqlite { url: from, file } = Database::parse_or_default(&from)? else {
        return Err(SettingError::new(
            "ALERTS_DATABASE_URL",
            "it names Postgres already, and a move begins at SQLite",
            "name the SQLite database with --from sqlite://…",
        )
        .into());
    };
    let mut progress = Progress::default();
    let mut tell = |step| match step {
        MoveStep::Begun { goes_on, rows, of } => {
            if goes_on {
                progress.note(&format!("going on with a move that was cut off, at row {rows}"));
            }
            progress.begin(rows, of);
        }
        MoveStep::Copied { table, rows, of } => progress.at(rows, of, &table),
        MoveStep::Verifying => progress.note("counting, and following the audit logs"),
    };
    let moved = runtime()?.block_on(move_to_postgres(&from, &to, Timestamp::now(), &mut tell));
    progress.end();
    let Moved { tables, rows, audit, deliveries_freed } = moved.map_err(failure)?;
    say(format_args!(
        "all {} rows of {tables} tables are there, counted table by table; {} audit logs with {} \
         entries are as they were written",
        HumanCount(rows),
        audit.logs - audit.broken.len(),
        audit.entries
    ));
    for (tenant, seq) in &audit.broken {
        say(format_args!(
            "the audit log of `{tenant}` is broken from entry {seq} on, as it was in SQLite"
        ));
    }
    say(format_args!("{deliveries_freed} deliveries that were on their way are due again"));
    let keys = encryption_key_file(&file);
    let keys = match keys.exists() {
        true => format!("ALERTS_ENCRYPTION_KEYS=\"$(cat {})\"", keys.display()),
        false => "the same ALERTS_ENCRYPTION_KEYS".to_owned(),
    };
    say(format_args!("start hosts with the target as ALERTS_DATABASE_URL and {keys}"));
    say(format_args!(
        "start none on {} any more: it would send again what they send",
        file.display()
    ));
    Ok(())
}

fn failure(error: MoveError) -> Failure {
    let advice = match error.is_resumable() {
        true => " (nothing is lost: run it again, and it goes on)",
        false => "",
    };
    Failure::Other(format!("{error}{advice}"))
}
