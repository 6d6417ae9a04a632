//! API keys: once a revocation is answered, the key works nowhere; and who guesses
//! keys is a burden to nobody.

use std::sync::atomic::{AtomicBool, Ordering};

use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::support::api::Api;
use crate::support::eventually;
use crate::support::host::TestHost;

async fn new_key(api: &Api, name: &str) -> (String, String) {
    let body = json!({"name": name, "role": "viewer"});
    let made = api.post("/v1/api-keys", body).await.expect(201);
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// What a request with this key is answered.
async fn status_with(host: &TestHost, key: &str) -> u16 {
    host.api.with("x-api-key", Some(key)).get("/v1/webhooks").await.status
}

#[tokio::test]
async fn a_revoked_key_stays_revoked_whatever_is_read_meanwhile() {
    let host = TestHost::in_real_time().await;
    let mut keys = Vec::new();
    for number in 0..200 {
        keys.push(new_key(&host.api, &format!("key {number}")).await);
    }
    let done = AtomicBool::new(false);
    let listing = async || {
        while !done.load(Ordering::Relaxed) {
            host.api.get("/v1/api-keys?limit=200").await.expect(200);
        }
    };
    let revoking = async {
        for (id, key) in &keys[..100] {
            assert_eq!(status_with(&host, key).await, 200);
            let using = async {
                for _ in 0..5 {
                    status_with(&host, key).await;
                }
            };
            let revoked = async {
                host.api.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
                assert_eq!(status_with(&host, key).await, 401);
            };
            tokio::join!(using, revoked);
            assert_eq!(status_with(&host, key).await, 401);
        }
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(revoking, listing(), listing(), listing(), listing());
    for (_, key) in &keys[..100] {
        assert_eq!(status_with(&host, key).await, 401, "it works again");
    }
    for (_, key) in &keys[100..] {
        assert_eq!(status_with(&host, key).await, 200);
    }
}

#[tokio::test]
async fn a_key_revoked_on_one_host_works_on_no_other() {
    let url = fresh_database().await;
    let (first, second) = (TestHost::on(&url).await, TestHost::on(&url).await);
    for round in 0..3 {
        let (id, key) = new_key(&first.api, &format!("key {round}")).await;
        assert_eq!(status_with(&second, &key).await, 200, "known at once on every host");
        let done = AtomicBool::new(false);
        let using = async {
            while !done.load(Ordering::Relaxed) {
                status_with(&second, &key).await;
            }
        };
        let revoking = async {
            first.api.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
            let after = (status_with(&first, &key).await, status_with(&second, &key).await);
            done.store(true, Ordering::Relaxed);
            assert_eq!(after, (401, 401));
        };
        tokio::join!(using, revoking);
    }
}

#[tokio::test]
async fn keys_are_listed_newest_first_in_pages_of_their_own_tenant() {
    let host = TestHost::in_real_time().await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(new_key(&host.api, &format!("key {number}")).await.0);
    }
    new_key(&host.tenant("other"), "theirs").await;
    made.reverse();
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host.api.get(&format!("/v1/api-keys?limit=2{cursor}")).await.expect(200);
        let ids = page["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap());
        listed.extend(ids.map(str::to_owned));
        let Value::String(next) = &page["next_cursor"] else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, made);
}

#[tokio::test]
async fn who_guesses_keys_costs_reads_of_one_row_and_delays_no_caller() {
    const STORED: i64 = 5000;
    const GUESSES: usize = 2400;
    const AT_ONCE: usize = 60;
    let url = fresh_database().await;
    let mut host = TestHost::on(&url).await;
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    sqlx::query(
        "INSERT INTO api_keys (id, tenant, name, role, digest, created_by, created_at)
         SELECT 'key_' || lpad(n::text, 26, '0'), 'elsewhere', 'x', 'viewer',
                lpad(to_hex(n), 64, '0'), 'test', 0
         FROM generate_series(1, $1) AS n",
    )
    .bind(STORED)
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query("ANALYZE api_keys").execute(&pool).await.unwrap();
    let (_, key) = new_key(&host.api, "real").await;
    let before = reads_of_keys(&pool).await;
    let mut guessing = tokio::task::JoinSet::new();
    for from in 0..AT_ONCE {
        let api = host.api.clone();
        guessing.spawn(async move {
            for number in (from..GUESSES).step_by(AT_ONCE) {
                let guess = format!("exo_guess_{number}");
                let told = api.with("x-api-key", Some(&guess)).get("/v1/webhooks").await;
                assert_eq!(told.status, 401, "{}", told.text());
            }
        });
    }
    for _ in 0..200 {
        assert_eq!(status_with(&host, &key).await, 200);
    }
    while let Some(guessed) = guessing.join_next().await {
        guessed.unwrap();
    }
    host.api.get("/v1/api-keys").await.expect(200);
    // What a connection has read is told at the latest when it ends.
    host.restart().await;
    let after = eventually("the reads are told", async || {
        let after = reads_of_keys(&pool).await;
        (after.by_index >= before.by_index + GUESSES as i64).then_some(after)
    })
    .await;
    let whole = after.rows_in_scans - before.rows_in_scans;
    assert!(whole < 10 * STORED, "{whole} rows were read by looking through the whole table");
}

/// How the table of keys was read so far.
struct Reads {
    by_index: i64,
    rows_in_scans: i64,
}

async fn reads_of_keys(pool: &sqlx::AnyPool) -> Reads {
    let row = sqlx::query(
        "SELECT CAST(coalesce(sum(idx_scan), 0) AS BIGINT) AS by_index,
                CAST(coalesce(sum(seq_tup_read), 0) AS BIGINT) AS rows_in_scans
         FROM pg_stat_user_tables WHERE relname = 'api_keys'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    Reads { by_index: row.get("by_index"), rows_in_scans: row.get("rows_in_scans") }
}
