//! Changing the keys that encrypt secrets at rest, from the command line.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use alerts_domain::Timestamp;
use alerts_domain::endpoint::{EndpointSecrets, EndpointSpec, WebhookEndpoint};
use alerts_domain::id::EndpointId;
use alerts_domain::keyring::{Keyring, Sealed};
use alerts_domain::quota::Quotas;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_store::{AuditEntry, Store};
use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::process::{HostProcess, binary, command, ended, free_address, refused, well};
use crate::support::receiver::Receiver;

/// `keys rotate` on the database in `folder`.
fn rotation(folder: &Path) -> Command {
    let mut command = Command::new(binary());
    let url = format!("sqlite://{}", folder.join("alerts.db").display());
    command.args(["keys", "rotate"]).env("ALERTS_DATABASE_URL", url).current_dir(folder);
    command
}

fn key_file(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("encryption.key")).unwrap().trim().to_owned()
}

fn key(id: &str, seed: u8) -> String {
    Keyring::generate(id, std::array::from_fn(|index| seed.wrapping_add(index as u8)))
}

/// An endpoint with a rule, whose answer is kept for repetitions.
async fn endpoint(api: &Api, receiver: &Receiver) -> Value {
    let endpoint = created_once(api, receiver).await;
    api.rule(&endpoint, json!({})).await;
    endpoint
}

async fn created_once(api: &Api, receiver: &Receiver) -> Value {
    let body = json!({"name": "On call", "target_url": receiver.url("/hook")});
    api.with("idempotency-key", Some("k-1")).post("/v1/webhooks", body).await.expect(201)
}

/// The next event's alert is signed with the secret that the endpoint was made with.
async fn still_signs(api: &Api, receiver: &Receiver, endpoint: &Value, event: usize) {
    api.event(failed(&format!("evt-{event}"))).await;
    let received = receiver.wait_for(event).await;
    let library = standardwebhooks::Webhook::new(endpoint["secret"].as_str().unwrap()).unwrap();
    library.verify(&received[event - 1].body, &received[event - 1].headers).unwrap();
}

#[tokio::test]
async fn on_sqlite_a_new_key_takes_the_place_of_the_old_one_in_its_file() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let folder = folder.path();
    let host = HostProcess::start(folder, None).await;
    let made = endpoint(&host.api("payments"), &receiver).await;
    let before = key_file(folder);
    assert!(refused(&ended(&mut rotation(folder))).contains("another host has it open"));
    assert_eq!(key_file(folder), before);
    assert_eq!(host.terminate(), Some(0));

    let told = well(&ended(&mut rotation(folder)));
    assert!(told.contains("all 2 values are under `k2`; 2 were brought there now"), "{told}");
    assert!(key_file(folder).starts_with("k2:") && !key_file(folder).contains(','));

    let host = HostProcess::start(folder, None).await;
    let api = host.api("payments");
    still_signs(&api, &receiver, &made, 1).await;
    assert_eq!(created_once(&api, &receiver).await, made, "the kept answer opens as well");
    let operator = api.with("x-exosphere-namespace", None);
    let log = operator.get("/v1/audit").await.expect(200);
    let rotated = log["data"].as_array().unwrap().iter().find(|entry| entry["resource"] == "k2");
    let rotated = rotated.unwrap();
    assert_eq!(
        (&rotated["actor"], &rotated["action"], &rotated["detail"]),
        (
            &json!("command_line"),
            &json!("encryption_keys.rotated"),
            &json!({"from": ["k1"], "values": 2})
        )
    );
    assert_eq!(operator.get("/v1/audit/verify").await.expect(200)["intact"], true);
}

#[tokio::test]
async fn a_key_that_does_not_open_what_is_stored_changes_nothing() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let folder = folder.path();
    let host = HostProcess::start(folder, None).await;
    let made = endpoint(&host.api("payments"), &receiver).await;
    assert_eq!(host.terminate(), Some(0));
    let good = key_file(folder);
    let rotate_with =
        |keys: &str| refused(&ended(rotation(folder).env("ALERTS_ENCRYPTION_KEYS", keys)));

    let wrong = rotate_with(&format!("{},{}", key("k2", 1), key("k1", 2)));
    assert!(wrong.contains(made["id"].as_str().unwrap()), "{wrong}");
    assert!(wrong.contains("does not decrypt") && wrong.contains("nothing was changed"), "{wrong}");
    let missing = rotate_with(&format!("{},{}", key("k3", 1), key("k2", 2)));
    assert!(missing.contains("encrypted with key `k1`, which is not in"), "{missing}");
    let alone = rotate_with(&good);
    assert!(alone.contains("put a new one before it"), "{alone}");
    let elsewhere = rotation(folder).env("ALERTS_DATABASE_URL", "sqlite://other.db").output();
    assert!(refused(&elsewhere.unwrap()).contains("there is no database"));

    let host = HostProcess::start(folder, None).await;
    still_signs(&host.api("payments"), &receiver, &made, 1).await;
}

