//! A Postgres for tests: a database of its own for each test, on a server that
//! is given or thrown away afterwards.

pub mod cluster;
pub mod proxy;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

pub use cluster::{Cluster, StartError};
pub use proxy::Proxy;

/// Names the server on which tests make their databases.
pub const URL_VARIABLE: &str = "ALERTS_TEST_POSTGRES_URL";

/// The URL of a new, empty database on the server that [`URL_VARIABLE`] names,
/// or on a cluster started for this process.
///
/// # Panics
///
/// When there is no server to be had: a test that cannot reach its database has failed.
pub async fn fresh_database() -> String {
    let server = server_url().unwrap_or_else(|error| panic!("{error}"));
    let name = unique_name();
    let created = async {
        let mut connection = PgConnection::connect(&server).await?;
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        connection.close().await
    };
    if let Err(error) = created.await {
        panic!("cannot create the test database {name} on {server}: {error}");
    }
    with_database(&server, &name)
}

/// The server that tests share: given, or started for this process.
fn server_url() -> Result<String, StartError> {
    if let Ok(url) = std::env::var(URL_VARIABLE) {
        return Ok(url);
    }
    // Never dropped; its guardian stops it when this process is gone.
    static SHARED: Mutex<Option<Cluster>> = Mutex::new(None);

    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cluster) = &*shared {
        return Ok(cluster.url());
    }
    let cluster = Cluster::start()?;
    let url = cluster.url();
    *shared = Some(cluster);
    Ok(url)
}

/// Differs between the processes of a test run and between runs on a kept server.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);

    let started_us = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("alerts_test_{}_{started_us}_{count}", std::process::id())
}

/// `server` with its database replaced, its parameters kept.
fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) = match server.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (server, String::new()),
    };
    let host_at = address.find("://").map_or(0, |scheme| scheme + 3);
    let address = match address[host_at..].find('/') {
        Some(path) => &address[..host_at + path],
        None => address,
    };
    format!("{address}/{name}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced_and_its_parameters_kept() {
        for (server, expected) in [
            ("postgres://u@h:1/old?sslmode=disable", "postgres://u@h:1/new?sslmode=disable"),
            ("postgres://u:p@h", "postgres://u:p@h/new"),
            ("postgres:///old", "postgres:///new"),
        ] {
            assert_eq!(with_database(server, "new"), expected);
        }
    }

    #[tokio::test]
    async fn each_test_gets_an_empty_database_of_its_own() {
        let (first, second) = (fresh_database().await, fresh_database().await);
        assert_ne!(first, second);
        for url in [first, second] {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            connection.execute("CREATE TABLE only_here (id INT)").await.unwrap();
            connection.close().await.unwrap();
        }
    }
}
