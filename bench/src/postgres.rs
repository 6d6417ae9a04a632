//! The same host on Postgres: how much it delivers, how quickly, and what the
//! database writes into its log for it.

use std::time::Duration;

use alerts_test_support::postgres::{Cluster, StartError};
use sqlx::{Connection as _, PgConnection};

use crate::Outcome;
use crate::deliver::{ENDPOINTS, Posts};
use crate::events::failed_run;
use crate::host::{self, Host, folder, free_address};
use crate::latency;
use crate::peer::Peer;
use crate::report::{Report, per_second, percent};

/// A key for secrets that nobody needs to keep.
const KEYS: &str = "bench:YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNoYmU=";
/// After so long the server has told what idle connections did.
const TOLD_AFTER: Duration = Duration::from_secs(11);

/// `sqlite` is what the host delivers on SQLite.
pub(crate) async fn measure(events: usize, sqlite: f64, report: &mut Report) -> Outcome {
    let cluster = match Cluster::start_durable() {
        Ok(cluster) => cluster,
        Err(error @ StartError::NotInstalled) => {
            println!("bench: nothing on Postgres: {error}");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let receiver = Peer::start(&["receiver"]).await?;
    let (folder, address) = (folder()?, free_address()?);
    let mut command = host::command(folder.path(), &address)?;
    command.env("ALERTS_DATABASE_URL", cluster.url()).env("ALERTS_ENCRYPTION_KEYS", KEYS);
    let host = Host::run(command, address).await?;
    let types = host.make_rules(&receiver.address, ENDPOINTS).await?;
    let mut server = PgConnection::connect(&cluster.url()).await?;
    let posts = Posts { address: &host.address, post: Host::post(), batch: 1, types: &types };
    let before = Written::so_far(&mut server).await?;
    let delivered = posts.rate(&receiver, events).await?;
    let all = Written::so_far(&mut server).await?.since(&before);
    report.add(
        "end to end, Postgres, one host",
        per_second(delivered, "deliveries"),
        per_second(sqlite, "on SQLite"),
        percent(delivered, sqlite),
        "≥ 50%",
    );
    // What warmed it up is among them.
    let deliveries = (events + events / 10) as f64;
    let body = failed_run(0, &types[0]).len() as f64;
    let (log, commits) = (all.log_bytes / deliveries, all.commits / deliveries);
    report.add(
        "Postgres: log written for a delivery",
        format!("{:.2} KiB, {commits:.3} commits", log / 1024.0),
        format!("{:.2} KiB, the event itself", body / 1024.0),
        format!("{:.2} KiB beyond it", (log - body) / 1024.0),
        "≤ 1.8 KiB beyond it; ≤ 0.05 commits",
    );
    let rate = delivered / 2.0;
    report.add(
        "posted → first byte on Postgres, at half of peak",
        latency::at(&host, &receiver, &types, rate).await?,
        per_second(rate, "events"),
        "",
        "p50 ≤ 5 ms",
    );
    Ok(())
}

/// What the server has done since it was made.
struct Written {
    log_bytes: f64,
    commits: f64,
}

impl Written {
    async fn so_far(server: &mut PgConnection) -> Outcome<Self> {
        tokio::time::sleep(TOLD_AFTER).await;
        let (log_bytes, commits) = sqlx::query_as(
            "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8,
                (SELECT xact_commit::float8 FROM pg_stat_database
                 WHERE datname = current_database())",
        )
        .fetch_one(server)
        .await?;
        Ok(Self { log_bytes, commits })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            log_bytes: self.log_bytes - before.log_bytes,
            commits: self.commits - before.commits,
        }
    }
}
