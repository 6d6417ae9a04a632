//! Where a value is put in, which decides how it is escaped.

use std::borrow::Cow;

/// A place in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
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
    pub(crate) fn of_body(content_type: Option<&str>) -> Self {
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

    /// A value as it is written there.
    pub(super) fn escape(self, value: &str) -> Cow<'_, str> {
        match self {
            Self::Header | Self::Plain => Cow::Borrowed(value),
            Self::Form => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
            Self::Url => {
                // Form encoding writes a space as `+`, which a path takes literally.
                let encoded: String =
                    url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                Cow::Owned(encoded.replace('+', "%20"))
            }
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                Cow::Owned(quoted[1..quoted.len() - 1].to_owned())
            }
        }
    }
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