/// As many endpoints as take a rotation many transactions.
async fn fill(folder: &Path, ring: &Keyring, endpoints: u32) {
    let url = format!("sqlite://{}", folder.join("alerts.db").display());
    let (store, now, tenant) =
        (Store::open(&url).await.unwrap(), Timestamp::now(), TenantId::new("payments").unwrap());
    for number in 0..endpoints {
        let id = EndpointId::new(now, number.into());
        let secrets = EndpointSecrets {
            signing: Secret::new("a signing secret of the test"),
            previous_signing: None,
            url: None,
            named: Default::default(),
        };
        let place = EndpointSecrets::associated_data(&tenant, id);
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&number.to_be_bytes());
        let plain = serde_json::to_vec(&secrets).unwrap();
        let endpoint = WebhookEndpoint {
            id,
            tenant: tenant.clone(),
            spec: EndpointSpec {
                name: "On call".into(),
                target_url: "https://example.com/hook".into(),
                target: "http".into(),
                settings: Default::default(),
                headers: Default::default(),
                is_active: true,
                include_event_data: false,
                rate_limit: None,
                gone_after: 1,
            },
            sealed_secrets: ring.seal(&plain, &place, nonce),
            version: 1,
            managed_by: None,
            created_by: "test".into(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        let entry = AuditEntry {
            actor: "test".into(),
            action: "webhook.created".into(),
            resource: id.to_string(),
            detail: json!({}),
        };
        store.create_endpoint(&endpoint, &Quotas::default(), &entry, now).await.unwrap();
    }
    store.close().await;
}

/// The ids of the keys that the endpoints' secrets are under, all of them opened.
async fn keys_in_use(folder: &Path) -> Vec<String> {
    let ring = Keyring::parse(&key_file(folder)).unwrap();
    let url = format!("sqlite://{}", folder.join("alerts.db").display());
    let (store, tenant) = (Store::open(&url).await.unwrap(), TenantId::new("payments").unwrap());
    let endpoints = store.active_tenant(&tenant).await.unwrap().endpoints;
    let mut ids: Vec<String> = Vec::new();
    for endpoint in &endpoints {
        let place = EndpointSecrets::associated_data(&tenant, endpoint.id);
        ring.open(&endpoint.sealed_secrets, &place).unwrap();
        ids.push(id_of(&endpoint.sealed_secrets));
    }
    assert!(!ids.is_empty());
    ids.sort();
    ids.dedup();
    store.close().await;
    ids
}

fn id_of(sealed: &Sealed) -> String {
    sealed.as_str().split('.').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_rotation_that_is_killed_loses_nothing_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("encryption.key"), key("k1", 1)).unwrap();
    fill(folder, &Keyring::parse(&key("k1", 1)).unwrap(), 500).await;

    let mut rotating = rotation(folder).stderr(Stdio::piped()).spawn().unwrap();
    // The first transaction is committed once it is told of.
    let progress = BufReader::new(rotating.stderr.take().unwrap()).lines().next();
    assert!(progress.unwrap().unwrap().contains("of 500 brought under `k2`"));
    rotating.kill().unwrap();
    rotating.wait().unwrap();

    // Whatever it got to, every secret opens with the keys in the file.
    let in_use = keys_in_use(folder).await;
    assert!(in_use.contains(&"k2".to_owned()), "{in_use:?}");
    let told = well(&ended(&mut rotation(folder)));
    assert!(told.contains("all 500 values are under `k"), "{told}");
    let last = key_file(folder);
    assert!(!last.contains(','), "the old key is gone");
    assert_eq!(keys_in_use(folder).await, [last.split(':').next().unwrap()]);
}

#[tokio::test]
async fn on_postgres_the_keys_change_while_hosts_work() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let (folder, url) = (folder.path(), fresh_database().await);
    let cache = folder.join("plugin-cache");
    let (old, new) = (key("old", 1), key("new", 2));
    let both = format!("{new},{old}");
    let host = async |keys: &str| {
        let mut settings = command(folder);
        settings.env("ALERTS_DATABASE_URL", &url).env("ALERTS_ENCRYPTION_KEYS", keys);
        settings.env("ALERTS_CACHE_DIR", &cache);
        HostProcess::start_with(settings, free_address()).await
    };
    let rotate = |keys: &str| {
        let mut command = rotation(folder);
        ended(command.env("ALERTS_DATABASE_URL", &url).env("ALERTS_ENCRYPTION_KEYS", keys))
    };
    let first = host(&old).await;
    let made = endpoint(&first.api("payments"), &receiver).await;
    assert_eq!(first.terminate(), Some(0));

    let working = host(&both).await;
    let api = working.api("payments");
    still_signs(&api, &receiver, &made, 1).await;
    let told = well(&rotate(&both));
    assert!(told.contains("all 2 values are under `new`; 2 were brought there now"), "{told}");
    still_signs(&api, &receiver, &made, 2).await;
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    api.patch(&path, json!({"name": "Renamed"})).await.expect(200);
    let told = well(&rotate(&both));
    assert!(told.contains("all 2 values are under `new`; 0 were brought there now"), "{told}");
    assert_eq!(working.terminate(), Some(0));

    // Nothing needs the old key any more.
    let last = host(&new).await;
    let api = last.api("payments");
    still_signs(&api, &receiver, &made, 3).await;
    assert_eq!(created_once(&api, &receiver).await["secret"], made["secret"]);
    let log = api.with("x-exosphere-namespace", None).get("/v1/audit").await.expect(200);
    let actions: Vec<_> = log["data"].as_array().unwrap().iter().map(|e| &e["action"]).collect();
    assert!(actions.contains(&&json!("encryption_keys.rotation_started")), "{actions:?}");
}
