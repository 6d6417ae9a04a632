//! How secret values get in place of their references as the bytes leave, and out
//! again of what comes back.

use alerts_domain::exchange::Response;
use bytes::Bytes;

use crate::live::{LiveEndpoint, Reference};

/// Where a value is put in, which decides how it is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Percent-encoded.
    Url,
    /// As it is; control characters are refused later with the whole header.
    Header,
    /// Inside a JSON string.
    Json,
    /// Inside `application/x-www-form-urlencoded`.
    Form,
    /// Any other body: as it is.
    Plain,
}

impl Place {
    /// Of a body with this content type.
    pub(super) fn of_body(content_type: Option<&str>) -> Self {
        let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let media = media.to_ascii_lowercase();
        if media == "application/json" || media.ends_with("+json") {
            Self::Json
        } else if media == "application/x-www-form-urlencoded" {
            Self::Form
        } else {
            Self::Plain
        }
    }

    fn escape(self, value: &str) -> String {
        match self {
            Self::Header | Self::Plain => value.to_owned(),
            Self::Form => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
            Self::Url => {
                // Form encoding writes a space as `+`, which a path takes literally.
                let encoded: String =
                    url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                encoded.replace('+', "%20")
            }
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
        }
    }
}

/// Puts values in place of references. Says whether there was any.
pub(super) fn fill(text: &str, endpoint: &LiveEndpoint, place: Place) -> Option<String> {
    let mut filled: Option<String> = None;
    for reference in endpoint.references() {
        let current = filled.as_deref().unwrap_or(text);
        if current.contains(&reference.text) {
            let value = reference.value.expose();
            let value = match place {
                Place::Url if reference.is_url_part => value.to_owned(),
                _ => place.escape(value),
            };
            filled = Some(current.replace(&reference.text, &value));
        }
    }
    filled
}

/// The same for a body. A body that is not UTF-8 cannot hold a reference.
pub(super) fn fill_body(body: &Bytes, endpoint: &LiveEndpoint, place: Place) -> Option<Bytes> {
    if endpoint.references().is_empty() {
        return None;
    }
    fill(std::str::from_utf8(body).ok()?, endpoint, place).map(Bytes::from)
}

/// Puts references back where a target echoed a value, so that nothing that is
/// stored or shown to the adapter holds it.
pub(super) fn hide(mut response: Response, endpoint: &LiveEndpoint) -> Response {
    for Reference { text: reference, value, .. } in endpoint.references() {
        let value = value.expose();
        if value.is_empty() {
            continue;
        }
        if let Ok(text) = std::str::from_utf8(&response.body)
            && text.contains(value)
        {
            response.body = text.replace(value, reference).into();
        }
        if response.headers.iter().any(|(_, text)| text.contains(value)) {
            let hidden =
                response.headers.iter().map(|(name, text)| (name, text.replace(value, reference)));
            response.headers = hidden.collect();
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_escaped_for_the_place_it_goes_to() {
        let value = "a\"b/c d&e";
        assert_eq!(Place::Url.escape(value), "a%22b%2Fc%20d%26e");
        assert_eq!(Place::Form.escape(value), "a%22b%2Fc+d%26e");
        assert_eq!(Place::Json.escape(value), "a\\\"b/c d&e");
        assert_eq!(Place::Header.escape(value), value);
    }

    #[test]
    fn the_content_type_decides_the_place() {
        assert_eq!(Place::of_body(Some("application/json; charset=utf-8")), Place::Json);
        assert_eq!(Place::of_body(Some("application/cloudevents+json")), Place::Json);
        assert_eq!(Place::of_body(Some("Application/X-WWW-Form-URLencoded")), Place::Form);
        assert_eq!(Place::of_body(None), Place::Plain);
    }
}
