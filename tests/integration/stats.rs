//! Statistics: what `/v1/stats` says is what events and deliveries say.

use std::time::Duration;

use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::events::{failed, failed_with};
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// Events, attempts, failed attempts, delivered, dead.
type Counts = [u64; 5];

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn counts(figures: &Value) -> Counts {
    ["events", "attempts", "failed_attempts", "delivered", "dead"]
        .map(|name| number(&figures[name]))
}

/// All items of a list.
async fn all(api: &Api, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?limit=200{cursor}")).await.expect(200);
        items.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// What these deliveries come to. Each that was delivered has one attempt that did not fail.
fn sum<'d>(deliveries: impl Iterator<Item = &'d Value>) -> Counts {
    let [mut made, mut attempts, mut delivered, mut dead] = [0; 4];
    for delivery in deliveries {
        made += 1;
        attempts += number(&delivery["attempt_count"]);
        delivered += u64::from(delivery["status"] == "delivered");
        dead += u64::from(delivery["status"] == "dead");
    }
    [made, attempts, attempts - delivered, delivered, dead]
}

/// Waits until statistics say, by every step and by all that they are kept by, what the
/// lists of events and deliveries say.
pub(crate) async fn agree(api: &Api) {
    let deliveries = eventually("every delivery has ended", async || {
        let deliveries = all(api, "/v1/deliveries").await;
        deliveries.iter().all(|delivery| delivery["finished_at"].is_string()).then_some(deliveries)
    })
    .await;
    let events = all(api, "/v1/events").await;
    let mut whole = sum(deliveries.iter());
    whole[0] = events.len() as u64;
    for (step, days) in [("minute", 1), ("hour", 2), ("day", 60)] {
        let from = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        let path = format!("/v1/stats?step={step}&from={from}&to={}", soon());
        eventually(&format!("by {step} there is counted what is stored"), async || {
            let stats = api.get(&path).await.expect(200);
            (counts(&stats["total"]) == whole).then_some(())
        })
        .await;
        let mut rows_sum = Counts::default();
        for row in api.get(&path).await.expect(200)["data"].as_array().unwrap() {
            rows_sum.iter_mut().zip(counts(row)).for_each(|(sum, count)| *sum += count);
            let reasons = row["failure_reasons"].as_object().unwrap().values().map(number);
            assert_eq!(reasons.sum::<u64>(), number(&row["failed_attempts"]), "{row}");
            assert_eq!(row["p50_ms"].is_null(), row["delivered"] == 0, "{row}");
        }
        assert_eq!(rows_sum, whole);
        for by in ["webhook_endpoint_id", "alert_rule_id"] {
            let rows = api.get(&format!("{path}&by={by}")).await.expect(200);
            let ids = deliveries.iter().filter_map(|delivery| delivery[by].as_str());
            for id in ids.collect::<std::collections::BTreeSet<_>>() {
                let of_it = deliveries.iter().filter(|delivery| delivery[by] == id);
                let one = api.get(&format!("{path}&{by}={id}")).await.expect(200);
                assert_eq!(counts(&one["total"]), sum(of_it), "{by} {id} by {step}");
                let in_rows = rows["data"].as_array().unwrap().iter();
                let in_rows: Vec<&Value> = in_rows.filter(|row| row[by] == id).collect();
                let sum_of = |name: &str| {
                    one["total"][name].as_object().unwrap().values().map(number).sum::<u64>()
                };
                let [_, attempts, _, delivered, dead] = counts(&one["total"]);
                assert_eq!(sum_of("event_types"), delivered + dead, "{one}");
                assert!(sum_of("status_codes") <= attempts, "{one}");
                assert_eq!(in_rows, one["data"].as_array().unwrap().iter().collect::<Vec<_>>());
            }
        }
        let by_type = api.get(&format!("{path}&by=event_type")).await.expect(200);
        assert_eq!(counts(&by_type["total"]), whole, "by type and {step}");
    }
}

/// Later than all that a test does.
fn soon() -> jiff::Timestamp {
    jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)
}

/// Endpoints that take, take at last, refuse and are gone; a rule for each.
async fn targets(api: &Api, receiver: &Receiver) {
    receiver.answer("/flaky", &[503, 429, 200, 503, 200]);
    receiver.answer("/refuses", &[500]);
    receiver.answer("/gone", &[410]);
    let policy = json!({"max_retries": 2, "strategy": "FIXED", "backoff_factor": 1000});
    for path in ["/takes", "/flaky", "/refuses", "/gone"] {
        let endpoint = api.endpoint(&receiver.url(path), json!({"gone_after": 100})).await;
        api.rule(&endpoint, json!({"event_type": "workflow.*", "retry_policy": policy})).await;
    }
}

