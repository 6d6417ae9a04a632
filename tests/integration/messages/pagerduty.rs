//! Events of the Events API v2 as the page of the incident that they make.

use serde_json::Value;

use super::page::{self, escaped};

const STYLE: &str = "
body { width: 720px; padding: 20px; background: #f8f9fa; color: #23282c; font-size: 14px; }
.incident { background: #fff; border: 1px solid #dbe0e3; border-radius: 6px; overflow: hidden; }
.head { padding: 16px 20px; border-bottom: 1px solid #dbe0e3; }
.triggered { border-left: 5px solid #d33c3c; } .resolved { border-left: 5px solid #2a8703; }
.status { font-weight: 900; letter-spacing: .02em; margin-right: 8px; }
.triggered .status { color: #d33c3c; } .resolved .status { color: #2a8703; }
.severity { color: #fff; background: #d33c3c; border-radius: 3px; padding: 1px 7px;
  font-size: 12px; font-weight: 700; text-transform: capitalize; }
.severity.warning { background: #c77700; } .severity.info { background: #5c6c78; }
h2 { font-size: 17px; line-height: 1.4; margin: 8px 0 0; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; vertical-align: top; font-weight: 700; color: #56606a; width: 150px; }
td, th { padding: 4px 20px; overflow-wrap: anywhere; }
.part { font-weight: 900; padding: 12px 20px 4px; }
.foot { padding: 12px 20px 16px; }
a { color: #006bd3; text-decoration: none; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
";

/// The incident that these events open, and perhaps resolve.
pub(super) fn page(events: &[Value]) -> String {
    let opened = &events[0];
    assert_eq!(opened["event_action"], "trigger");
    let is_resolved = events.iter().any(|event| event["event_action"] == "resolve");
    assert!(events.iter().all(|event| event["dedup_key"] == opened["dedup_key"]), "one incident");
    let payload = &opened["payload"];
    let (class, status) =
        if is_resolved { ("resolved", "RESOLVED") } else { ("triggered", "TRIGGERED") };
    let severity = string(&payload["severity"]);
    let summary = string(&payload["summary"]);
    let rows = [
        ("Source", &payload["source"]),
        ("Component", &payload["component"]),
        ("Group", &payload["group"]),
        ("Class", &payload["class"]),
        ("Timestamp", &payload["timestamp"]),
        ("Alert key", &opened["dedup_key"]),
    ];
    let rows: String = rows.iter().map(|(name, value)| row(name, value)).collect();
    let details: String =
        payload["custom_details"].as_object().unwrap().iter().map(|(k, v)| row(k, v)).collect();
    let links = opened["links"].as_array().into_iter().flatten();
    let links: String = links
        .map(|link| format!("<a href=\"{}\">{}</a>", string(&link["href"]), string(&link["text"])))
        .collect();
    let resolved = match is_resolved {
        true => row("Resolved", &Value::from("by the integration, under the same alert key")),
        false => String::new(),
    };
    let body = format!(
        "<div class=\"incident {class}\">\n<div class=head>\n<span class=status>{status}</span>\
         <span class=\"severity {severity}\">{severity}</span>\n<h2>{summary}</h2>\n</div>\n\
         <table>\n{rows}{resolved}</table>\n<div class=part>Details</div>\n<table>\n{details}\
         </table>\n<div class=foot>{links} View in {}</div>\n</div>",
        string(&opened["client"])
    );
    page::page(payload["summary"].as_str().unwrap(), STYLE, &body)
}

fn string(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn row(name: &str, value: &Value) -> String {
    let shown = match value {
        Value::Null => return String::new(),
        Value::String(text) if text.contains('\n') => format!("<pre>{}</pre>", escaped(text)),
        Value::String(text) => escaped(text),
        Value::Object(fields) => {
            let rows = fields.iter().map(|(name, value)| match value {
                Value::String(text) => format!("{name}: {}", escaped(text)),
                other => format!("{name}: {}", escaped(&other.to_string())),
            });
            rows.collect::<Vec<_>>().join("<br>")
        }
        other => escaped(&other.to_string()),
    };
    format!("<tr><th>{}</th><td>{shown}</td></tr>\n", escaped(name))
}
