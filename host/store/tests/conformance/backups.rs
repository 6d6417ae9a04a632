//! A backup holds what was stored when it was made, and what is restored from it acts as
//! if no host had been there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use alerts_domain::delivery::{DeliveryStatus, Lease};
use alerts_domain::quota::Quotas;
use alerts_store::{AuditCheck, BackupError, Store, back_up, restore};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::fixture::{Db, ada, at, endpoint, entry, event, host, in_hand, scheduled};

fn url_of(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

/// A database with something of everything that matters here, and a backup of it.
async fn backed_up(folder: &Path) -> (Db, PathBuf) {
    let (db, file) = (Db::sqlite().await, folder.join("a.backup"));
    let change = entry("webhook.created");
    db.create_endpoint(&endpoint(&ada()), &Quotas::NONE, &change, at(0)).await.unwrap();
    scheduled(&db, &ada(), "1").await;
    back_up(&db.url, &file).await.unwrap();
    (db, file)
}

/// Changes a backup past the program.
async fn tamper(file: &Path, statement: &str) {
    let mut connection = sqlx::AnyConnection::connect(&url_of(file)).await.unwrap();
    connection.execute(sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))).await.unwrap();
    connection.close().await.unwrap();
}

/// Restoring is refused, and leaves nothing behind.
async fn refused(file: &Path) -> BackupError {
    let empty = tempfile::tempdir().unwrap();
    let data = empty.path().join("data");
    let url = url_of(&data.join("alerts.db"));
    let error = restore(file, &url, false, at(9)).await.unwrap_err();
    assert!(!data.exists(), "{error}");
    let told = error.to_string();
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(told.contains(name), "{told}");
    error
}

#[tokio::test]
async fn a_backup_is_made_beside_a_host_that_writes_and_is_private_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (db, file) = backed_up(folder.path()).await;
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing stands beside it");
    // What comes later is not in it, and the one that is there is not written over.
    db.accept(vec![event(&ada(), "2")]).await.unwrap();
    let again = back_up(&db.url, &file).await.unwrap_err();
    assert!(matches!(again, BackupError::Exists { .. }), "{again}");
    let later = back_up(&db.url, &folder.path().join("b.backup")).await.unwrap().contents;
    assert_eq!((later.rows["events"], later.rows["webhook_endpoints"]), (2, 1));
    assert_eq!((later.audit.logs, later.audit.entries), (1, 1));

    let url = url_of(&folder.path().join("new").join("alerts.db"));
    let restored = restore(&file, &url, false, at(9)).await.unwrap();
    assert_eq!(restored.contents.rows["events"], 1);
    let new = Store::open(&url).await.unwrap();
    assert_eq!(new.verify_audit(&ada()).await.unwrap(), AuditCheck::Intact { entries: 1 });
    assert_eq!(new.claim_due(at(9), host(), &[], 9, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_host_held_when_the_backup_was_made_is_due_where_it_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (db, holder) = (Db::sqlite().await, host());
    db.heartbeat(holder, at(30)).await.unwrap();
    let held = in_hand(&db, &ada(), "1", Lease { host: holder, fence: 1 }).await;
    let mut past = db.connection().await;
    let session = "INSERT INTO sessions (id, digest, api_key_id, role, created_at, expires_at)
        VALUES ('s', 'd', 'k', 'viewer', 0, 9000000000000000)";
    past.execute(session).await.unwrap();
    let file = folder.path().join("a.backup");
    back_up(&db.url, &file).await.unwrap();

    let url = url_of(&folder.path().join("alerts.db"));
    let restored = restore(&file, &url, false, at(9)).await.unwrap();
    assert_eq!((restored.deliveries_freed, restored.sessions_ended), (1, 1));
    let new = Store::open(&url).await.unwrap();
    let (read, _) = new.get_delivery(&ada(), held.id).await.unwrap().unwrap();
    assert_eq!((read.status, read.next_attempt_at), (DeliveryStatus::Scheduled, Some(at(9))));
    assert!(new.list_hosts().await.unwrap().is_empty());
    assert!(new.claim_due(at(9), host(), &[], 9, 9).await.unwrap()[0].lease.fence > 1);
    // The database that was backed up goes on as it was.
    let (read, _) = db.get_delivery(&ada(), held.id).await.unwrap().unwrap();
    assert_eq!(read.status, DeliveryStatus::Leased);
}

#[tokio::test]
async fn a_database_that_is_there_is_not_touched_whether_a_host_has_it_open_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let (db, file) = backed_up(folder.path()).await;
    let in_use = restore(&file, &db.url, false, at(9)).await.unwrap_err();
    assert!(matches!(in_use, BackupError::InUse(_)), "{in_use}");
    let other = folder.path().join("alerts.db");
    std::fs::write(&other, "mine").unwrap();
    let there = restore(&file, &url_of(&other), false, at(9)).await.unwrap_err();
    assert!(matches!(there, BackupError::Exists { .. }), "{there}");
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
}

