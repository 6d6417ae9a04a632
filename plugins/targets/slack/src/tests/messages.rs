use super::*;
use crate::blocks::{MAX_FALLBACK, MAX_FIELD, MAX_FIELDS, MAX_HEADER, MAX_MESSAGE, MAX_SECTION};

fn markdown(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// Each text of a message, wherever it stands.
fn texts(message: &Value) -> Vec<&str> {
    match message {
        Value::Object(fields) => {
            let inside = fields.values().flat_map(texts);
            let own = fields.get("text").and_then(Value::as_str);
            inside.chain(own).collect()
        }
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_failed_run_is_told_with_its_fields_and_a_link() {
    let settings = json!({
        "mention": "S0614TZR7",
        "link_template": "https://exosphere.example.com/{namespace}?graph={graph_name}&run={run_id}"
    });
    let request = sent(&failed(), &settings);
    assert_eq!((request.method.as_str(), request.url.as_str(), request.sign), ("POST", URL, false));
    let headers = [("content-type", "application/json"), ("X-Team", "payments")];
    assert_eq!(request.headers, headers.map(|(name, value)| (name.into(), value.into())));
    let golden = json!({
        "text": "🔴 Workflow failed: etl (prod). Node load failed after 1 min 23 s; 3 of 10 states errored.",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "🔴 Workflow failed: etl", "emoji": false}},
            {"type": "section", "text": markdown("<!subteam^S0614TZR7> Node `load` failed after 1 min 23 s; 3 of 10 states errored.\n<https://exosphere.example.com/prod?graph=etl&amp;run=7b2f|Open the run>")},
            {"type": "section", "fields": [
                markdown("*Namespace*\n`prod`"),
                markdown("*Graph*\n`etl`"),
                markdown("*Node*\n`load`"),
                markdown("*Run*\n`7b2f`"),
                markdown("*Started*\n<!date^1767225517^{date_num} {time_secs}|2025-12-31 23:58:37 UTC>"),
                markdown("*Finished*\n<!date^1767225600^{date_num} {time_secs}|2026-01-01 00:00:00 UTC>"),
                markdown("*Duration*\n1 min 23 s"),
                markdown("*States*\n3 errored, 7 succeeded, 10 in all"),
                markdown("*Failed state*\n`65f0c0ffee`"),
                markdown("*Status*\n`FAILED`"),
            ]},
            {"type": "context", "elements": [markdown("Rule `Failed runs` in `prod` · `workflow.failed` at <!date^1767225600^{date_num} {time_secs}|2026-01-01 00:00:00 UTC> · delivery `dlv_01`")]},
        ],
        "unfurl_links": false,
        "unfurl_media": false,
    });
    assert_eq!(message(&failed(), &settings), golden);
}

#[test]
fn a_run_that_succeeded_notifies_nobody() {
    let mut alert = failed();
    alert["type"] = json!("workflow.succeeded");
    alert["workflow"] = json!({"graph_name": "etl", "run_id": 7, "duration_ms": 7_384_000});
    let message = message(&alert, &json!({"mention": "channel"}));
    let header = &message["blocks"][0]["text"]["text"];
    assert_eq!(header, "🟢 Workflow succeeded: etl");
    assert_eq!(message["blocks"][1]["text"], markdown("The run succeeded after 2 h 3 min."));
}

#[test]
fn too_much_of_something_mentions_and_its_end_does_not() {
    let mut alert = failed();
    alert["trigger"] = json!({"type": "threshold", "window_ms": 600_000, "count": 4, "limit": 3,
        "group": {"graph_name": "etl"}, "since": "2025-12-31T23:52:00Z"});
    let settings = json!({"mention": "here"});
    let breached = message(&alert, &settings);
    assert_eq!(breached["blocks"][0]["text"]["text"], "🔴 Workflow failed 4 times in 10 min: etl");
    let story = "<!here> Up to 3 are allowed. The first was at <!date^1767225120^{date_num} \
                 {time_secs}|2025-12-31 23:52:00 UTC>, the latest is run `7b2f` at node `load`.";
    assert_eq!(breached["blocks"][1]["text"], markdown(story));

    alert["type"] = json!("exosphere.alerts.recovered");
    alert["trigger"]["state"] = json!("recovered");
    alert["trigger"]["event_type"] = json!("workflow.failed");
    alert["trigger"]["count"] = json!(1);
    alert["data"] = alert["trigger"].clone();
    let recovered = message(&alert, &settings);
    assert_eq!(recovered["blocks"][0]["text"]["text"], "🟢 Recovered: etl");
    assert_eq!(recovered["blocks"].as_array().unwrap().len(), 4, "nothing is told twice");
    let story = "Workflow failed once in 10 min; up to 3 are allowed. It was alerted at \
                 <!date^1767225120^{date_num} {time_secs}|2025-12-31 23:52:00 UTC>, 8 min before.";
    assert_eq!(recovered["blocks"][1]["text"], markdown(story));
}

