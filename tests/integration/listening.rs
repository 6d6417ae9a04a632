//! `exosphere-alerts listen`, as somebody uses it who writes a receiver.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use alerts_domain::secret::Secret;
use serde_json::{Value, json};

use crate::support::api::{Api, KEY};
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::process::{self, HostProcess, ended, free_address, refused};
use crate::support::receiver::Receiver;

const SHOP: &str = "shop";

/// The program while it listens.
struct Listener {
    process: Child,
    said: Arc<Mutex<Vec<String>>>,
}

fn listen(host: &HostProcess, more: &[&str]) -> Command {
    let mut command = Command::new(process::binary());
    command
        .arg("listen")
        .args(more)
        .env("ALERTS_URL", format!("http://{}", host.address))
        .env("ALERTS_KEY", KEY)
        .env("ALERTS_NAMESPACE", SHOP);
    command
}

impl Listener {
    async fn start(host: &HostProcess, more: &[&str]) -> Self {
        let mut command = listen(host, more);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let (lines, all) = (BufReader::new(process.stdout.take().unwrap()).lines(), said.clone());
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| all.lock().unwrap().push(line));
        });
        let listener = Self { process, said };
        listener.says("Ctrl-C ends").await;
        listener
    }

    /// The first line with this in it, once it is there.
    async fn says(&self, part: &str) -> String {
        eventually(part, async || {
            self.said.lock().unwrap().iter().find(|line| line.contains(part)).cloned()
        })
        .await
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// Where it listens.
    async fn address(&self) -> String {
        let line = self.says("listening at ").await;
        line.split(['/', ',', ' ']).find(|part| part.starts_with("127.0.0.1:")).unwrap().to_owned()
    }

    fn type_in(&mut self, line: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ctrl-C, and how it ends.
    fn interrupt(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn host(folder: &Path) -> HostProcess {
    HostProcess::start(folder, None).await
}

async fn listed(api: &Api, kind: &str) -> Vec<Value> {
    let listed = api.get(&format!("/v1/{kind}")).await.expect(200);
    listed["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn alerts_are_shown_checked_and_forwarded_and_nothing_is_left_behind() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let host = host(folder.path()).await;
    let api = host.api(SHOP);
    let url = receiver.url("/hook");
    let mut listener =
        Listener::start(&host, &["--forward", &url, "--event-type", "workflow.failed"]).await;
    assert_eq!(listed(&api, "webhooks").await.len(), 1);
    let secret = listener.says("signing secret").await;
    let secret = secret.rsplit(' ').next().unwrap();

    api.event(failed("e-1")).await;
    let alert = receiver.wait_for(1).await.remove(0);
    assert_eq!(alert.json()["type"], "workflow.failed");
    // Your receiver verifies it as it will later.
    let library = standardwebhooks::Webhook::new(secret).unwrap();
    library.verify(&alert.body, &alert.headers).unwrap();
    listener.says("workflow.failed dlv_").await;
    assert!(listener.said().contains("signature good"), "{}", listener.said());
    listener.says("answered 200").await;
    assert!(listener.said().contains("\"graph_name\": \"nightly-etl\""), "{}", listener.said());

    listener.type_in("r");
    let again = receiver.wait_for(2).await.remove(1);
    assert_eq!(
        (&again.body, again.header("webhook-id")),
        (&alert.body, alert.header("webhook-id"))
    );
    assert_eq!(again.header("webhook-signature"), alert.header("webhook-signature"));
    api.delivery_with("delivered").await;

    assert_eq!(listener.interrupt(), Some(0));
    assert_eq!(listed(&api, "webhooks").await, [] as [Value; 0]);
    assert_eq!(listed(&api, "alert-rules").await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_the_receiver_answers_is_what_the_host_hears() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let host = host(folder.path()).await;
    let api = host.api(SHOP);
    receiver.answer("/hook", &[422]);
    let secret = Secret::generate_signing([7; 24]);
    let more = ["--forward", &receiver.url("/hook"), "--secret", secret.expose()];
    let mut listener = Listener::start(&host, &more).await;
    assert!(!listener.said().contains(secret.expose()));
    api.event(failed("e-1")).await;
    listener.says("answered 422").await;
    let tried = eventually("an attempt on record", async || {
        let deliveries = api.deliveries().await;
        deliveries.into_iter().find(|delivery| delivery["attempt_count"] == 1)
    })
    .await;
    assert!(tried["last_error"].as_str().unwrap().contains("422"), "{tried}");
    // `q` ends it as well.
    listener.type_in("q");
    assert_eq!(listener.process.wait().unwrap().code(), Some(0));
    assert_eq!(listed(&api, "webhooks").await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_is_not_from_the_host_is_refused_and_not_forwarded() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let host = host(folder.path()).await;
    let listener = Listener::start(&host, &["--forward", &receiver.url("/hook")]).await;
    let stranger = Api::new(listener.address().await, SHOP);
    stranger.post("/", json!({"type": "workflow.failed"})).await.expect(401);
    // Signed, with a secret of its own.
    let (secret, body) = (Secret::generate_signing([7; 24]), b"{}".to_vec());
    let now = alerts_domain::Timestamp::now();
    let mut forger = stranger;
    let signed = alerts_domain::signature::headers([&secret].into_iter(), "msg_1", now, &body);
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let value = signed.iter().find(|(known, _)| *known == name).unwrap().1;
        forger = forger.with(name, Some(value));
    }
    forger.send(reqwest::Method::POST, "/", Some(body)).await.expect(401);
    listener.says("its signature is wrong").await;
    assert_eq!(listener.interrupt(), Some(0));
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_host_that_may_not_send_here_and_a_wrong_key_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = process::command(folder.path());
    command.env("ALERTS_ALLOW_TARGETS", "");
    let host = HostProcess::start_with(command, free_address()).await;
    let said = refused(&ended(&mut listen(&host, &[])));
    assert!(
        said.contains("ALERTS_ALLOW_TARGETS=127.0.0.0/8") && said.contains("--public-url"),
        "{said}"
    );
    let said = refused(&ended(listen(&host, &[]).env("ALERTS_KEY", "exo_wrong_key_for_tests")));
    assert!(said.contains("401"), "{said}");
    // A rule that cannot be made leaves no endpoint.
    let more = ["--condition", "event.data.x >", "--public-url", "https://example.com/"];
    let said = refused(&ended(&mut listen(&host, &more)));
    assert!(said.contains("/condition"), "{said}");
    assert_eq!(listed(&host.api(SHOP), "webhooks").await, [] as [Value; 0]);
}
