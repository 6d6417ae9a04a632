//! A SQLite host becomes one on Postgres, and whatever waited goes on from there.

use std::path::Path;
use std::process::{Command, Stdio};

use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::process::{HostProcess, binary, command, ended, free_address};
use crate::support::receiver::Receiver;

/// Rows that take a move some time: more than it moves at once, many times over.
const MANY: i64 = 120_000;

fn migrate(folder: &Path, to: &str) -> Command {
    let mut command = Command::new(binary());
    let url = format!("sqlite://{}", folder.join("alerts.db").display());
    command.args(["migrate", "--from", &url]).env("ALERTS_MIGRATE_TO", to);
    command
}

/// A host on Postgres with the keys of the SQLite one.
async fn on_postgres(folder: &Path, url: &str) -> HostProcess {
    let keys = std::fs::read_to_string(folder.join("encryption.key")).unwrap();
    let mut serve = command(folder);
    serve
        .env("ALERTS_DATABASE_URL", url)
        .env("ALERTS_ENCRYPTION_KEYS", keys.trim())
        .env("ALERTS_CACHE_DIR", folder.join("plugin-cache"));
    HostProcess::start_with(serve, free_address()).await
}

/// Events of another tenant, put in past the host.
async fn fill(folder: &Path) {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", folder.join("alerts.db").display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        INSERT INTO events SELECT 'archive', 'evt_' || i, '/s', i, 'note.written', 0, x'7b7d', '[]', NULL
        FROM n";
    sqlx::query(many).bind(MANY).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Waits until a move is in the midst of the events, which other rows come before.
async fn amid_the_events(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    loop {
        let count = "SELECT progress FROM _alerts_move";
        // Not there before it has begun.
        if let Ok(row) = connection.fetch_one(count).await {
            let progress: Value = serde_json::from_str(&row.get::<String, _>(0)).unwrap();
            let events = &progress["events"];
            if events["rows"].as_i64().is_some_and(|rows| rows > 0) {
                assert_eq!(events["is_done"], false, "it was too quick to be cut off");
                return;
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

async fn key_of(api: &Api) -> String {
    let made = api.post("/v1/api-keys", json!({"name": "kept", "role": "editor"})).await;
    made.expect(201)["key"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_sqlite_host_is_moved_by_a_killed_move_and_goes_on_with_what_was_waiting() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let (folder, to) = (folder.path(), fresh_database().await);
    let mut host = HostProcess::start(folder, None).await;
    let api = host.api("payments");
    receiver.answer("/hook", &[503]);
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    let policy = json!({"retry_policy":
        {"max_retries": 50, "strategy": "FIXED", "backoff_factor": 1000}});
    api.rule(&endpoint, policy).await;
    let key = key_of(&api).await;
    for number in 0..10 {
        api.event(failed(&format!("evt-{number}"))).await;
    }
    // Not each of them is tried: an endpoint that fails five times in a row is left alone.
    receiver.wait_for(1).await;
    assert_eq!(api.deliveries().await.len(), 10);
    let running = ended(&mut migrate(folder, &to));
    assert!(String::from_utf8_lossy(&running.stderr).contains("another host has it open"));
    host.kill();
    fill(folder).await;

    let mut moving = migrate(folder, &to);
    let mut moving = moving.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    amid_the_events(&to).await;
    moving.kill().unwrap();
    moving.wait().unwrap();
    let half = std::fs::read_to_string(folder.join("encryption.key")).unwrap();
    let mut early = command(folder);
    early.env("ALERTS_DATABASE_URL", &to).env("ALERTS_ENCRYPTION_KEYS", half.trim());
    early.env("ALERTS_LISTEN", free_address().to_string());
    let early = ended(&mut early);
    let told = String::from_utf8_lossy(&early.stderr);
    assert!(!early.status.success() && told.contains("not whole there yet"), "{told}");

    let done = ended(&mut migrate(folder, &to));
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{told}");
    assert!(told.contains("going on with a move that was cut off"), "{told}");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.contains("counted table by table") && said.contains("encryption.key"), "{said}");
    let again = ended(&mut migrate(folder, &to));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));

    receiver.answer("/hook", &[200]);
    let host = on_postgres(folder, &to).await;
    let api = host.api("payments");
    eventually("all that was waiting is delivered", async || {
        let deliveries = api.deliveries().await;
        assert_eq!(deliveries.len(), 10);
        deliveries.iter().all(|delivery| delivery["status"] == "delivered").then_some(())
    })
    .await;
    let signed = receiver.received().pop().unwrap();
    let library = standardwebhooks::Webhook::new(endpoint["secret"].as_str().unwrap()).unwrap();
    library.verify(&signed.body, &signed.headers).unwrap();
    // The keys of old work, repetitions are known, and the logs are whole and go on.
    let tenant = api.with("x-api-key", Some(&key)).with("x-exosphere-namespace", None);
    assert_eq!(tenant.get("/v1/webhooks").await.expect(200)["data"][0]["id"], endpoint["id"]);
    assert!(tenant.event(failed("evt-3")).await, "a repetition");
    for log in [&api, &api.with("x-exosphere-namespace", None)] {
        assert_eq!(log.get("/v1/audit/verify").await.expect(200)["intact"], true);
    }
    assert!(!tenant.event(failed("evt-new")).await);
    eventually("what is new is delivered", async || {
        let sent = receiver.received();
        sent.iter().any(|got| got.json()["event"]["id"] == "evt-new").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_target_that_cannot_be_used_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let host = HostProcess::start(folder.path(), None).await;
    assert_eq!(host.terminate(), Some(0));
    for (to, why) in [
        ("postgres://u:geheim@127.0.0.1:1/alerts", "127.0.0.1:1/alerts could not be opened"),
        ("sqlite://other.db", "a move goes to Postgres"),
    ] {
        let told = ended(&mut migrate(folder.path(), to));
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(told.contains(why) && !told.contains("geheim"), "{told}");
    }
    let nowhere =
        ended(migrate(&folder.path().join("none"), &fresh_database().await).stdin(Stdio::null()));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("there is no database at"));
}
