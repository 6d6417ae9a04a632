//! A host that is backed up while it works goes on, and so does what is restored of it.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::process::{HostProcess, binary, ended, refused, well};
use crate::support::receiver::Receiver;

/// A command on the database in `folder`.
fn command(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(binary());
    let url = format!("sqlite://{}", folder.join("alerts.db").display());
    command.arg(name).env("ALERTS_DATABASE_URL", url).env_remove("ALERTS_ENCRYPTION_KEYS");
    command
}

fn backup(folder: &Path, out: &Path) -> Output {
    ended(command(folder, "backup").arg("--out").arg(out))
}

fn restore(file: &Path, folder: &Path) -> Output {
    ended(command(folder, "restore").arg(file))
}

/// Posts events until it is told to stop; answers with the ids of those that were accepted.
async fn post(api: Api, name: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut accepted = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let id = format!("evt-{name}-{}", accepted.len());
        api.event(failed(&id)).await;
        accepted.push(id);
    }
    accepted
}

fn events_at(receiver: &Receiver, path: &str) -> HashSet<String> {
    let received = receiver.at(path);
    let ids = received.iter().map(|got| got.json()["event"]["id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_backed_up_under_load_goes_on_and_so_does_what_is_restored() {
    let (old, new, receiver) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Receiver::start().await);
    let host = HostProcess::start(old.path(), None).await;
    let api = host.api("payments");
    let delivering = api.endpoint(&receiver.url("/now"), json!({})).await;
    api.rule(&delivering, json!({})).await;
    // What goes here waits until the receiver is told otherwise.
    receiver.answer("/later", &[503]);
    let waiting = api.endpoint(&receiver.url("/later"), json!({})).await;
    let policy = json!({"retry_policy":
        {"max_retries": 50, "strategy": "FIXED", "backoff_factor": 1000}});
    api.rule(&waiting, policy).await;
    let before: Vec<String> = (0..20).map(|number| format!("before-{number}")).collect();
    for id in &before {
        api.event(failed(id)).await;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let posters: Vec<_> =
        (0..4).map(|name| tokio::spawn(post(api.clone(), name, stop.clone()))).collect();
    let under_way = receiver.received().len();
    receiver.wait_for(under_way + 50).await;
    let file = old.path().join("alerts.backup");
    let (folder, out) = (old.path().to_owned(), file.clone());
    let made = tokio::task::spawn_blocking(move || backup(&folder, &out)).await.unwrap();
    let told = well(&made);
    assert!(told.contains("read back whole") && told.contains("2 webhook endpoints"), "{told}");
    assert!(told.contains("`k1`") && told.contains("encryption.key"), "{told}");
    let at_backup = receiver.received().len();
    receiver.wait_for(at_backup + 20).await;
    stop.store(true, Ordering::Relaxed);
    let mut accepted = HashSet::new();
    for poster in posters {
        accepted.extend(poster.await.unwrap());
    }
    eventually("the host has delivered all that it has accepted", async || {
        accepted.is_subset(&events_at(&receiver, "/now")).then_some(())
    })
    .await;
    assert_eq!(host.terminate(), Some(0));

    let told = well(&restore(&file, new.path()));
    assert!(
        told.contains("is missing beside an existing database"),
        "the key is not in it: {told}"
    );
    std::fs::copy(old.path().join("encryption.key"), new.path().join("encryption.key")).unwrap();
    let earlier = receiver.at("/later").len();
    receiver.answer("/later", &[200]);
    let restored = HostProcess::start(new.path(), None).await;
    let api = restored.api("payments");
    eventually("what was waiting in the backup has left", async || {
        let later = receiver.at("/later");
        let left: HashSet<String> = later[earlier..]
            .iter()
            .map(|got| got.json()["event"]["id"].as_str().unwrap().to_owned())
            .collect();
        before.iter().all(|id| left.contains(id)).then_some(())
    })
    .await;
    // Signed with the secrets of old, and the log is whole and says what was done.
    let signed = receiver.at("/later").pop().unwrap();
    let library = standardwebhooks::Webhook::new(waiting["secret"].as_str().unwrap()).unwrap();
    library.verify(&signed.body, &signed.headers).unwrap();
    assert_eq!(api.get("/v1/audit/verify").await.expect(200)["intact"], true);
    let log = api.with("x-exosphere-namespace", None).get("/v1/audit").await.expect(200);
    let actions: Vec<&Value> =
        log["data"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert!(actions.contains(&&json!("database.restored")), "{actions:?}");
    api.event(failed("after")).await;
    eventually("it goes on", async || events_at(&receiver, "/now").contains("after").then_some(()))
        .await;
}

#[tokio::test]
async fn a_host_that_was_killed_is_backed_up_with_all_that_it_has_accepted() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut host = HostProcess::start(old.path(), None).await;
    host.api("payments").event(failed("evt-1")).await;
    host.kill();
    let file = old.path().join("alerts.backup");
    well(&backup(old.path(), &file));
    assert!(refused(&backup(old.path(), &file)).contains("is there already"));
    let told = well(&restore(&file, new.path()));
    assert!(told.contains("1 events"), "{told}");
}

#[tokio::test]
async fn what_cannot_be_restored_is_told_with_its_reason_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let (data, garbage) = (folder.path().join("data"), folder.path().join("garbage"));
    std::fs::write(&garbage, "SQLite format 3\0 and then something else").unwrap();
    let told = refused(&restore(&garbage, &data));
    assert!(told.contains("garbage is damaged") && told.contains("nothing was restored"), "{told}");
    assert!(!data.exists());
    let nothing = refused(&backup(&data, &folder.path().join("out")));
    assert!(nothing.contains("there is no database at"), "{nothing}");
    assert!(!data.exists());

    let url = ("ALERTS_DATABASE_URL", "postgres://u:geheim@127.0.0.1:1/alerts");
    let mut of_postgres = command(&data, "backup");
    let told = refused(&ended(of_postgres.args(["--out", "x"]).env(url.0, url.1)));
    assert!(told.contains("pg_dump --format=custom") && !told.contains("geheim"), "{told}");
    let mut to_postgres = command(&data, "restore");
    let told = refused(&ended(to_postgres.arg(&garbage).env(url.0, url.1)));
    assert!(told.contains("exosphere-alerts migrate") && !told.contains("geheim"), "{told}");

    std::fs::create_dir(&data).unwrap();
    let host = HostProcess::start(&data, None).await;
    let file = folder.path().join("good");
    well(&backup(&data, &file));
    let in_use = refused(&restore(&file, &data));
    assert!(in_use.contains("a host has") && in_use.contains("stop it"), "{in_use}");
    assert_eq!(host.terminate(), Some(0));
}

/// The commands of the page, as somebody would paste them.
#[tokio::test]
async fn the_commands_of_the_page_on_backups_do_what_it_says() {
    let page = include_str!("../../docs/backups.md");
    let folder = tempfile::tempdir().unwrap();
    let (data, safe) = (folder.path().join("data"), folder.path().join("safe"));
    std::fs::create_dir(&data).unwrap();
    std::fs::create_dir(&safe).unwrap();
    let host = HostProcess::start(&data, None).await;
    host.api("payments").event(failed("evt-1")).await;
    let to = fresh_database().await;
    let programs = binary().parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let paste = |block: &str| {
        let block = block
            .replace("/safe", &safe.display().to_string())
            .replace("postgres://alerts:password@db.internal/alerts", &to);
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &block]).current_dir(folder.path());
        well(&ended(bash.env("PATH", &path).env_remove("ALERTS_DATABASE_URL")))
    };
    let blocks: Vec<&str> =
        page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [backup, restore, migrate] = blocks[..] else { panic!("{blocks:?}") };
    assert!(paste(backup).contains("1 events"));
    assert_eq!(host.terminate(), Some(0));
    assert!(paste(restore).contains("1 events"));
    assert!(paste(migrate).contains("counted table by table"));
}
