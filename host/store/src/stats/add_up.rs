//! Adds tallies up into the rows that are shown, and removes them in the same
//! transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use alerts_domain::Timestamp;
use alerts_domain::stats::{Figures, Step};
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::batch::Column::{Number, Text};
use crate::batch::{Batch, Query};
use crate::counted_by::CountedBy;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text, us};
use crate::tally::{About, Tally};

/// Tallies that are read at once: those of a second under load.
const TALLIES: usize = 512;
/// Rows after which no further tally is taken into a transaction: some dozens of
/// milliseconds of the database's one writer.
const ROWS: usize = 2_000;
/// Types of events of one tenant that have a row of their own in one step. What types
/// there are, whoever posts events decides; what a platform has are a few dozen.
const EVENT_TYPES: usize = 100;
/// The row of all other types. No rule is about a type of this name alone.
const OTHER_TYPES: &str = "*";

/// What is known of a row before its figures.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    tenant: TenantId,
    by: CountedBy,
    step: Step,
    at: i64,
    subject: String,
}

type Rows = BTreeMap<Key, Figures>;

static READ: Batch = Batch::new(
    "SELECT tenant, counted_by, step, at, subject AS id, figures FROM stats
     WHERE (tenant, counted_by, step, at, subject) IN (",
    &[Text, Text, Text, Number, Text],
    ")",
);

static KEEP: Batch = Batch::new(
    "INSERT INTO stats (tenant, counted_by, step, at, subject, figures)",
    &[Text, Text, Text, Number, Text, Text],
    "ON CONFLICT (tenant, counted_by, step, at, subject) DO UPDATE SET figures = excluded.figures",
);

static TYPES: Batch = Batch::new(
    "SELECT tenant, step, at, count(*) AS types FROM stats
     WHERE counted_by = 'event_type' AND (tenant, step, at) IN (",
    &[Text, Text, Number],
    ") GROUP BY tenant, step, at",
);

static DONE: Batch = Batch::new("DELETE FROM stats_tallies WHERE seq IN (", &[Number], ")");

impl Store {
    /// Adds some hundred tallies up, those of other hosts too. Says whether there were
    /// more than are added up at once.
    pub async fn add_up_stats(&self) -> Result<bool, StoreError> {
        // The usual answer is none, which needs no transaction.
        let any = sqlx::query("SELECT 1 FROM stats_tallies LIMIT 1")
            .fetch_optional(self.background())
            .await?;
        if any.is_none() {
            return Ok(false);
        }
        // One host at a time: figures are read, added to and written back.
        let take_turn = self.dialect().take_turn();
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let turn = sqlx::query(take_turn).fetch_one(&mut *transaction).await?;
            if turn.try_get::<i64, _>("is_ours")? == 0 {
                // Another host is at it.
                return Ok(false);
            }
            let tallies = sqlx::query("SELECT seq, tally FROM stats_tallies ORDER BY seq LIMIT $1")
                .bind(TALLIES as i64)
                .fetch_all(&mut *transaction)
                .await?;
            let (taken, rows) = self.sum(&tallies)?;
            let known = self.known(&mut transaction, &rows).await?;
            let rows = within_types(&mut transaction, rows, &known).await?;
            keep(&mut transaction, rows, known).await?;
            DONE.execute(&mut transaction, &taken, |query, seq| query.bind(*seq)).await?;
            transaction.commit().await?;
            Ok(taken.len() == TALLIES || taken.len() < tallies.len())
        })
        .await
    }

    /// What tallies come to, and the numbers of those that are in it. One that does not
    /// read counts for nothing: what it counted is known to nobody else.
    fn sum(&self, tallies: &[AnyRow]) -> Result<(Vec<i64>, Rows), StoreError> {
        let (mut taken, mut rows) = (Vec::with_capacity(tallies.len()), Rows::new());
        for row in tallies {
            if rows.len() >= ROWS {
                break;
            }
            let (seq, text): (i64, String) = (row.try_get("seq")?, row.try_get("tally")?);
            taken.push(seq);
            match Tally::read(&text) {
                Ok(tally) => {
                    tally.iter().for_each(|(about, figures)| add(&mut rows, about, figures))
                }
                Err(error) => {
                    self.damaged_rows().put_aside(
                        "stats_tallies",
                        seq.to_string(),
                        error.to_string(),
                    );
                }
            }
        }
        Ok((taken, rows))
    }

    /// The rows that there are already, of these and of the types that stand for others.
    async fn known(&self, connection: &mut AnyConnection, rows: &Rows) -> Result<Rows, StoreError> {
        let mut keys: BTreeSet<Key> = rows.keys().cloned().collect();
        let types = rows.keys().filter(|key| key.by == CountedBy::EventType);
        keys.extend(types.map(of_other_types));
        let keys: Vec<Key> = keys.into_iter().collect();
        let mut wanted: HashMap<(String, &str, &str, i64, String), Key> = HashMap::new();
        for key in &keys {
            let Key { tenant, by, step, at, subject } = key;
            let named =
                (tenant.as_str().to_owned(), by.as_str(), step.as_str(), *at, subject.clone());
            wanted.insert(named, key.clone());
        }
        let found = READ.fetch(connection, &keys, bind_key).await?;
        let mut known = Rows::new();
        for row in &found {
            // One that does not read begins anew: nothing else knows what it was.
            let read =
                self.readable("stats", row, |row| Reader::new(row, "stats")?.json("figures"))?;
            let figures: Figures = read.unwrap_or_default();
            let (by, step): (String, String) = (row.try_get("counted_by")?, row.try_get("step")?);
            let named = (
                row.try_get("tenant")?,
                by.as_str(),
                step.as_str(),
                row.try_get("at")?,
                row.try_get("id")?,
            );
            if let Some(key) = wanted.get(&named) {
                known.insert(key.clone(), figures);
            }
        }
        Ok(known)
    }
}

