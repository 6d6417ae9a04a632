//! Block Kit as a page: the blocks that the adapter writes.

use serde_json::Value;

use super::mrkdwn;
use super::page;

const STYLE: &str = "
body { width: 720px; padding: 20px; background: #fff; color: #1d1c1d; }
.message { display: flex; gap: 10px; margin-bottom: 18px; }
.avatar { flex: none; width: 36px; height: 36px; border-radius: 6px; background: #031035;
  color: #87ceeb; font-weight: 900; text-align: center; line-height: 36px; }
.who { font-weight: 900; } .app { font-size: 10px; font-weight: 700; background: #e8e8e8;
  color: #616061; border-radius: 3px; padding: 1px 4px; margin: 0 6px; vertical-align: 1px; }
.clock { color: #616061; font-size: 12px; }
.content { flex: 1; min-width: 0; }
h3 { margin: 4px 0 6px; font-size: 18px; line-height: 1.33; font-weight: 900; }
.section { margin: 6px 0; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin: 10px 0; }
.context { color: #616061; font-size: 13px; margin-top: 8px; }
code { color: #c01343; background: #f6f6f6; border: 1px solid #dddddd; border-radius: 3px;
  padding: 1px 3px; overflow-wrap: anywhere; }
pre { background: #f8f8f8; border: 1px solid #dddddd; border-radius: 4px; padding: 8px;
  margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
a { color: #1264a3; text-decoration: none; }
.mention { color: #1264a3; background: #1d9bd11a; border-radius: 3px; padding: 0 2px; }
";

/// Messages, the first one above.
pub(super) fn page(messages: &[Value]) -> String {
    let body: String = messages.iter().map(message).collect();
    let title = messages[0]["text"].as_str().unwrap();
    page::page(title, STYLE, &body)
}

fn message(message: &Value) -> String {
    let blocks: String = message["blocks"].as_array().unwrap().iter().map(block).collect();
    format!(
        "<div class=message>\n<div class=avatar>E</div>\n<div class=content>\n\
         <span class=who>Exosphere Alerts</span><span class=app>APP</span>\n{blocks}</div>\n</div>\n"
    )
}

fn block(block: &Value) -> String {
    match block["type"].as_str().unwrap() {
        "header" => format!("<h3>{}</h3>\n", text(&block["text"])),
        "section" => match block.get("fields") {
            Some(fields) => format!("<div class=fields>\n{}</div>\n", items(fields)),
            None => format!("<div class=section>{}</div>\n", text(&block["text"])),
        },
        "context" => format!("<div class=context>\n{}</div>\n", items(&block["elements"])),
        other => panic!("no renderer of a block `{other}`"),
    }
}

fn items(texts: &Value) -> String {
    let texts = texts.as_array().unwrap().iter();
    texts.map(|item| format!("<div>{}</div>\n", text(item))).collect()
}

fn text(text: &Value) -> String {
    let shown = text["text"].as_str().unwrap();
    match text["type"].as_str().unwrap() {
        "mrkdwn" => mrkdwn::html(shown),
        "plain_text" => mrkdwn::plain(shown),
        other => panic!("no renderer of a text `{other}`"),
    }
}
