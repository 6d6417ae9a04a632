//! A move brings every row of every table to Postgres, as it was, and nothing else.

use alerts_domain::delivery::{DeliveryStatus, Lease};
use alerts_domain::tenant::TenantId;
use alerts_store::{AuditCheck, MoveError, MoveStep, Moved, Store, move_to_postgres};
use alerts_test_support::postgres::fresh_database;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};

use crate::fixture::{Db, ada, at, entry, host, in_hand, scheduled};

/// What is about hosts that live is not moved: there are none.
const LEFT: [&str; 3] = ["hosts", "news", "news_watches"];

async fn moved(from: &str, to: &str) -> Result<Moved, MoveError> {
    move_to_postgres(from, to, at(9), &mut |_| ()).await
}

/// A stopped host's database.
async fn stopped() -> Db {
    let db = Db::sqlite().await;
    scheduled(&db, &ada(), "1").await;
    db.note(&ada(), &entry("thing.done"), at(1)).await.unwrap();
    db
}

/// A move that ends once it has told of this.
async fn cut_off(from: &str, to: &str, once: impl Fn(&MoveStep) -> bool + Sync) {
    let (cut, mut is_cut) = tokio::sync::oneshot::channel();
    let mut cut = Some(cut);
    let mut tell = |step: MoveStep| {
        if once(&step)
            && let Some(cut) = cut.take()
        {
            cut.send(()).unwrap();
        }
    };
    tokio::select! {
        biased;
        _ = &mut is_cut => {}
        ended = move_to_postgres(from, to, at(9), &mut tell) => panic!("{ended:?}"),
    }
}

/// Closes the store, so that the file is nobody's.
async fn released(db: Db) -> (String, tempfile::TempDir) {
    db.released().await
}

async fn connect(url: &str) -> AnyConnection {
    AnyConnection::connect(url).await.unwrap()
}

async fn run(connection: &mut AnyConnection, statement: String) {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap();
}

async fn rows(connection: &mut AnyConnection, statement: &str) -> Vec<AnyRow> {
    sqlx::query(AssertSqlSafe(statement.to_owned())).fetch_all(connection).await.unwrap()
}

/// Every table, with its columns and their types.
async fn tables(connection: &mut AnyConnection) -> Vec<(String, Vec<(String, String)>)> {
    let names = rows(
        connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 1) <> '_'
            AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name",
    )
    .await;
    let mut tables = Vec::new();
    for row in &names {
        let name: String = row.get("name");
        let columns = format!("SELECT name, type FROM pragma_table_info('{name}') ORDER BY cid");
        let columns = rows(connection, &columns).await;
        let columns = columns.iter().map(|row| (row.get("name"), row.get("type"))).collect();
        tables.push((name, columns));
    }
    tables
}

/// A row as text, whatever the columns' types.
fn told(row: &AnyRow, columns: &[(String, String)]) -> Vec<String> {
    let value = |index: usize, kind: &str| match kind {
        "TEXT" => format!("{:?}", row.get::<Option<String>, _>(index)),
        "BLOB" => format!("{:?}", row.get::<Option<Vec<u8>>, _>(index)),
        _ => format!("{:?}", row.get::<Option<i64>, _>(index)),
    };
    columns.iter().enumerate().map(|(index, (_, kind))| value(index, kind)).collect()
}

async fn contents(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[(String, String)],
) -> Vec<Vec<String>> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let found = rows(connection, &format!("SELECT {} FROM {table}", names.join(", "))).await;
    let mut told: Vec<_> = found.iter().map(|row| told(row, columns)).collect();
    told.sort();
    told
}

