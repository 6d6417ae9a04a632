//! `exosphere-alerts audit`: looks at a stopped host's audit log.

use alerts_domain::tenant::TenantId;
use alerts_store::AuditCheck;

use super::{Failure, existing_store, runtime};
use crate::say::say;
use crate::settings::Database;

/// Stands for the host's own log.
const HOST: &str = "*";

/// Look at the audit log
#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Verify that no entry of a tenant's audit log was altered or taken out
    ///
    /// Ends with 0 if it is whole, with 1 if it is not. With SQLite the host must
    /// be stopped; a running one answers `GET /v1/audit/verify`.
    Verify {
        /// The tenant's name; `*` for the host's own log
        #[arg(long, value_name = "NAME")]
        tenant: String,
        /// Where everything is kept [default: sqlite://data/alerts.db]
        #[arg(long, env = "ALERTS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
        database_url: Option<String>,
    },
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command::Verify { tenant, database_url } = command;
    let tenant = match tenant.as_str() {
        HOST => TenantId::host(),
        name => TenantId::new(name).map_err(|error| Failure::other(error.detail))?,
    };
    let database = Database::parse_or_default(&database_url)?;
    runtime()?.block_on(verify(&tenant, &database))
}

async fn verify(tenant: &TenantId, database: &Database) -> Result<(), Failure> {
    let store = existing_store(database).await?;
    let found = store.verify_audit(tenant).await.map_err(Failure::other);
    store.close().await;
    match found? {
        AuditCheck::Intact { entries } => {
            say(format_args!("intact: {entries} entries of `{tenant}`, each as it was written"));
            Ok(())
        }
        AuditCheck::Broken { seq } => Err(Failure::Other(format!(
            "the audit log of `{tenant}` is broken: entry {seq} was altered or taken out"
        ))),
    }
}
