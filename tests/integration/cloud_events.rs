//! Events exactly as CloudEvents 1.0.2 has them: what is taken is what was meant, and
//! what nobody could read alike is refused with its place.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::events::{failed, failed_with};
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const BATCH: &str = "application/cloudevents-batch+json";

async fn send(api: &Api, method: Method, path: &str, body: &str) -> crate::support::api::Answer {
    api.send(method, path, Some(body.as_bytes().to_vec())).await
}

/// What was stored of the only event of this answer.
async fn stored(api: &Api, accepted: &Value) -> Value {
    let path = format!("/v1/events/{}", accepted["events"][0]["id"].as_str().unwrap());
    api.get(&path).await.expect(200)["event"].clone()
}

fn binary(api: &Api, id: &str) -> Api {
    api.with("ce-specversion", Some("1.0"))
        .with("ce-id", Some(id))
        .with("ce-source", Some("/s"))
        .with("ce-type", Some("workflow.failed"))
}

async fn nothing_is_stored(api: &Api) {
    assert_eq!(api.get("/v1/events").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_member_that_is_there_twice_is_refused_with_its_pointer_wherever_json_is_read() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint("https://example.com/", json!({})).await;
    let rule = host.api.rule(&endpoint, json!({})).await;
    let (endpoint, rule) = (endpoint["id"].as_str().unwrap(), rule["id"].as_str().unwrap());
    let attributes = r#""specversion":"1.0","source":"/s","type":"workflow.failed""#;
    let twice = r#"{"errored_count":0,"x":[{"a/b":1},{"a/b":1,"a/b":2}],"errored_count":9}"#;
    let events = [
        (None, format!(r#"{{{attributes},"id":"d1","id":"d2"}}"#), "/id"),
        (None, format!(r#"{{{attributes},"id":"d1","data":{twice}}}"#), "/data/x/1/a~1b"),
        (None, format!(r#"{{{attributes},"id":"d1","data":{{}},"data":{{}}}}"#), "/data"),
        (
            Some(BATCH),
            format!(r#"[{{{attributes},"id":"1"}},{{{attributes},"id":"2","data":{twice}}}]"#),
            "/1/data/x/1/a~1b",
        ),
    ];
    for (media, body, pointer) in events {
        let api = host.api.with("content-type", media.or(Some("application/cloudevents+json")));
        let answer = send(&api, Method::POST, "/v1/events", &body).await;
        assert_eq!(answer.problem(400), [pointer], "{body}");
    }
    let answer = send(&binary(&host.api, "b1"), Method::POST, "/v1/events", twice).await;
    assert_eq!(answer.problem(400), ["/data/x/1/a~1b"]);
    nothing_is_stored(&host.api).await;

    let (post, patch) = (Method::POST, Method::PATCH);
    let rule_path = format!("/v1/alert-rules/{rule}");
    let (endpoint_path, preview) =
        (format!("/v1/webhooks/{endpoint}"), format!("/v1/webhooks/{endpoint}/preview"));
    let draft = |more: &str| {
        format!(r#"{{"name":"n","event_type":"*","webhook_endpoint_id":"{endpoint}",{more}}}"#)
    };
    let trigger = draft(r#""trigger":{"type":"duration","threshold_ms":1,"threshold_ms":2}"#);
    let source = r#"{"and":[{"==":[1,1]}],"and":[]}"#;
    let logic = draft(&format!(r#""condition":{{"language":"jsonlogic","source":{source}}}"#));
    let others = [
        (&post, "/v1/alert-rules", trigger.clone(), "/trigger/threshold_ms"),
        (&post, "/v1/alert-rules", logic, "/condition/source/and"),
        (&patch, &rule_path, r#"{"name":"a","is_active":true,"name":"b"}"#.to_owned(), "/name"),
        (
            &post,
            "/v1/alert-rules/backtest",
            format!(r#"{{"from":"2026-01-01T00:00:00Z","rule":{trigger}}}"#),
            "/rule/trigger/threshold_ms",
        ),
        (
            &post,
            "/v1/webhooks",
            r#"{"name":"n","target_url":"https://example.com","settings":{"a":{"b":1,"b":1}}}"#
                .to_owned(),
            "/settings/a/b",
        ),
        (
            &patch,
            &endpoint_path,
            r#"{"secrets":{"token":"12345678","token":"x"}}"#.to_owned(),
            "/secrets/token",
        ),
        (
            &post,
            &preview,
            format!(r#"{{"event":{{{attributes},"id":"1","id":"2"}}}}"#),
            "/event/id",
        ),
        (&post, "/v1/dead-letters/redrive", r#"{"ids":[],"ids":[]}"#.to_owned(), "/ids"),
        (
            &post,
            "/v1/api-keys",
            r#"{"name":"a","role":"viewer","role":"admin"}"#.to_owned(),
            "/role",
        ),
    ];
    for (method, path, body, pointer) in others {
        let answer = send(&host.api, method.clone(), path, &body).await;
        assert_eq!(answer.problem(400), [pointer], "{path} {body}");
    }
}

#[tokio::test]
async fn header_values_are_unquoted_unescaped_and_then_percent_decoded_once() {
    let host = TestHost::start().await;
    let quoted = host
        .api
        .with("ce-specversion", Some("\"1.0\""))
        .with("ce-id", Some("\"q1\""))
        .with("ce-source", Some("/s%2525"))
        .with("ce-type", Some("workflow.failed"))
        .with("ce-time", Some("\"2026-01-31T02:12:34Z\""))
        .with("ce-subject", Some(r#""a \"b\" c""#))
        .with("ce-note", Some("Euro%20%E2%82%AC%20%F0%9F%98%80"));
    let accepted = quoted.post("/v1/events", json!({})).await.expect(202);
    assert_eq!(accepted["events"][0]["event_id"], "q1");
    let event = stored(&host.api, &accepted).await;
    for (name, value) in [
        ("subject", "a \"b\" c"),
        ("source", "/s%25"),
        ("time", "2026-01-31T02:12:34Z"),
        ("note", "Euro € 😀"),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    for wrong in ["\"open", "%C0%A0"] {
        let api = binary(&host.api, "q2").with("ce-subject", Some(wrong));
        assert_eq!(api.post("/v1/events", json!({})).await.problem(400), ["/subject"], "{wrong}");
    }
}

#[tokio::test]
async fn in_binary_mode_data_may_be_of_any_media_type() {
    let host = TestHost::start().await;
    let cases: [(&str, &[u8], Value); 7] = [
        ("text/plain", b"plain text", json!({"data": "plain text"})),
        ("text/plain; charset=utf-8", b"12", json!({"data": "12"})),
        ("application/octet-stream", b"\xff", json!({"data_base64": "/w=="})),
        ("application/xml", b"<a/>", json!({"data_base64": "PGEvPg=="})),
        ("text/plain", b"\xff", json!({"data_base64": "/w=="})),
        ("application/problem+json", b"{\"a\":1}", json!({"data": {"a": 1}})),
        ("application/json", b"", json!({})),
    ];
    for (number, (media, body, content)) in cases.into_iter().enumerate() {
        let api = binary(&host.api, &number.to_string()).with("content-type", Some(media));
        let answer = api.send(Method::POST, "/v1/events", Some(body.to_vec())).await;
        let event = stored(&host.api, &answer.expect(202)).await;
        assert_eq!(event["datacontenttype"], media);
        for name in ["data", "data_base64"] {
            assert_eq!(event.get(name), content.get(name), "{media}");
        }
    }
    // Base64 counts towards the size of an event.
    let api = binary(&host.api, "large").with("content-type", Some("application/octet-stream"));
    let answer = api.send(Method::POST, "/v1/events", Some(vec![0xff; 250 * 1024])).await;
    assert!(answer.text().contains("Base64"), "{}", answer.body);
    answer.problem(413);
    let avro = host.api.with("content-type", Some("application/cloudevents+avro"));
    avro.post("/v1/events", json!({})).await.problem(415);
}

#[tokio::test]
async fn the_digits_of_a_number_arrive_as_they_were_sent_in_every_mode() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let endpoint =
        host.api.endpoint(&receiver.url("/hook"), json!({"include_event_data": true})).await;
    host.api.rule(&endpoint, json!({})).await;
    let data = r#"{"run_id":12345678901234567890123,"z":-0,"f":1.10,"e":1E3}"#;
    // The same data as Base64.
    let base64 = "eyJydW5faWQiOjEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzLCJ6IjotMCwiZiI6MS4xMCwiZSI6MUUzfQ==";
    let attributes = r#""specversion":"1.0","source":"/s","type":"workflow.failed""#;
    let structured = host.api.with("content-type", Some("application/cloudevents+json"));
    let body = format!(r#"{{{attributes},"id":"structured","data":{data}}}"#);
    send(&structured, Method::POST, "/v1/events", &body).await.expect(202);
    let body = format!(r#"{{{attributes},"id":"base64","data_base64":"{base64}"}}"#);
    send(&structured, Method::POST, "/v1/events", &body).await.expect(202);
    let batch = host.api.with("content-type", Some(BATCH));
    let body = format!(r#"[{{{attributes},"id":"batch","data":{data}}}]"#);
    send(&batch, Method::POST, "/v1/events", &body).await.expect(202);
    send(&binary(&host.api, "binary"), Method::POST, "/v1/events", data).await.expect(202);
    for received in receiver.wait_for(4).await {
        let alert = String::from_utf8(received.body.to_vec()).unwrap();
        assert!(alert.contains(&format!("\"data\":{data}")), "{alert}");
        assert!(alert.contains(r#""run_id":12345678901234567890123"#), "{alert}");
    }
}

#[tokio::test]
async fn what_is_no_base64_is_refused_at_its_place() {
    let host = TestHost::start().await;
    for wrong in [json!("%%%"), json!(5), json!({}), json!("YQ"), json!("_-8=")] {
        let mut event = failed_with("evt-1", "data_base64", wrong.clone());
        event.as_object_mut().unwrap().remove("data");
        let answer = host.api.post("/v1/events", event).await;
        assert_eq!(answer.problem(400), ["/data_base64"], "{wrong}");
    }
    let mut event = failed_with("evt-1", "data_base64", json!("/w=="));
    event.as_object_mut().unwrap().remove("data");
    event["datacontenttype"] = "application/json".into();
    assert_eq!(host.api.post("/v1/events", event.clone()).await.problem(400), ["/data_base64"]);
    event["datacontenttype"] = "application/octet-stream".into();
    host.api.post("/v1/events", event).await.expect(202);
}

#[tokio::test]
async fn json_that_came_as_base64_is_seen_by_conditions_runs_alerts_and_backtests() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint =
        host.api.endpoint(&receiver.url("/hook"), json!({"include_event_data": true})).await;
    let condition = "event.data.run_id == 'r1'";
    host.api.rule(&endpoint, json!({"condition": condition})).await;
    let slow = json!({"name": "Slow", "event_type": "workflow.duration_exceeded",
        "trigger": {"type": "duration", "threshold_ms": 900_000}});
    host.api.rule(&endpoint, slow).await;
    let from = host.now().to_string();
    // {"run_id":"r1"}
    let event = |id: &str, event_type: &str| {
        json!({"specversion": "1.0", "id": id, "source": "/s", "type": event_type,
            "datacontenttype": "application/json", "data_base64": "eyJydW5faWQiOiJyMSJ9"})
    };
    host.api.event(event("e1", "workflow.started")).await;
    host.later(Duration::from_secs(901));
    let slow = receiver.wait_for(1).await[0].json();
    assert_eq!(
        (&slow["type"], &slow["workflow"]["run_id"]),
        (&json!("workflow.duration_exceeded"), &json!("r1"))
    );
    let failed = event("e2", "workflow.failed");
    let accepted = host.api.post("/v1/events", failed.clone()).await.expect(202);
    assert_eq!(stored(&host.api, &accepted).await, failed, "it is shown as it was posted");
    let alert = receiver.wait_for(2).await[1].json();
    assert_eq!(alert["type"], "workflow.failed");
    assert_eq!(
        (&alert["workflow"], &alert["data"]),
        (&json!({"run_id": "r1"}), &json!({"run_id": "r1"}))
    );

    host.later(Duration::from_secs(1));
    for draft in [
        json!({"event_type": "workflow.failed", "condition": condition}),
        json!({"event_type": "workflow.duration_exceeded",
            "trigger": {"type": "duration", "threshold_ms": 900_000}}),
    ] {
        let mut rule = json!({"name": "draft", "webhook_endpoint_id": endpoint["id"]});
        rule.as_object_mut().unwrap().extend(draft.as_object().unwrap().clone());
        let body = json!({"rule": rule, "from": from, "to": host.now().to_string()});
        let report = host.api.post("/v1/alert-rules/backtest", body).await.expect(200);
        assert_eq!(
            (&report["total"], &report["condition_errors"]),
            (&json!(1), &json!(0)),
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over() {
    let host = TestHost::start().await;
    let marked = |json: Value| format!("\u{feff}{json}");
    let event = marked(failed("evt-1"));
    send(&host.api, Method::POST, "/v1/events", &event).await.expect(202);
    let batch = host.api.with("content-type", Some(BATCH));
    send(&batch, Method::POST, "/v1/events", &marked(json!([failed("evt-2")]))).await.expect(202);
    let data = marked(json!({"a": 1}));
    send(&binary(&host.api, "evt-3"), Method::POST, "/v1/events", &data).await.expect(202);
    let endpoint = marked(json!({"name": "On call", "target_url": "https://example.com/"}));
    send(&host.api, Method::POST, "/v1/webhooks", &endpoint).await.expect(201);
    let list = marked(json!([failed("evt-4")]));
    let answer = send(&host.api, Method::POST, "/v1/events", &list).await;
    assert!(answer.text().contains("cloudevents-batch+json"), "{}", answer.body);
}

#[tokio::test]
async fn broken_json_is_named_with_its_place_and_its_index_in_the_batch() {
    let host = TestHost::start().await;
    let good = failed("good").to_string();
    let broken: [&[u8]; 4] = [b"NaN", b"\"\\ud800\"", b"\"\xff\"", b"1e999"];
    for value in broken {
        let mut item =
            br#"{"specversion":"1.0","id":"57","source":"/s","type":"t","data":{"n":"#.to_vec();
        item.extend_from_slice(value);
        item.extend_from_slice(b"}}");
        let structured = host.api.with("content-type", Some("application/cloudevents+json"));
        let answer = structured.send(Method::POST, "/v1/events", Some(item.clone())).await;
        assert!(answer.text().contains("line 1, column"), "{}", answer.body);
        assert_eq!(answer.problem(400), ["/data/n"]);

        let mut batch = format!("[{}", format!("{good},").repeat(57)).into_bytes();
        batch.extend_from_slice(&item);
        batch.extend_from_slice(format!(",{good}]").as_bytes());
        let api = host.api.with("content-type", Some(BATCH));
        let answer = api.send(Method::POST, "/v1/events", Some(batch)).await;
        assert!(answer.text().contains("line 1, column"), "{}", answer.body);
        assert_eq!(answer.problem(400), ["/57/data/n"], "{}", String::from_utf8_lossy(value));
    }
    nothing_is_stored(&host.api).await;
}

#[tokio::test]
async fn a_time_in_another_form_is_refused_with_the_forms_that_are_taken() {
    let host = TestHost::start().await;
    for time in [
        "2026-01-31T02:12:34",
        "2026-01-31T02:12:34+00",
        "2026-01-31T02:12:34,5Z",
        "2026-01-31T02:12:34Z[Europe/Berlin]",
        "2026-01-31T02:12:34+25:00",
    ] {
        let answer = host.api.post("/v1/events", failed_with("evt-1", "time", time.into())).await;
        for form in ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00"] {
            assert!(answer.text().contains(form), "{}", answer.body);
        }
        assert_eq!(answer.problem(400), ["/time"], "{time}");
    }
    nothing_is_stored(&host.api).await;
    for (number, time) in ["2026-01-31t02:12:34z", "2026-01-31T02:12:34.5-11:30"].iter().enumerate()
    {
        host.api.event(failed_with(&number.to_string(), "time", (*time).into())).await;
    }
}

#[tokio::test]
async fn a_time_that_was_never_set_counts_as_absent() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let slow = json!({"name": "Slow", "event_type": "workflow.duration_exceeded",
        "trigger": {"type": "duration", "threshold_ms": 900_000}});
    host.api.rule(&endpoint, slow).await;
    host.api.rule(&endpoint, json!({"name": "No time", "condition": "!has(event.time)"})).await;
    let received_at = host.now().to_string();
    for (id, event_type, time) in [
        ("1", "workflow.started", "0001-01-01T00:00:00Z"),
        ("2", "workflow.failed", "1969-12-31T23:59:59Z"),
    ] {
        let mut event = failed_with(id, "time", time.into());
        event["type"] = event_type.into();
        event["subject"] = format!("graph/etl/run/{id}").into();
        event["data"] = json!({"graph_name": "etl", "run_id": id});
        host.api.event(event).await;
    }
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(
        (&alert["rule"]["name"], &alert["occurred_at"]),
        (&json!("No time"), &json!(received_at))
    );
    host.later(Duration::from_secs(900));
    let alert = receiver.wait_for(2).await[1].json();
    assert_eq!(alert["rule"]["name"], "Slow");
    assert_eq!(alert["trigger"]["elapsed_ms"], 900_000);
}
