//! Request and response headers as they are stored and handed to adapters, and
//! the names that neither a tenant nor an adapter may set.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq};

use crate::problem::FieldError;

/// Names and values in order; a name may repeat. JSON form: `[["name", "value"], …]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value under `name`, without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Adds one at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for pair in &self.0 {
            seq.serialize_element(pair)?;
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self)
    }
}

/// Headers the host alone sets: framing and routing (RFC 9110, 7.6.1), and the
/// signature, which must not be forgeable by a tenant or an adapter.
const RESERVED: [&str; 17] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-exosphere-signature",
    "x-real-ip",
];

/// Whether only the host may set this header.
pub fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    RESERVED.contains(&name.as_str())
        || name.starts_with("webhook-")
        || name.starts_with("x-forwarded-")
}

/// Longest header value, in bytes: half of what common servers take for a whole head.
pub const MAX_VALUE_BYTES: usize = 4096;

/// What is wrong with a header that a tenant or an adapter wants to send.
/// The pointer is `/<name>`, since tenants write headers as an object.
pub fn problem(name: &str, value: &str) -> Option<FieldError> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let detail = if name.is_empty() || name.len() > 128 || !name.bytes().all(token) {
        "is not a header name: use letters, digits and hyphens, at most 128".to_owned()
    } else if is_reserved(name) {
        "is set by the host and cannot be set here; remove it".to_owned()
    } else if value.len() > MAX_VALUE_BYTES || value.bytes().any(is_control) {
        format!("has a value that is over {MAX_VALUE_BYTES} bytes or holds control characters")
    } else {
        return None;
    };
    Some(at_header(name, &detail))
}

fn at_header(name: &str, detail: &str) -> FieldError {
    let escaped = name.replace('~', "~0").replace('/', "~1");
    FieldError::new(format!("/{escaped}"), format!("header `{name}` {detail}"))
}

/// What is wrong with the headers that a tenant asks for, each with the pointer
/// `/<name>`. A name that differs from another in the case of its letters alone is the
/// same header with two values, of which each receiver picks another.
pub fn problems(headers: &Headers) -> impl Iterator<Item = FieldError> {
    headers.iter().enumerate().filter_map(|(at, (name, value))| {
        let mut before = headers.iter().take(at).map(|(before, _)| before);
        match before.find(|before| before.eq_ignore_ascii_case(name)) {
            None => problem(name, value),
            Some(before) => {
                let detail = format!("is the same as `{before}`; remove one of the two");
                Some(at_header(name, &detail))
            }
        }
    })
}

/// A tab is allowed (RFC 9110, 5.5).
fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

/// Headers of which a request has one (RFC 9110): with two, each receiver picks
/// another, or answers 400.
const SINGLE: [&str; 4] = ["authorization", "content-encoding", "content-type", "user-agent"];

/// The name of a header that stands twice where one may stand, in a request to an
/// endpoint for which the tenant asked for the headers `of_tenant`: one that is
/// single by nature, or one of the tenant's that the adapter sets as well.
pub fn repeated<'h>(sent: &'h Headers, of_tenant: &Headers) -> Option<&'h str> {
    let times = |headers: &Headers, name: &str| {
        headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count()
    };
    let may_not_repeat = |name: &str| {
        let wanted = times(of_tenant, name);
        let is_single = SINGLE.iter().any(|single| single.eq_ignore_ascii_case(name));
        (is_single && times(sent, name) > 1) || (wanted > 0 && times(sent, name) > wanted)
    };
    sent.iter().map(|(name, _)| name).find(|name| may_not_repeat(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_cannot_set_what_frames_routes_or_signs_the_request() {
        for name in ["Host", "Content-Length", "webhook-signature", "X-Forwarded-For", "TE"] {
            assert!(problem(name, "x").is_some(), "{name}");
        }
        assert_eq!(problem("X-Team", "payments"), None);
    }

    #[test]
    fn a_value_cannot_smuggle_a_second_header() {
        assert!(problem("X-Team", "a\r\nHost: b").is_some());
    }

    #[test]
    fn a_header_that_a_tenant_names_twice_is_refused_at_the_second() {
        let headers =
            Headers::from_iter([("X-Team", "a"), ("Host", "b"), ("x-team", "c"), ("X-Teams", "d")]);
        let pointers: Vec<_> = problems(&headers).map(|problem| problem.pointer).collect();
        assert_eq!(pointers, ["/Host", "/x-team"]);
    }

    #[test]
    fn a_name_is_a_token_and_a_value_printable_text() {
        for name in ["", "X Team", "X-Tëam", "X:Team", &"x".repeat(129)] {
            let told = problem(name, "x").map(|problem| problem.detail).unwrap_or_default();
            assert!(told.contains("not a header name"), "{name:?}: {told}");
        }
        assert_eq!(problem(&"x".repeat(128), "payments"), None);
    }

    #[test]
    fn a_header_that_two_sides_set_is_found() {
        let headers = |names: &[&str]| names.iter().map(|name| (*name, "x")).collect::<Headers>();
        for (sent, of_tenant, found) in [
            (
                &["Authorization", "authorization"][..],
                &["Authorization"][..],
                Some("Authorization"),
            ),
            (&["authorization", "authorization"], &[], Some("authorization")),
            (&["X-Key", "x-key"], &["X-Key"], Some("X-Key")),
            (&["X-Key", "x-key"], &["X-Key", "x-key"], None),
            (&["accept", "accept"], &[], None),
            (&["authorization", "content-type"], &["authorization"], None),
        ] {
            assert_eq!(repeated(&headers(sent), &headers(of_tenant)), found, "{sent:?}");
        }
    }

    #[test]
    fn headers_are_found_without_regard_to_case_and_kept_in_their_order() {
        let mut headers = Headers::default();
        assert!(headers.is_empty());
        headers.push("X-Team", "one");
        headers.push("x-team", "two");
        assert_eq!((headers.len(), headers.get("X-TEAM")), (2, Some("one")));
        let json = serde_json::to_string(&headers).unwrap();
        assert_eq!(json, r#"[["X-Team","one"],["x-team","two"]]"#);
        assert_eq!(serde_json::from_str::<Headers>(&json).unwrap(), headers);
    }
}
