//! `exosphere-alerts backup`: a copy of the database, while a host works on it.

use std::path::PathBuf;

use alerts_store::{Contents, back_up};
use indicatif::{HumanBytes, HumanCount};

use super::{Failure, runtime};
use crate::say::say;
use crate::settings::{Database, encryption_key_file};

/// Back up a host's SQLite database, while the host works
///
/// Takes all that is stored at one moment, and nothing waits for it. The file is
/// written beside its name and read back: its pages, its tables, and every audit log
/// from the first entry on. Only then it gets its name, for this user alone. One that
/// is there is never written over.
///
///   exosphere-alerts backup --out "alerts-$(date +%F).backup"
///
/// The encryption key is not in it: keep `encryption.key` (or ALERTS_ENCRYPTION_KEYS)
/// as well, and apart from it. Without the key the endpoints' secrets are gone;
/// together the two are as good as plain text.
///
/// `exosphere-alerts restore` makes a database of it. Postgres has `pg_dump`.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Backup {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The host's database [default: sqlite://data/alerts.db]
    #[arg(long, env = "ALERTS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
}

/// Postgres has tools of its own, which do it better than a client could.
const WITH_PG_DUMP: &str =
    "ALERTS_DATABASE_URL names Postgres, which makes its own backups, also while hosts work:

  pg_dump --format=custom --no-owner --file=alerts.dump \"$ALERTS_DATABASE_URL\"

and restores them, into a new and empty database and before a host is started on it:

  pg_restore --no-owner --exit-on-error --dbname=\"$ALERTS_DATABASE_URL\" alerts.dump

Keep ALERTS_ENCRYPTION_KEYS as well, and apart from it: the keys are not in the dump";

pub(super) fn run(Backup { out, database_url }: Backup) -> Result<(), Failure> {
    let database = Database::parse_or_default(&database_url)?;
    let Database::Sqlite { url, file } = &database else {
        return Err(Failure::Other(WITH_PG_DUMP.to_owned()));
    };
    let made = runtime()?.block_on(back_up(url, &out)).map_err(Failure::other)?;
    let contents = made.contents;
    let bytes = HumanBytes(contents.bytes);
    say(format_args!("{}: {bytes}, read back whole", out.display()));
    say(format_args!("  {}", summary(&contents)));
    for (tenant, seq) in &contents.audit.broken {
        say(format_args!(
            "  the audit log of `{tenant}` is broken from entry {seq} on, as it is in the database"
        ));
    }
    if !contents.key_ids.is_empty() {
        let ids = contents.key_ids.join("`, `");
        let kept = encryption_key_file(file);
        let kept = match kept.exists() {
            true => kept.display().to_string(),
            false => "ALERTS_ENCRYPTION_KEYS".to_owned(),
        };
        say(format_args!(
            "its secrets are encrypted with `{ids}`, which is not in it: keep {kept} as well, and \
             apart from it"
        ));
    }
    Ok(())
}

/// What a backup holds, in a line.
pub(super) fn summary(contents: &Contents) -> String {
    let count = |table: &str| HumanCount(contents.rows.get(table).copied().unwrap_or(0));
    format!(
        "{} webhook endpoints, {} alert rules, {} events, {} deliveries, {} API keys; {} audit logs \
         with {} entries",
        count("webhook_endpoints"),
        count("alert_rules"),
        count("events"),
        count("deliveries"),
        count("api_keys"),
        contents.audit.logs,
        count("audit"),
    )
}
