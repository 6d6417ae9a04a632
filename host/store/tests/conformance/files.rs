//! Who may read the files, and what a host needs to be allowed on Postgres.

use std::os::unix::fs::PermissionsExt as _;

use alerts_store::Store;
use alerts_test_support::postgres::fresh_database;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::fixture::{ada, event};

#[tokio::test]
async fn what_a_host_makes_on_disk_is_its_users_own() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep").join("data");
    let url = format!("sqlite://{}", data.join("alerts.db").display());
    let db = Store::open(&url).await.unwrap();
    db.accept(vec![event(&ada(), "1")]).await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for name in ["alerts.db", "alerts.db-wal", "alerts.db-shm", "alerts.db.lock"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_role_that_may_not_make_tables_can_start_on_tables_that_are_current() {
    let url = fresh_database().await;
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let mut run = async |statement: String| {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
    };
    run(format!("CREATE ROLE {name} LOGIN")).await;
    run("REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned()).await;
    let mut limited = url::Url::parse(&url).unwrap();
    limited.set_username(&name).unwrap();
    let limited = String::from(limited);
    let refused = Store::open(&limited).await.unwrap_err();
    assert!(refused.to_string().contains("tables could not be brought up to date"), "{refused}");

    Store::open(&url).await.unwrap().close().await;
    run(format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}"))
        .await;
    let db = Store::open(&limited).await.unwrap();
    db.accept(vec![event(&ada(), "1")]).await.unwrap();
    db.close().await;
    run(format!("DROP OWNED BY {name}")).await;
    run(format!("DROP ROLE {name}")).await;
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named_without_its_password() {
    for url in [
        "postgres://127.0.0.1:1/db?user=app&password=geheim",
        "postgres://app:geheim@127.0.0.1:1/db",
        "postgres://app:%67eheim@127.0.0.1:1/db",
        "postgres://app:gehe/im@127.0.0.1:1/geheim",
        "host=127.0.0.1 port=1 user=app password=geheim",
    ] {
        let refused = format!("{:?}", Store::open(url).await.unwrap_err());
        assert!(!refused.contains("eheim"), "{refused}");
    }
}
