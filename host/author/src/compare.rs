//! What differs between two requests or verdicts, field by field.

use alerts_domain::exchange::{Request, Step, Verdict};
use bytes::Bytes;
use serde_json::Value;

/// Most differences that are told of one body.
const MAX_DIFFERENCES: usize = 40;
/// Longest value that is shown, in characters.
const MAX_VALUE_CHARS: usize = 120;

/// One line for each field that differs: `was → is`.
pub(crate) fn requests(was: &Request, is: &Request) -> Vec<String> {
    let mut found = Vec::new();
    let mut field = |name: &str, was: &str, is: &str| {
        if was != is {
            found.push(format!("{name}: {} → {}", short(was), short(is)));
        }
    };
    field("method", &was.method, &is.method);
    field("url", &was.url, &is.url);
    field("sign", &was.sign.to_string(), &is.sign.to_string());
    let mut names: Vec<String> = was
        .headers
        .iter()
        .chain(is.headers.iter())
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.sort();
    names.dedup();
    for name in names {
        let values = |request: &Request| {
            let of_name =
                request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(&name));
            of_name.map(|(_, value)| value.to_owned()).collect::<Vec<_>>().join(", ")
        };
        let present = |request: &Request| request.headers.get(&name).is_some();
        match (present(was), present(is)) {
            (true, false) => found.push(format!("header {name}: {} → (none)", short(&values(was)))),
            (false, true) => found.push(format!("header {name}: (none) → {}", short(&values(is)))),
            _ => {
                let (was, is) = (values(was), values(is));
                if was != is {
                    found.push(format!("header {name}: {} → {}", short(&was), short(&is)));
                }
            }
        }
    }
    bodies(&was.body, &is.body, &mut found);
    found
}

fn bodies(was: &Bytes, is: &Bytes, found: &mut Vec<String>) {
    if was == is {
        return;
    }
    match (serde_json::from_slice(was), serde_json::from_slice(is)) {
        (Ok(was), Ok(is)) => {
            let before = found.len();
            values("", &was, &is, found);
            if found.len() == before {
                found.push("body: the same JSON, written differently".to_owned());
            }
            let most = before + MAX_DIFFERENCES;
            if found.len() > most {
                let more = found.len() - most;
                found.truncate(most);
                found.push(format!("body: and {more} more"));
            }
        }
        _ => found.push(format!(
            "body: {} → {}",
            short(&String::from_utf8_lossy(was)),
            short(&String::from_utf8_lossy(is))
        )),
    }
}

fn values(at: &str, was: &Value, is: &Value, found: &mut Vec<String>) {
    let deeper = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            for (key, value) in was {
                match is.get(key) {
                    Some(other) => values(&deeper(key), value, other, found),
                    None => found.push(format!("body {}: {} → (none)", deeper(key), shown(value))),
                }
            }
            for (key, value) in is.iter().filter(|(key, _)| !was.contains_key(*key)) {
                found.push(format!("body {}: (none) → {}", deeper(key), shown(value)));
            }
        }
        (Value::Array(was), Value::Array(is)) if was.len() == is.len() => {
            for (index, (was, is)) in was.iter().zip(is).enumerate() {
                values(&deeper(&index.to_string()), was, is, found);
            }
        }
        (was, is) if was != is => {
            let place = if at.is_empty() { "as a whole" } else { at };
            found.push(format!("body {place}: {} → {}", shown(was), shown(is)));
        }
        _ => {}
    }
}

/// What differs between two steps.
pub(crate) fn steps(was: &Step, is: &Step) -> Vec<String> {
    let named = |step: &Step| match step {
        Step::Send(_) => "a request, to be asked again".to_owned(),
        Step::SendLast(_) => "a last request".to_owned(),
        Step::Done(verdict) => crate::show::verdict(verdict),
    };
    match (was, is) {
        (Step::Send(was), Step::Send(is)) | (Step::SendLast(was), Step::SendLast(is)) => {
            requests(was, is)
        }
        (was, is) if was == is => Vec::new(),
        (was, is) => vec![format!("{} → {}", named(was), named(is))],
    }
}

/// Whether a verdict is of this word and says this, as an attempt keeps it.
pub(crate) fn reason(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Delivered(_) => None,
        Verdict::Retry { reason, .. } | Verdict::Rejected(reason) | Verdict::Gone(reason) => {
            Some(reason)
        }
    }
}

fn shown(value: &Value) -> String {
    short(&value.to_string())
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(MAX_VALUE_CHARS).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("`{}{dots}`", cut.replace('\n', "\\n").replace('\r', "\\r"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, header: Option<&str>, body: &str) -> Request {
        Request {
            method: "POST".into(),
            url: url.into(),
            headers: header.map(|value| ("X-Team", value)).into_iter().collect(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            sign: false,
        }
    }

    #[test]
    fn each_field_that_differs_is_a_line() {
        let was = request("https://a.example/", Some("one"), r#"{"a":[1,2],"gone":true}"#);
        let is = request("https://b.example/", None, r#"{"a":[1,3],"new/x":null}"#);
        assert_eq!(
            requests(&was, &is),
            [
                "url: `https://a.example/` → `https://b.example/`",
                "header x-team: `one` → (none)",
                "body /a/1: `2` → `3`",
                "body /gone: `true` → (none)",
                "body /new~1x: (none) → `null`",
            ]
        );
        assert!(requests(&was, &was).is_empty());
    }

    #[test]
    fn a_body_that_is_written_differently_is_told_apart_from_one_that_says_something_else() {
        let (was, is) = (request("u", None, r#"{"a":1}"#), request("u", None, r#"{ "a": 1 }"#));
        assert_eq!(requests(&was, &is), ["body: the same JSON, written differently"]);
    }
}
