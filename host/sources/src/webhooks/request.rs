//! A request as its sender made it.

use alerts_domain::json;
use alerts_domain::problem::FieldError;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header};
use serde_json::{Map, Value, json};

/// Headers by which senders prove who they are. No expression sees them: what it makes is
/// stored, and shown.
const SECRET: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("x-exosphere-token"),
    HeaderName::from_static("x-gitlab-token"),
];

/// A request to a webhook in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// All of its headers.
    pub headers: HeaderMap,
    /// The parameters of its query, in order.
    pub query: Vec<(String, String)>,
    /// Its body, as it came.
    pub body: Bytes,
}

impl Incoming {
    /// The text of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, if it is JSON that two readers would read alike.
    pub(super) fn json(&self) -> Result<Value, Vec<FieldError>> {
        let body = json::without_byte_order_mark(&self.body);
        json::check(body).map_err(|error| {
            let detail = format!("the body {}", error.fault);
            vec![FieldError::new(error.pointer, detail)]
        })?;
        serde_json::from_slice(body)
            .map_err(|error| vec![FieldError::new("", format!("the body is not JSON: {error}"))])
    }

    /// As expressions see it: `{"request": {"headers", "query", "body"}}`. Names of headers
    /// are in lower case; of a name that is there twice both values count, as one text.
    pub(super) fn shown(&self, body: Value) -> Value {
        let mut headers = Map::new();
        for name in self.headers.keys().filter(|name| !SECRET.contains(name)) {
            let values: Vec<_> =
                self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            headers.insert(name.as_str().to_owned(), values.join(", ").into());
        }
        let query = self.query.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
        let query: Map<String, Value> = query.collect();
        json!({"request": {"headers": headers, "query": query, "body": body}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_sees_a_request_without_what_proves_its_sender() {
        let headers = [
            ("x-event", "a"),
            ("x-event", "b"),
            ("authorization", "Bearer hush"),
            ("x-gitlab-token", "hush"),
            ("x-exosphere-token", "hush"),
            ("cookie", "hush"),
        ];
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value.parse().unwrap());
        }
        let (query, body) = (vec![("team".into(), "ada".into())], b"\xef\xbb\xbf{\"a\": 1}");
        let request = Incoming { headers: all, query, body: Bytes::from_static(body) };
        let shown = request.shown(request.json().unwrap());
        let expected = json!({"request": {"headers": {"x-event": "a, b"},
            "query": {"team": "ada"}, "body": {"a": 1}}});
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_body_that_two_readers_would_read_in_two_ways_is_refused_with_its_place() {
        let of = |body: &'static str| {
            let (headers, query) = (HeaderMap::new(), Vec::new());
            let body = Bytes::from_static(body.as_bytes());
            Incoming { headers, query, body }.json().map_err(|errors| errors[0].pointer.clone())
        };
        assert_eq!(of("[1]"), Ok(json!([1])));
        assert_eq!(of(r#"{"a": {"b": 1, "b": 2}}"#), Err("/a/b".to_owned()));
        assert!(of("{").is_err() && of("").is_err() && of("a=1").is_err());
    }
}