/// Posts to these hosts in turn, and lets them work until nothing is left to do.
async fn mixed_load(hosts: &[&TestHost], events: usize) {
    for n in 0..events {
        let kind = if n % 3 == 0 { "workflow.started" } else { "workflow.failed" };
        let event = failed_with(&format!("evt-{n}"), "type", json!(kind));
        hosts[n % hosts.len()].api.event(event.clone()).await;
        if n % 4 == 0 {
            // The same again, to another host.
            assert!(hosts[(n + 1) % hosts.len()].api.event(event).await);
        }
    }
    eventually("everything has ended", async || {
        // Less than a lease, which each host renews in between.
        hosts.iter().for_each(|host| host.later(Duration::from_secs(10)));
        let deliveries = all(&hosts[0].api, "/v1/deliveries").await;
        let has_ended = |delivery: &Value| delivery["finished_at"].is_string();
        (deliveries.len() == 4 * events && deliveries.iter().all(has_ended)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_mixed_load_statistics_are_the_sum_of_deliveries_and_attempts() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    targets(&host.api, &receiver).await;
    mixed_load(&[&host], 16).await;
    agree(&host.api).await;
    let other = host.tenant("another").get("/v1/stats").await.expect(200);
    assert_eq!((&other["data"], counts(&other["total"])), (&json!([]), Counts::default()));
    assert!(other["total"]["p50_ms"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_on_one_postgres_count_as_one() {
    let url = fresh_database().await;
    let (one, two) = (TestHost::on(&url).await, TestHost::on(&url).await);
    let receiver = Receiver::start().await;
    targets(&one.api, &receiver).await;
    // The other host reads the rules as it is told an event, or within a second.
    two.later(Duration::from_secs(2));
    mixed_load(&[&one, &two], 16).await;
    agree(&one.api).await;
    agree(&two.api).await;
}

#[tokio::test]
async fn why_attempts_failed_and_how_long_alerts_took_is_told() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[503, 429, 200]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let policy = json!({"max_retries": 5, "strategy": "FIXED", "backoff_factor": 60_000});
    let rule = host.api.rule(&endpoint, json!({"retry_policy": policy})).await;
    host.api.event(failed("evt-1")).await;
    for sent in 1..3 {
        receiver.wait_for(sent).await;
        eventually("it waits for its time", async || {
            let delivery = host.api.deliveries().await.into_iter().next()?;
            let waits = delivery["status"] == "scheduled" && delivery["attempt_count"] == sent;
            waits.then_some(())
        })
        .await;
        host.later(Duration::from_secs(60));
    }
    host.api.delivery_with("delivered").await;
    let path = format!("/v1/stats?step=day&alert_rule_id={}", rule["id"].as_str().unwrap());
    let total = eventually("it is counted", async || {
        let stats = host.api.get(&path).await.expect(200);
        (stats["total"]["delivered"] == 1).then(|| stats["total"].clone())
    })
    .await;
    assert_eq!(counts(&total), [1, 3, 2, 1, 0]);
    assert_eq!(total["failure_reasons"], json!({"rate_limited": 1, "status_5xx": 1}));
    assert_eq!(total["status_codes"], json!({"200": 1, "429": 1, "503": 1}));
    assert_eq!(total["event_types"], json!({"workflow.failed": 1}));
    // Two minutes of waiting, as whoever waited for the alert saw it.
    for name in ["p50_ms", "p99_ms"] {
        let told = number(&total[name]);
        assert!(told.abs_diff(120_000) <= 120_000 / 16, "{name} is {told}");
    }
}

#[tokio::test]
async fn what_would_be_too_much_is_refused_with_the_step_to_take() {
    let host = TestHost::start().await;
    let refused = async |query: &str| {
        let answer = host.api.get(&format!("/v1/stats?{query}")).await;
        let detail = answer.body["errors"][0]["detail"].as_str().unwrap_or_default().to_owned();
        (answer.problem(400), detail)
    };
    let month_ago = host.now() - jiff::SignedDuration::from_hours(30 * 24);
    let (pointers, detail) = refused(&format!("step=minute&from={month_ago}")).await;
    assert_eq!(pointers, ["/step"]);
    assert!(detail.contains("take step=hour"), "{detail}");
    assert_eq!(refused("step=week").await.0, ["/step"]);
    assert_eq!(refused("by=tenant").await.0, ["/by"]);
    assert_eq!(refused("since=yesterday").await.0, ["/since"]);
    let (pointers, detail) =
        refused("by=event_type&alert_rule_id=rule_00000000000000000000000000").await;
    assert_eq!(pointers, ["/alert_rule_id"]);
    assert!(detail.contains("leave one out"), "{detail}");
}
