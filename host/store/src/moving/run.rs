//! The move itself, from the first look to the last count.

use alerts_domain::Timestamp;

use super::error::MoveError;
use super::source::Source;
use super::target::{Begun, Target};
use crate::audit_log::AuditLogs;

/// What a move is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveStep {
    /// It begins, or goes on where it was cut off.
    Begun {
        /// Whether it goes on.
        goes_on: bool,
        /// Rows that are there already.
        rows: u64,
        /// Rows in all.
        of: u64,
    },
    /// A batch is committed.
    Copied {
        /// Which table it was of.
        table: String,
        /// Rows that are there now.
        rows: u64,
        /// Rows in all.
        of: u64,
    },
    /// All rows are there, and are counted.
    Verifying,
}

/// A move that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Tables, all of which have as many rows as in the source.
    pub tables: usize,
    /// Their rows.
    pub rows: u64,
    /// The audit logs, followed from their first entry: the same as in the source.
    pub audit: AuditLogs,
    /// Deliveries that were on their way when the source was stopped. They are due again.
    pub deliveries_freed: u64,
}

/// Moves all that the stopped host at `from` (SQLite) has to the empty database at `to`
/// (Postgres), or goes on with that. `tell` is told of each step. The source stays as it
/// is, but for being brought to this release's tables.
pub async fn move_to_postgres(
    from: &str,
    to: &str,
    now: Timestamp,
    tell: &mut (dyn FnMut(MoveStep) + Send),
) -> Result<Moved, MoveError> {
    // The target first: what is wrong with it is told before anything is changed.
    let mut target = Target::connect(to).await?;
    let begun = target.look().await?;
    let mut source = Source::open(from).await?;
    let moved = all(&mut source, &mut target, begun, now, tell).await;
    // Its error is the one that counts.
    let closed = (source.close().await, target.close().await);
    let moved = moved?;
    closed.0?;
    closed.1?;
    Ok(moved)
}

async fn all(
    source: &mut Source,
    target: &mut Target,
    begun: Option<Begun>,
    now: Timestamp,
    tell: &mut (dyn FnMut(MoveStep) + Send),
) -> Result<Moved, MoveError> {
    let goes_on = target.begin(begun, source).await?;
    let of = source.rows();
    tell(MoveStep::Begun { goes_on, rows: target.progress.rows(), of });
    for table in source.tables.clone() {
        loop {
            let at = target.progress.of(&table.name);
            if at.is_done {
                break;
            }
            let rows = source.next(&table, &at).await?;
            target.take(&table, rows).await?;
            let rows = target.progress.rows();
            tell(MoveStep::Copied { table: table.name.clone(), rows, of });
        }
    }
    tell(MoveStep::Verifying);
    let audit = target.verify(source).await?;
    let deliveries_freed = target.finish(source, now).await?;
    Ok(Moved { tables: source.tables.len(), rows: of, audit, deliveries_freed })
}