/// A new table is in here by itself, and so is a new column: it need not be named.
#[tokio::test]
async fn every_column_of_every_table_arrives_as_it_was() {
    let db = stopped().await;
    let mut connection = db.connection().await;
    let tables = tables(&mut connection).await;
    assert!(tables.len() > 20);
    run(&mut connection, "PRAGMA foreign_keys = OFF".to_owned()).await;
    for (table, columns) in tables.iter().filter(|(table, _)| table != "audit") {
        // What COPY reads as something else: ends of columns and rows, and its null.
        for (number, text) in [(7, "'a' || char(9, 10, 13, 92) || 'N ''ß'"), (8, "'\\N'")] {
            let values = columns.iter().map(|(name, kind)| match kind.as_str() {
                "TEXT" => text.to_owned(),
                "BLOB" => format!("x'00ff5c0a0{number}'"),
                _ if name == "is_listed" => "1".to_owned(),
                _ => number.to_string(),
            });
            let values: Vec<String> = values.collect();
            run(&mut connection, format!("INSERT INTO {table} VALUES ({})", values.join(", ")))
                .await;
        }
    }
    connection.close().await.unwrap();
    let (from, _folder) = released(db).await;
    let to = fresh_database().await;
    let done = moved(&from, &to).await.unwrap();
    assert_eq!(done.tables, tables.len() - LEFT.len());

    let (mut source, mut target) = (connect(&from).await, connect(&to).await);
    for (table, columns) in &tables {
        let mut expected = contents(&mut source, table, columns).await;
        let mut found = contents(&mut target, table, columns).await;
        assert!(!expected.is_empty(), "{table}");
        if LEFT.contains(&table.as_str()) {
            expected.clear();
        }
        if ["audit", "tenants"].contains(&table.as_str()) {
            // The host's own log says that it was moved.
            found.retain(|row| row[0] != format!("{:?}", Some("*")));
        }
        if table == "deliveries" {
            // The one that the fixture has made has entered the indexes.
            expected.iter_mut().for_each(|row| *row.last_mut().unwrap() = "Some(1)".to_owned());
        }
        assert_eq!(found, expected, "{table}");
    }
    // Numbers that rows have are not given out again.
    run(&mut target, "INSERT INTO stats_tallies (tally) VALUES ('{}')".to_owned()).await;
}

#[tokio::test]
async fn what_the_stopped_host_held_is_due_at_the_new_place_and_the_audit_goes_on() {
    let (db, holder) = (stopped().await, host());
    db.heartbeat(holder, at(30)).await.unwrap();
    let held = in_hand(&db, &ada(), "2", Lease { host: holder, fence: 1 }).await;
    let (from, _folder) = released(db).await;
    let to = fresh_database().await;
    assert_eq!(moved(&from, &to).await.unwrap().deliveries_freed, 1);

    let new = Store::open(&to).await.unwrap();
    let (read, _) = new.get_delivery(&ada(), held.id).await.unwrap().unwrap();
    assert_eq!((read.status, read.next_attempt_at), (DeliveryStatus::Scheduled, Some(at(9))));
    assert_eq!(new.claim_due(at(9), host(), &[], 9, 9).await.unwrap().len(), 2);
    new.note(&ada(), &entry("thing.done"), at(10)).await.unwrap();
    assert_eq!(new.verify_audit(&ada()).await.unwrap(), AuditCheck::Intact { entries: 2 });
    let log = new.list_audit(&TenantId::host(), 9, None).await.unwrap();
    assert_eq!(log.items[0].action, "database.moved");
}

#[tokio::test]
async fn a_move_that_is_cut_off_goes_on_and_no_host_starts_before_it_is_done() {
    let db = stopped().await;
    let mut connection = db.connection().await;
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
        INSERT INTO gone_counts SELECT 'ada', 'wh', 'rule-' || i, i FROM n";
    run(&mut connection, many.to_owned()).await;
    connection.close().await.unwrap();
    let (from, _folder) = released(db).await;
    let to = fresh_database().await;

    let amid =
        |step: &MoveStep| matches!(step, MoveStep::Copied { table, .. } if table == "gone_counts");
    cut_off(&from, &to, amid).await;
    let refused = Store::open(&to).await.unwrap_err().to_string();
    assert!(refused.contains("not whole there yet"), "{refused}");

    let mut begun = None;
    let mut tell = |step| {
        if let MoveStep::Begun { goes_on, rows, .. } = step {
            begun = Some((goes_on, rows));
        }
    };
    let done = move_to_postgres(&from, &to, at(9), &mut tell).await.unwrap();
    let (goes_on, rows) = begun.unwrap();
    assert!(goes_on && rows >= 5_000 && rows < done.rows, "{rows}");
    let mut target = connect(&to).await;
    let counted = &self::rows(&mut target, "SELECT count(*) AS n FROM gone_counts").await[0];
    assert_eq!(counted.get::<i64, _>("n"), 12_000);
    Store::open(&to).await.unwrap();
}

