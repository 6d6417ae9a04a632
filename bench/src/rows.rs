//! What SQLite itself does with the rows of an event: one connection, nothing
//! around it, the same table, the same `synchronous = FULL`.

use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};

use crate::Outcome;
use crate::events::failed_run;
use crate::host::folder;

/// Rows of one commit, as the store groups them.
const GROUP: usize = 64;

/// Rows a second, `GROUP` in a statement and a commit.
pub(crate) async fn batched(rows: usize) -> Outcome<f64> {
    rate(rows, GROUP).await
}

/// Rows a second, each in a commit of its own.
pub(crate) async fn one_by_one(rows: usize) -> Outcome<f64> {
    rate(rows, 1).await
}

async fn rate(rows: usize, group: usize) -> Outcome<f64> {
    let folder = folder()?;
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.path().join("rows.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    connection.execute(include_str!("../../migrations/sqlite/0001_base.sql")).await?;
    let place = "(?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let text = format!(
        "INSERT INTO events (tenant, id, source, event_id, event_type, received_at, body,
            matches, pending_rules) VALUES {}
         ON CONFLICT (tenant, source, event_id) DO NOTHING",
        vec![place; group].join(", ")
    );
    let bodies: Vec<String> = (0..rows).map(|n| failed_run(n, "workflow.failed")).collect();
    let started = Instant::now();
    for (index, bodies) in bodies.chunks_exact(group).enumerate() {
        insert(&mut connection, &text, index * group, bodies).await?;
    }
    let took = started.elapsed().max(Duration::from_nanos(1));
    connection.close().await?;
    Ok((rows / group * group) as f64 / took.as_secs_f64())
}

async fn insert(
    connection: &mut SqliteConnection,
    text: &str,
    first: usize,
    bodies: &[String],
) -> Outcome {
    let mut query = sqlx::query(AssertSqlSafe(text));
    for (index, body) in bodies.iter().enumerate() {
        let number = first + index;
        query = query
            .bind("bench")
            .bind(format!("evt_{number:026}"))
            .bind("/v0/namespace/bench")
            .bind(format!("evt-{number:012}"))
            .bind("workflow.failed")
            .bind(1_800_000_000_000_000 + number as i64)
            .bind(body.as_bytes())
            .bind("[]")
            .bind(None::<String>);
    }
    // One statement is one commit.
    query.execute(connection).await?;
    Ok(())
}