#[tokio::test]
async fn what_is_no_backup_or_no_more_one_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (db, file) = backed_up(folder.path()).await;
    let named = |name: &str| folder.path().join(name);
    let bytes = std::fs::read(&file).unwrap();

    std::fs::write(named("text"), "not a database at all").unwrap();
    assert!(matches!(refused(&named("text")).await, BackupError::NotABackup { .. }));
    std::fs::write(named("empty"), "").unwrap();
    assert!(matches!(refused(&named("empty")).await, BackupError::NotABackup { .. }));
    assert!(matches!(refused(&named("nowhere")).await, BackupError::File { .. }));
    assert!(matches!(refused(folder.path()).await, BackupError::NotABackup { .. }));

    std::fs::write(named("cut"), &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(refused(&named("cut")).await, BackupError::Damaged { .. }));
    let mut scratched = bytes.clone();
    scratched[4096..].iter_mut().step_by(7).for_each(|byte| *byte ^= 0x55);
    std::fs::write(named("scratched"), scratched).unwrap();
    assert!(matches!(refused(&named("scratched")).await, BackupError::Damaged { .. }));

    std::fs::write(named("other.db"), "").unwrap();
    tamper(&named("other.db"), "CREATE TABLE users (id INTEGER PRIMARY KEY)").await;
    assert!(matches!(refused(&named("other.db")).await, BackupError::NotABackup { .. }));

    std::fs::copy(&file, named("newer")).unwrap();
    tamper(
        &named("newer"),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9001, 'from the future', true, x'00', 0)",
    )
    .await;
    let newer = refused(&named("newer")).await;
    assert!(matches!(newer, BackupError::OtherRelease { .. }), "{newer}");
    assert!(newer.to_string().contains("9001 (`from the future`)"), "{newer}");

    // A running host's own files, copied as they are.
    let own = db.url.trim_start_matches("sqlite://");
    std::fs::copy(own, named("live.db")).unwrap();
    std::fs::copy(format!("{own}-wal"), named("live.db-wal")).unwrap();
    let live = refused(&named("live.db")).await;
    assert!(live.to_string().contains("live.db-wal stands beside it"), "{live}");
}

#[tokio::test]
async fn a_backup_whose_audit_log_was_altered_is_restored_only_when_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (_db, file) = backed_up(folder.path()).await;
    tamper(&file, "UPDATE audit SET actor = 'nobody' WHERE tenant = 'ada' AND seq = 1").await;
    let broken = refused(&file).await;
    assert!(broken.to_string().contains("`ada`") && broken.to_string().contains("entry 1"));
    let url = url_of(&folder.path().join("alerts.db"));
    let restored = restore(&file, &url, true, at(9)).await.unwrap();
    assert_eq!(restored.contents.audit.broken, [(ada(), 1)]);
}

#[tokio::test]
async fn a_backup_of_an_older_release_is_brought_to_this_ones_tables() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.backup");
    std::fs::write(&file, "").unwrap();
    let mut connection = sqlx::SqliteConnection::connect(&url_of(&file)).await.unwrap();
    let mut oldest = sqlx::migrate!("../../migrations/sqlite");
    oldest.migrations.to_mut().truncate(8);
    oldest.run_direct(None, &mut connection, false).await.unwrap();
    connection.execute("INSERT INTO tenants (tenant, revision) VALUES ('ada', 7)").await.unwrap();
    connection.close().await.unwrap();

    let url = url_of(&folder.path().join("alerts.db"));
    restore(&file, &url, false, at(9)).await.unwrap();
    let new = Store::open(&url).await.unwrap();
    assert_eq!(new.revisions().await.unwrap(), [(ada(), 7)]);
    assert!(new.encryption_checks().await.unwrap().is_empty());
}