#[tokio::test]
async fn a_source_on_which_a_host_has_worked_since_is_moved_from_its_beginning() {
    let (from, _folder) = released(stopped().await).await;
    let to = fresh_database().await;
    let mut target = connect(&to).await;
    cut_off(&from, &to, |step| matches!(step, MoveStep::Begun { .. })).await;
    run(
        &mut target,
        "INSERT INTO api_keys VALUES ('old', NULL, 'n', 'r', 'd', 'c', 0, NULL)".to_owned(),
    )
    .await;
    run(&mut target, "UPDATE _alerts_move SET progress = '{\"api_keys\":{\"rows\":1,\"after\":null,\"is_done\":true}}'".to_owned()).await;
    let db = Store::open(&from).await.unwrap();
    db.heartbeat(host(), at(20)).await.unwrap();
    scheduled(&db, &ada(), "later").await;
    db.close().await;
    drop(db);
    moved(&from, &to).await.unwrap();
    assert!(self::rows(&mut target, "SELECT id FROM api_keys").await.is_empty());
    assert_eq!(self::rows(&mut target, "SELECT id FROM events").await.len(), 2);
}

#[tokio::test]
async fn a_target_that_is_not_empty_or_of_another_schema_is_refused_and_left_as_it_is() {
    let (from, _folder) = released(stopped().await).await;
    let another = fresh_database().await;
    run(&mut connect(&another).await, "CREATE TABLE users (id INT)".to_owned()).await;
    let error = moved(&from, &another).await.unwrap_err();
    assert!(matches!(error, MoveError::NotEmpty { .. }), "{error}");
    assert!(error.to_string().contains("users"), "{error}");

    let used = Db::postgres().await;
    // A host that was started and stopped has left no more than its tables.
    scheduled(&used, &ada(), "mine").await;
    let error = moved(&from, &used.url).await.unwrap_err();
    assert!(error.to_string().contains("there are rows in `deliveries`"), "{error}");

    let newer = Db::postgres().await;
    let future =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9001, 'from the future', true, '\\x00', 0)";
    run(&mut newer.connection().await, future.to_owned()).await;
    let error = moved(&from, &newer.url).await.unwrap_err();
    assert!(matches!(error, MoveError::WrongSchema { .. }), "{error}");
    assert!(error.to_string().contains("9001"), "{error}");

    let nowhere = "postgres://u:geheim@127.0.0.1:1/alerts";
    let error = moved(&from, nowhere).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1/alerts") && !error.contains("geheim"), "{error}");
    for url in [&another, &used.url, &newer.url] {
        let marks = "SELECT 1 FROM pg_tables WHERE tablename = '_alerts_move'";
        assert!(self::rows(&mut connect(url).await, marks).await.is_empty(), "{url}");
    }
    // Tables alone are no data.
    moved(&from, &Db::postgres().await.url).await.unwrap();
}

#[tokio::test]
async fn a_source_that_a_host_has_open_or_that_is_not_there_is_refused() {
    let (db, to) = (stopped().await, fresh_database().await);
    let error = moved(&db.url, &to).await.unwrap_err();
    assert!(error.to_string().contains("another host has it open"), "{error}");
    let nowhere = format!("{}.gone", db.url);
    assert!(matches!(moved(&nowhere, &to).await.unwrap_err(), MoveError::NoSource(_)));
    assert!(!std::path::Path::new(nowhere.trim_start_matches("sqlite://")).exists());
}

#[tokio::test]
async fn a_row_that_postgres_would_not_take_is_named() {
    let db = stopped().await;
    let mut connection = db.connection().await;
    run(&mut connection, "UPDATE deliveries SET attempt_count = 'many'".to_owned()).await;
    connection.close().await.unwrap();
    let (from, _folder) = released(db).await;
    let error = moved(&from, &fresh_database().await).await.unwrap_err().to_string();
    assert!(error.contains("deliveries") && error.contains("attempt_count"), "{error}");
}
