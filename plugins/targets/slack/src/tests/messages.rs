use super::*;

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
        "text": "🔴 Workflow failed: etl (prod)",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "🔴 Workflow failed: etl", "emoji": false}},
            {"type": "section", "text": markdown("<!subteam^S0614TZR7> Rule `Failed runs` fired in `prod`. <https://exosphere.example.com/prod?graph=etl&amp;run=7b2f|Open the run>")},
            {"type": "section", "fields": [
                markdown("*Namespace*\n`prod`"),
                markdown("*Graph*\n`etl`"),
                markdown("*Run*\n`7b2f`"),
                markdown("*Status*\n`FAILED`"),
                markdown("*Node*\n`load`"),
                markdown("*Failed state*\n`65f0c0ffee`"),
                markdown("*States*\n`3 errored, 7 succeeded, 10 in all`"),
                markdown("*Duration*\n`1 min 23 s`"),
                markdown("*Started*\n`2025-12-31T23:58:37Z`"),
                markdown("*Finished*\n`2026-01-01T00:00:00Z`"),
            ]},
            {"type": "context", "elements": [markdown("`workflow.failed` at 2026-01-01T00:00:00Z, delivery `dlv_01`")]},
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
    let golden = json!([
        {"type": "header", "text": {"type": "plain_text", "text": "🟢 Workflow succeeded: etl", "emoji": false}},
        {"type": "section", "text": markdown("Rule `Failed runs` fired in `prod`.")},
        {"type": "section", "fields": [
            markdown("*Namespace*\n`prod`"),
            markdown("*Graph*\n`etl`"),
            markdown("*Run*\n`7`"),
            markdown("*Duration*\n`2 h 3 min`"),
        ]},
        {"type": "context", "elements": [markdown("`workflow.succeeded` at 2026-01-01T00:00:00Z, delivery `dlv_01`")]},
    ]);
    assert_eq!(message["blocks"], golden);
}

#[test]
fn an_event_of_another_kind_is_told_by_its_source_and_subject() {
    let mut alert = failed();
    alert["type"] = json!("disk.full");
    alert["workflow"] = json!({});
    alert["trigger"] = json!({"type": "threshold", "count": 12, "window_ms": 60_000});
    let message = message(&alert, &json!({}));
    assert_eq!(message["text"], "🔵 disk.full: graph/etl/run/7b2f (prod)");
    let sentence = "Rule `Failed runs` fired in `prod` (threshold: `count 12, window_ms 60000`).";
    assert_eq!(message["blocks"][1]["text"], markdown(sentence));
    let fields = json!([
        markdown("*Namespace*\n`prod`"),
        markdown("*Source*\n`/v0/namespace/prod`"),
        markdown("*Subject*\n`graph/etl/run/7b2f`"),
    ]);
    assert_eq!(message["blocks"][2]["fields"], fields);
}

#[test]
fn fields_are_left_out_on_request_and_data_shown_where_the_endpoint_has_it() {
    let mut alert = failed();
    alert["data"] = json!({"error": "``` <!channel> & more"});
    let message = message(&alert, &json!({"show_fields": false}));
    assert_eq!(message["blocks"].as_array().unwrap().len(), 4);
    let data = r#"```{"error":"''' &lt;!channel&gt; &amp; more"}```"#;
    assert_eq!(message["blocks"][2]["text"], markdown(data));
}

#[test]
fn a_link_is_left_out_when_the_event_lacks_what_it_needs() {
    let mut alert = failed();
    alert["workflow"] = json!({"graph_name": "etl"});
    let message = message(&alert, &json!({"link_template": "https://example.com/{run_id}"}));
    assert_eq!(message["blocks"][1]["text"], markdown("Rule `Failed runs` fired in `prod`."));
}

#[test]
fn no_name_can_mention_anybody_make_a_link_or_leave_its_place() {
    let hostile = "<!channel> `*x*` & <https://evil.example|bank>\n\u{202e}@here :tada:";
    let mut alert = failed();
    for place in ["namespace", "type", "occurred_at", "id"] {
        alert[place] = json!(hostile);
    }
    alert["rule"]["name"] = json!(hostile);
    alert["trigger"] = json!({"type": hostile, "count": hostile, hostile: 1});
    alert["data"] = json!(hostile);
    for field in alert["workflow"].as_object_mut().unwrap().values_mut() {
        *field = json!(hostile);
    }
    let settings = json!({"mention": "here", "link_template": "https://example.com/{graph_name}"});
    let message = message(&alert, &settings);
    for text in texts(&message) {
        // What the adapter itself wrote: one mention, one link.
        let text = text.replace("<!here>", "").replace("|Open the run>", "");
        let text = text.replace("<https://example.com/%3C%21channel%3E", "");
        assert!(!text.contains(['<', '>', '\u{202e}']), "{text}");
        assert!(text.lines().count() <= 2 && text.matches('`').count() % 2 == 0, "{text}");
        for (at, _) in text.match_indices('&') {
            let rest = &text[at..];
            assert!(["&amp;", "&lt;", "&gt;"].iter().any(|e| rest.starts_with(e)), "{text}");
        }
    }
}

#[test]
fn oversized_fields_are_cut_to_what_slack_takes() {
    let long = "&é😀<".repeat(2_000);
    let mut alert = failed();
    alert["namespace"] = json!(long);
    alert["type"] = json!(long);
    alert["id"] = json!(long);
    alert["rule"]["name"] = json!(long);
    alert["trigger"] = json!({"type": long, "figure": long});
    alert["data"] = json!({"error": long});
    for field in alert["workflow"].as_object_mut().unwrap().values_mut() {
        *field = json!(long);
    }
    let settings = json!({"mention": "here", "link_template": "https://example.com/{run_id}"});
    let message = message(&alert, &settings);
    let units = |text: &Value| text.as_str().unwrap().encode_utf16().count();
    let blocks = message["blocks"].as_array().unwrap();
    assert!(units(&message["text"]) <= 300 && blocks.len() <= 50);
    assert!((145..=150).contains(&units(&blocks[0]["text"]["text"])));
    assert!(blocks[0]["text"]["text"].as_str().unwrap().ends_with('…'));
    assert!(units(&blocks[1]["text"]["text"]) <= 3_000);
    assert!(!blocks[1]["text"]["text"].as_str().unwrap().contains("Open the run"));
    let fields = blocks[2]["fields"].as_array().unwrap();
    assert!(fields.len() <= 10 && fields.iter().all(|field| units(&field["text"]) <= 2_000));
    assert!((2_995..=3_000).contains(&units(&blocks[3]["text"]["text"])));
    assert!(units(&blocks[4]["elements"][0]["text"]) <= 3_000);
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
