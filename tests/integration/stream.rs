//! `/v1/stream` tells what happens while it happens, whichever host did it.

use std::time::Duration;

use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};
use sqlx::{Connection as _, Row as _};

use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// One message as a client sees it.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    event: String,
    id: String,
    data: Value,
}

/// A client that reads a stream.
struct Watcher {
    response: reqwest::Response,
    text: String,
}

impl Watcher {
    async fn open(api: &Api) -> Self {
        let response = api.open("/v1/stream").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        Self { response, text: String::new() }
    }

    /// The same after a message.
    async fn after(api: &Api, id: &str) -> Self {
        Self::open(&api.with("last-event-id", Some(id))).await
    }

    /// The next message; none once the stream has ended.
    async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let lines = |name: &str| {
                    let start = format!("{name}: ");
                    block.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
                };
                let [event, id, data] = ["event", "id", "data"].map(|name| lines(name).to_owned());
                self.text = rest.to_owned();
                if !event.is_empty() {
                    let data = serde_json::from_str(&data).unwrap();
                    return Some(Message { event, id, data });
                }
            }
            // A stream that is cut ends with an error or without one.
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads on until a message is as it should be.
    async fn until(&mut self, what: &str, mut is: impl FnMut(&Message) -> bool) -> Message {
        let waited = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                let message = self.next().await.unwrap_or_else(|| panic!("it ended before {what}"));
                if is(&message) {
                    return message;
                }
            }
        });
        waited.await.unwrap_or_else(|_| panic!("it never told {what}"))
    }

    async fn reset(&mut self) -> Message {
        self.until("a reset", |message| message.event == "reset").await
    }

    /// The next delivery that stands so.
    async fn delivery(&mut self, status: &str) -> Message {
        let is =
            |message: &Message| message.event == "delivery" && message.data["status"] == status;
        self.until(&format!("a delivery that is {status}"), is).await
    }
}

async fn webhook(api: &Api, receiver: &Receiver) -> (Value, Value) {
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    let rule = api.rule(&endpoint, json!({})).await;
    (endpoint, rule)
}

