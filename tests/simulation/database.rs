//! The database under a run: new for each, and broken and mended from outside,
//! with SQL, while the hosts work on it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use alerts_domain::Timestamp;
use alerts_domain::id::{DeliveryId, HostId};
use alerts_store::Store;
use alerts_test_support::postgres::fresh_database;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};

use crate::faults::Outage;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// The one that `cargo xtask simulate` asks for.
    pub(crate) fn by_hand() -> Self {
        match std::env::var("ALERTS_SIMULATE_DATABASE").as_deref() {
            Ok("postgres") => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    /// What to add to `cargo xtask simulate`.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " --database postgres",
        }
    }
}

/// The databases of many runs.
pub(crate) enum Databases {
    /// One that is made once and copied for each run.
    Sqlite(tempfile::TempDir),
    /// Those that no run uses now: on one server it is faster to empty a database
    /// than to make one.
    Postgres(Mutex<Vec<String>>),
}

impl Databases {
    pub(crate) async fn new(kind: Kind) -> Self {
        if kind == Kind::Postgres {
            return Self::Postgres(Mutex::default());
        }
        // In memory where that is possible: what a disk would do is not in question.
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let folder = folder.unwrap();
        let url = sqlite_url(&folder.path().join("template.db"));
        Store::open(&url).await.unwrap().close().await;
        make_breakable(&url, Kind::Sqlite).await;
        Self::Sqlite(folder)
    }

    /// An empty one.
    pub(crate) async fn one(&self) -> Database {
        match self {
            Self::Sqlite(all) => {
                let folder = tempfile::tempdir_in(all.path()).unwrap();
                let path: PathBuf = folder.path().join("alerts.db");
                std::fs::copy(all.path().join("template.db"), &path).unwrap();
                Database::at(sqlite_url(&path), Some(folder)).await
            }
            Self::Postgres(free) => {
                let used = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(url) = used else {
                    let url = fresh_database().await;
                    Store::open(&url).await.unwrap().close().await;
                    make_breakable(&url, Kind::Postgres).await;
                    return Database::at(url, None).await;
                };
                let mut database = Database::at(url, None).await;
                let tables = tables(&mut database.connection, Kind::Postgres).await.join(", ");
                database
                    .execute(format!("TRUNCATE {tables}, simulated_outage, simulated_deadlocks"))
                    .await;
                database
            }
        }
    }

    /// A run that went well gives its database back.
    pub(crate) async fn give_back(&self, database: Database) {
        database.connection.close().await.unwrap();
        if let Self::Postgres(free) = self {
            free.lock().unwrap_or_else(PoisonError::into_inner).push(database.url);
        }
    }
}

fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// All tables that hosts write to.
async fn tables(connection: &mut AnyConnection, kind: Kind) -> Vec<String> {
    let all = match kind {
        Kind::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Kind::Postgres => {
            "SELECT table_name::text AS name FROM information_schema.tables
             WHERE table_schema = 'public'"
        }
    };
    let rows = connection.fetch_all(all).await.unwrap();
    let names = rows.iter().map(|row| row.get::<String, _>("name"));
    let is_own = |name: &String| {
        !["sqlite_", "_sqlx_", "simulated_"].iter().any(|other| name.starts_with(other))
    };
    names.filter(is_own).collect()
}