#[test]
fn an_event_of_another_kind_is_told_by_its_source_and_subject() {
    let mut alert = failed();
    alert["type"] = json!("disk.full");
    alert["workflow"] = json!({});
    alert["event"]["subject"] = json!("host/db-7");
    let message = message(&alert, &json!({}));
    let fallback = "🔵 disk.full: host/db-7 (prod). Told by /v0/namespace/prod.";
    assert_eq!(message["text"], fallback);
    assert_eq!(message["blocks"][1]["text"], markdown("Told by `/v0/namespace/prod`."));
    let fields = json!([
        markdown("*Namespace*\n`prod`"),
        markdown("*Source*\n`/v0/namespace/prod`"),
        markdown("*Subject*\n`host/db-7`"),
        markdown("*Happened*\n<!date^1767225600^{date_num} {time_secs}|2026-01-01 00:00:00 UTC>"),
    ]);
    assert_eq!(message["blocks"][2]["fields"], fields);
}

#[test]
fn fields_are_left_out_on_request_and_the_error_stands_before_other_data() {
    let mut alert = failed();
    alert["data"] = json!({
        "error": "Traceback:\r\n  ``` <!channel> & \u{7}more", "attempt": 2, "graph_name": "etl"
    });
    let message = message(&alert, &json!({"show_fields": false}));
    assert_eq!(message["blocks"].as_array().unwrap().len(), 5);
    let error = "*Error*\n```Traceback:\n  ''' &lt;!channel&gt; &amp;  more```";
    assert_eq!(message["blocks"][2]["text"], markdown(error));
    assert_eq!(message["blocks"][3]["text"], markdown("*Data*\n```{\"attempt\":2}```"));
}

#[test]
fn data_of_any_shape_is_shown_as_it_is() {
    for data in [json!("text"), json!([1, 2]), json!({"error": {"code": 7}}), json!({"run_id": {}})]
    {
        let mut alert = failed();
        alert["data"] = data.clone();
        let message = message(&alert, &json!({}));
        let text = message["blocks"][3]["text"]["text"].as_str().unwrap();
        assert!(text.ends_with(&format!("```{data}```")), "{text}");
    }
}

#[test]
fn the_hosts_link_is_used_where_the_endpoint_has_none_of_its_own() {
    let mut alert = failed();
    alert["run_url"] = json!("https://exosphere.example.com/graph/prod/7b2f?a=1&b=2");
    let story = |alert: &Value, settings: Value| {
        message(alert, &settings)["blocks"][1]["text"]["text"].as_str().unwrap().to_owned()
    };
    let link = "<https://exosphere.example.com/graph/prod/7b2f?a=1&amp;b=2|Open the run>";
    assert!(story(&alert, json!({})).ends_with(link));
    let own = json!({"link_template": "https://own.example/{run_id}"});
    assert!(story(&alert, own).ends_with("<https://own.example/7b2f|Open the run>"));
    for hostile in ["|<!channel>", ">", " y", "ü", "`"] {
        alert["run_url"] = json!(format!("https://x/{hostile}"));
        assert!(!story(&alert, json!({})).contains("Open the run"), "{hostile}");
    }
}

#[test]
fn a_link_is_left_out_when_the_event_lacks_what_it_needs() {
    let mut alert = failed();
    alert["workflow"] = json!({"graph_name": "etl"});
    alert["event"]["subject"] = Value::Null;
    let message = message(&alert, &json!({"link_template": "https://example.com/{run_id}"}));
    assert_eq!(message["blocks"][1]["text"], markdown("The run failed."));
}