fn path_of(list: &str, resource: &Value) -> String {
    format!("/v1/{list}/{}", resource["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_told_with_what_a_row_of_a_list_shows() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let (endpoint, rule) = webhook(&host.api, &receiver).await;
    let mut watcher = Watcher::open(&host.api).await;
    let first = watcher.reset().await;
    assert_eq!(first.data, json!({}));

    host.api.event(failed("evt-1")).await;
    let stored = watcher.until("the event", |message| message.event == "event").await;
    assert_eq!(stored.data["event_type"], "workflow.failed");
    let sent = watcher.delivery("delivered").await;
    let delivery = host.api.delivery_with("delivered").await;
    for name in ["id", "status", "webhook_endpoint_id", "alert_rule_id", "attempt_count"] {
        assert_eq!(sent.data[name], delivery[name], "{name}");
    }
    assert_eq!(stored.data["id"], delivery["event_id"]);
    assert_eq!(sent.data["updated_at"], delivery["finished_at"]);

    host.api.patch(&path_of("webhooks", &endpoint), json!({"name": "New"})).await.expect(200);
    let changed = watcher.until("the endpoint", |message| message.event == "endpoint").await;
    assert_eq!(
        (&changed.data["id"], &changed.data["action"]),
        (&endpoint["id"], &json!("webhook.updated"))
    );
    host.api.delete(&path_of("alert-rules", &rule)).await.expect(204);
    let deleted = watcher.until("the rule", |message| message.event == "rule").await;
    assert_eq!(
        (&deleted.data["id"], &deleted.data["action"]),
        (&rule["id"], &json!("alert_rule.deleted"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_cancellations_and_dead_letters_are_told() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    webhook(&host.api, &receiver).await;
    receiver.answer("/hook", &[503]);
    let mut watcher = Watcher::open(&host.api).await;
    watcher.reset().await;
    host.api.event(failed("evt-1")).await;
    let waits = watcher.delivery("scheduled").await;
    assert_eq!(waits.data["attempt_count"], 1);
    assert!(waits.data["next_attempt_at"].is_string());
    host.api
        .post(&format!("/v1/deliveries/{}/cancel", waits.data["id"].as_str().unwrap()), json!({}))
        .await;
    let canceled = watcher.delivery("canceled").await;
    assert_eq!(
        (&canceled.data["id"], &canceled.data["attempt_count"]),
        (&waits.data["id"], &json!(1))
    );
    receiver.answer("/hook", &[410]);
    host.api.event(failed("evt-2")).await;
    let dead = watcher.delivery("dead").await;
    // Its rule is switched off too.
    let off = watcher.until("the rule", |message| message.event == "rule").await;
    assert_eq!(off.data["id"], dead.data["alert_rule_id"]);
    assert_eq!(off.data["action"], "alert_rule.disabled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_host_does_is_told_by_the_other() {
    let url = fresh_database().await;
    let (one, two) = (TestHost::on(&url).await, TestHost::on(&url).await);
    let receiver = Receiver::start().await;
    let mut watcher = Watcher::open(&two.api).await;
    // Once right away, and once more when the other host knows that somebody watches.
    watcher.reset().await;
    watcher.reset().await;
    let (endpoint, rule) = webhook(&one.api, &receiver).await;
    let made = watcher.until("the endpoint", |message| message.event == "endpoint").await;
    assert_eq!(made.data["id"], endpoint["id"]);
    let made = watcher.until("the rule", |message| message.event == "rule").await;
    assert_eq!(made.data["id"], rule["id"]);
    one.api.event(failed("evt-1")).await;
    let sent = watcher.delivery("delivered").await;
    assert_eq!(sent.data["alert_rule_id"], rule["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_things_are_never_told() {
    let url = fresh_database().await;
    for host in [TestHost::start().await, TestHost::on(&url).await] {
        let receiver = Receiver::start().await;
        let other = host.tenant("another");
        webhook(&other, &receiver).await;
        webhook(&host.api, &receiver).await;
        // Both are watched, so that the changes of both are on their way.
        let (mut watcher, mut theirs) =
            (Watcher::open(&host.api).await, Watcher::open(&other).await);
        watcher.reset().await;
        theirs.reset().await;
        other.event(failed("evt-1")).await;
        let sent = theirs.delivery("delivered").await;
        host.api.event(failed("evt-2")).await;
        let seen = watcher.until("an event", |message| message.event != "reset").await;
        assert_eq!(seen.event, "event");
        let own = watcher.delivery("delivered").await;
        assert_ne!(own.data["id"], sent.data["id"]);
        let listed = host.api.deliveries().await;
        assert!(listed.iter().any(|delivery| delivery["id"] == own.data["id"]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_goes_on_where_it_was_cut_or_is_told_to_look_again() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    webhook(&host.api, &receiver).await;
    let mut watcher = Watcher::open(&host.api).await;
    watcher.reset().await;
    host.api.event(failed("evt-1")).await;
    let first = watcher.delivery("delivered").await;
    drop(watcher);
    // While nobody listens.
    host.api.event(failed("evt-2")).await;
    receiver.wait_for(2).await;
    let mut watcher = Watcher::after(&host.api, &first.id).await;
    let mut ids = std::collections::BTreeSet::new();
    let second = watcher
        .until("what was missed", |message| {
            assert!(ids.insert(message.id.clone()), "{message:?} is told twice");
            message.event == "delivery" && message.data["status"] == "delivered"
        })
        .await;
    assert_ne!(second.data["id"], first.data["id"]);
    assert!(!ids.contains(&first.id));

    for unknown in ["host_00000000000000000000000000-1", "nonsense", "-"] {
        let mut watcher = Watcher::after(&host.api, unknown).await;
        assert_eq!(watcher.next().await.unwrap().event, "reset", "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_counted_and_end_with_the_host() {
    let mut host = TestHost::start().await;
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(Watcher::open(&host.api).await);
    }
    let refused = host.api.get("/v1/stream").await;
    assert!(refused.text().contains("close one of them"), "{}", refused.text());
    refused.problem(503);
    let other = host.tenant("another");
    assert_eq!(other.open("/v1/stream").await.status(), 200, "others have their own");
    open.pop();
    eventually("the place is free again", async || {
        (host.api.open("/v1/stream").await.status() == 200).then_some(())
    })
    .await;
    let mut watcher = open.pop().unwrap();
    watcher.reset().await;
    host.restart().await;
    while let Some(message) = watcher.next().await {
        assert_eq!(message.event, "reset", "nothing has happened");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_down_for_a_tenant_that_nobody_watches() {
    let url = fresh_database().await;
    let (one, two) = (TestHost::on(&url).await, TestHost::on(&url).await);
    let receiver = Receiver::start().await;
    let mut watcher = Watcher::open(&two.api).await;
    watcher.reset().await;
    watcher.reset().await;
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let other = one.tenant("another");
    webhook(&other, &receiver).await;
    let mut number = 0;
    // A host that could not ask for three seconds what is watched tells everything.
    eventually("nothing is written", async || {
        sqlx::query("DELETE FROM news").execute(&mut connection).await.unwrap();
        number += 1;
        other.event(failed(&format!("evt-{number}"))).await;
        receiver.wait_for(number).await;
        eventually("it is delivered", async || {
            let deliveries = other.deliveries().await;
            let is_delivered = |delivery: &Value| delivery["status"] == "delivered";
            (deliveries.len() == number && deliveries.iter().all(is_delivered)).then_some(())
        })
        .await;
        let rows = sqlx::query("SELECT count(*) AS rows FROM news");
        let rows = rows.fetch_one(&mut connection).await.unwrap();
        (rows.get::<i64, _>("rows") == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stream_asks_for_a_key_as_everything_does() {
    let host = TestHost::start().await;
    host.api.with("x-api-key", None).get("/v1/stream").await.problem(401);
    host.api.with("x-exosphere-namespace", None).get("/v1/stream").await.problem(400);
}