/// Prepares a database so that it can be made to refuse writes: with triggers,
/// which do nothing until a table is named in `simulated_outage`. Then what writes
/// to it gets the database's own error for a full disk: from SQLite in the middle
/// of a transaction, which it ends; from Postgres at the commit. There the connection
/// can be lost instead, and writes are victims of a deadlock, as many as
/// `simulated_deadlocks` says.
async fn make_breakable(url: &str, kind: Kind) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let tables = tables(&mut connection, kind).await;
    assert!(tables.len() > 15, "{tables:?}");
    let mut statements = vec!["CREATE TABLE simulated_outage (name TEXT NOT NULL)".to_owned()];
    match kind {
        Kind::Sqlite => {
            // A table whose numbers are used up is full, as SQLite sees it.
            statements.push(
                "CREATE TABLE simulated_disk (number INTEGER PRIMARY KEY AUTOINCREMENT);
                 INSERT INTO simulated_disk VALUES (9223372036854775807);"
                    .to_owned(),
            );
            for table in &tables {
                for change in ["INSERT", "UPDATE", "DELETE"] {
                    statements.push(format!(
                        "CREATE TRIGGER simulated_{change}_{table} AFTER {change} ON {table}
                         WHEN EXISTS (SELECT 1 FROM simulated_outage WHERE name IN ('*', '{table}'))
                         BEGIN INSERT INTO simulated_disk VALUES (NULL); END"
                    ));
                }
            }
        }
        Kind::Postgres => {
            statements.push(
                "CREATE FUNCTION simulated_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF EXISTS (SELECT 1 FROM simulated_outage WHERE name = 'commit') THEN
                        PERFORM pg_terminate_backend(pg_backend_pid());
                    END IF;
                    IF EXISTS (SELECT 1 FROM simulated_outage WHERE name IN ('*', TG_TABLE_NAME))
                    THEN
                        RAISE EXCEPTION 'the disk is full (simulated)' USING ERRCODE = '53100';
                    END IF;
                    RETURN NULL;
                 END $$"
                    .to_owned(),
            );
            // What a sequence has counted stays counted when the transaction is undone.
            statements.extend([
                "CREATE TABLE simulated_deadlocks (victims BIGINT NOT NULL)".to_owned(),
                "CREATE SEQUENCE simulated_victim".to_owned(),
                "CREATE FUNCTION simulated_deadlock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF EXISTS (SELECT 1 FROM simulated_deadlocks)
                       AND nextval('simulated_victim') <= (SELECT victims FROM simulated_deadlocks)
                    THEN
                        RAISE EXCEPTION 'deadlock detected (simulated)' USING ERRCODE = '40P01';
                    END IF;
                    RETURN NULL;
                 END $$"
                    .to_owned(),
            ]);
            for table in &tables {
                statements.push(format!(
                    "CREATE CONSTRAINT TRIGGER simulated AFTER INSERT OR UPDATE OR DELETE ON {table}
                     DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION simulated_disk()"
                ));
                statements.push(format!(
                    "CREATE TRIGGER simulated_deadlock AFTER INSERT OR UPDATE OR DELETE ON {table}
                     FOR EACH ROW EXECUTE FUNCTION simulated_deadlock()"
                ));
            }
        }
    }
    for statement in statements {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// The database of one run.
pub(crate) struct Database {
    url: String,
    /// Beside those of the hosts.
    connection: AnyConnection,
    /// Deleted with it.
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    async fn at(url: String, folder: Option<tempfile::TempDir>) -> Self {
        let connection = AnyConnection::connect(&url).await.unwrap();
        Self { url, connection, _folder: folder }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// From now on it refuses these writes, and no others.
    pub(crate) async fn refuse(&mut self, outage: Option<Outage>) {
        self.execute("DELETE FROM simulated_outage".to_owned()).await;
        let tables: &[&str] = match outage {
            None => return,
            Some(Outage::Commits) if self.is_shared() => &["commit"],
            Some(Outage::Everything | Outage::Commits) => &["*"],
            Some(Outage::Heartbeats) => &["hosts"],
            Some(Outage::Results) => &["attempts"],
        };
        let names = tables.join("'), ('");
        self.execute(format!("INSERT INTO simulated_outage VALUES ('{names}')")).await;
    }

    /// The next so many writes are victims of a deadlock: the host must try them again.
    pub(crate) async fn deadlock(&mut self, victims: usize) {
        let statements = [
            "DELETE FROM simulated_deadlocks".to_owned(),
            "ALTER SEQUENCE simulated_victim RESTART".to_owned(),
            format!("INSERT INTO simulated_deadlocks VALUES ({victims})"),
        ];
        for statement in statements {
            self.execute(statement).await;
        }
    }

    /// What hosts other than this one hold at this moment, under leases that last.
    pub(crate) async fn held_by_others(&mut self, host: HostId, now: Timestamp) -> Vec<DeliveryId> {
        let leased = format!(
            "SELECT deliveries.id AS id FROM deliveries JOIN hosts ON hosts.id = lease_host
             WHERE status = 'leased' AND lease_host <> '{host}' AND lease_until > {}",
            now.as_microsecond()
        );
        let rows = self.connection.fetch_all(AssertSqlSafe(leased)).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("id").parse().unwrap()).collect()
    }

    async fn execute(&mut self, statement: String) {
        self.connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
}