/// Alerts of every kind whose every text is this one.
fn alerts_of(text: &str) -> Vec<Value> {
    let mut alert = failed();
    for place in ["namespace", "occurred_at", "id"] {
        alert[place] = json!(text);
    }
    alert["rule"]["name"] = json!(text);
    alert["data"] = json!({"error": text, text: text});
    for field in alert["workflow"].as_object_mut().unwrap().values_mut() {
        *field = json!(text);
    }
    alert["event"] = json!({"id": text, "source": text, "subject": text});
    let group = json!({text: text, "a": text, "b": text, "c": text, "d": text});
    let triggers = [
        json!({"type": "event"}),
        json!({"type": text, "count": text, text: 1}),
        json!({"type": "duration", "elapsed_ms": text, "threshold_ms": 1}),
        json!({"type": "threshold", "count": 2, "window_ms": text, "group": group, "since": text}),
        json!({"type": "threshold", "state": "recovered", "group": group, "since": text,
            "event_type": text}),
    ];
    let types = ["workflow.failed", "workflow.started", "workflow.succeeded", text];
    let all = triggers.iter().flat_map(|trigger| types.iter().map(move |kind| (trigger, kind)));
    all.map(|(trigger, kind)| {
        let mut alert = alert.clone();
        (alert["trigger"], alert["type"]) = (trigger.clone(), json!(kind));
        alert
    })
    .collect()
}

#[test]
fn no_name_can_mention_anybody_make_a_link_or_leave_its_place() {
    let hostile =
        "<!channel> `*x*` & <https://evil.example|bank>\n\u{202e}@here :tada: <!date^1^{ago}|x>";
    let settings = json!({"mention": "here", "link_template": "https://example.com/{graph_name}"});
    for alert in alerts_of(hostile) {
        for text in texts(&message(&alert, &settings)) {
            // What the adapter itself wrote: one mention, one link.
            let text = text.replace("<!here>", "").replace("|Open the run>", "");
            let text = text.replace("<https://example.com/%3C%21channel%3E", "");
            assert!(!text.contains(['<', '>', '\u{202e}']), "{text}");
            assert_eq!(text.matches('`').count() % 2, 0, "{text}");
            for (at, _) in text.match_indices('&') {
                let rest = &text[at..];
                assert!(["&amp;", "&lt;", "&gt;"].iter().any(|e| rest.starts_with(e)), "{text}");
            }
        }
    }
}

#[test]
fn whatever_is_too_long_is_cut_to_what_slack_takes() {
    let units = |text: &Value| text.as_str().unwrap().encode_utf16().count();
    let long = "&é😀<\n".repeat(2_000);
    let settings = json!({"mention": "here", "link_template": "https://example.com/{run_id}"});
    for alert in alerts_of(&long) {
        let message = message(&alert, &settings);
        let blocks = message["blocks"].as_array().unwrap();
        assert!(units(&message["text"]) <= MAX_FALLBACK && blocks.len() <= 50);
        assert!(units(&blocks[0]["text"]["text"]) <= MAX_HEADER);
        for block in blocks {
            if let Some(text) = block.pointer("/text/text") {
                assert!(units(text) <= MAX_SECTION);
                assert!(!text.as_str().unwrap().contains("Open the run"), "half a link");
            }
            let fields = block["fields"].as_array().cloned().unwrap_or_default();
            assert!(fields.len() <= MAX_FIELDS);
            assert!(fields.iter().all(|field| units(&field["text"]) <= MAX_FIELD));
            let elements = block["elements"].as_array().cloned().unwrap_or_default();
            assert!(elements.iter().all(|element| units(&element["text"]) <= MAX_SECTION));
        }
        let together: usize =
            texts(&message["blocks"]).iter().map(|text| text.encode_utf16().count()).sum();
        assert!(together <= MAX_MESSAGE, "{together} units in all blocks");
    }
}

#[test]
fn the_same_delivery_gives_the_same_bytes() {
    let alert = failed();
    assert_eq!(sent(&alert, &json!({})), sent(&alert, &json!({})));
}

#[test]
fn an_alert_or_settings_that_do_not_read_are_rejected() {
    let mut broken = failed();
    broken["namespace"] = Value::Null;
    for (alert, settings) in [(broken, json!({})), (failed(), json!({"mention": "@ada"}))] {
        let step = Slack::next(delivery(&alert, &settings), Vec::new());
        assert!(matches!(step, Step::Done(Verdict::Rejected(_))), "{step:?}");
    }
}