/// Counts something in all rows that it belongs to.
fn add(rows: &mut Rows, about: &About, figures: &Figures) {
    let Ok(minute) = Timestamp::from_microsecond(about.minute) else { return };
    for (by, subject) in about.subjects() {
        let part = about.part_of(figures, by);
        if part == Figures::default() {
            continue;
        }
        for step in Step::ALL {
            let (tenant, at) = (about.tenant.clone(), us(step.beginning(minute)));
            let key = Key { tenant, by, step, at, subject: subject.clone() };
            rows.entry(key).or_default().add(&part);
        }
    }
}

fn of_other_types(key: &Key) -> Key {
    Key { subject: OTHER_TYPES.to_owned(), ..key.clone() }
}

/// The rows, with types for which there is no room in their step in that of all others.
async fn within_types(
    connection: &mut AnyConnection,
    rows: Rows,
    known: &Rows,
) -> Result<Rows, StoreError> {
    let is_new = |key: &Key| key.by == CountedBy::EventType && !known.contains_key(key);
    let steps: BTreeSet<(TenantId, Step, i64)> = rows
        .keys()
        .filter(|key| is_new(key))
        .map(|key| (key.tenant.clone(), key.step, key.at))
        .collect();
    if steps.is_empty() {
        return Ok(rows);
    }
    let steps: Vec<(TenantId, Step, i64)> = steps.into_iter().collect();
    let counts = TYPES
        .fetch(connection, &steps, |query, (tenant, step, at)| {
            query.bind(tenant.as_str().to_owned()).bind(step.as_str()).bind(*at)
        })
        .await?;
    let mut types: HashMap<(String, String, i64), usize> = HashMap::new();
    for row in &counts {
        let step = (row.try_get("tenant")?, row.try_get("step")?, row.try_get("at")?);
        let count: i64 = row.try_get("types")?;
        types.insert(step, usize::try_from(count).unwrap_or(usize::MAX));
    }
    let mut placed = Rows::new();
    for (key, figures) in rows {
        let mut key = key;
        if is_new(&key) && key.subject != OTHER_TYPES {
            let step = (key.tenant.as_str().to_owned(), key.step.as_str().to_owned(), key.at);
            let types = types.entry(step).or_default();
            match *types < EVENT_TYPES {
                true => *types += 1,
                false => key = of_other_types(&key),
            }
        }
        placed.entry(key).or_default().add(&figures);
    }
    Ok(placed)
}

/// Writes rows, with what they were before.
async fn keep(
    connection: &mut AnyConnection,
    rows: Rows,
    mut known: Rows,
) -> Result<(), StoreError> {
    let sums = rows.into_iter().map(|(key, figures)| {
        let mut sum = known.remove(&key).unwrap_or_default();
        sum.add(&figures);
        (key, json_text(&sum))
    });
    let sums: Vec<(Key, String)> = sums.collect();
    KEEP.execute(connection, &sums, |query, (key, figures)| {
        bind_key(query, key).bind(figures.clone())
    })
    .await?;
    Ok(())
}

fn bind_key(query: Query, key: &Key) -> Query {
    query
        .bind(key.tenant.as_str().to_owned())
        .bind(key.by.as_str())
        .bind(key.step.as_str())
        .bind(key.at)
        .bind(key.subject.clone())
}
