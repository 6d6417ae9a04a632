//! The checks at the door: takes attributes out one by one and collects what is wrong
//! with them.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::cloud_event::Event;
use super::{content, time};
use crate::problem::{FieldError, pointer_to};
use crate::tenant::TenantId;

/// Longest `id`, `source`, `type` or `subject`, in bytes: they are index keys.
pub(super) const MAX_ATTRIBUTE_BYTES: usize = 512;

impl Event {
    /// The event with these attributes, which are those of `body`.
    pub(super) fn check(
        attributes: &Map<String, Value>,
        body: Bytes,
    ) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader { attributes, problems: Vec::new() };
        match attributes.get("specversion") {
            Some(Value::String(version)) if version == "1.0" => {}
            Some(other) => reader.refuse("specversion", format!("must be \"1.0\", not {other}")),
            None => reader.refuse("specversion", "is required: add \"specversion\": \"1.0\""),
        }
        let id = reader.required("id");
        let source = reader.required("source");
        let event_type = reader.required("type");
        let subject = reader.optional("subject");
        let time = reader.time();
        let namespace = reader.namespace();
        for name in ["datacontenttype", "dataschema"] {
            if !matches!(attributes.get(name), None | Some(Value::Null | Value::String(_))) {
                reader.refuse(name, "must be a string");
            }
        }
        reader.extensions();
        reader.problems.extend(content::check(attributes).err());
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        let shown = content::shown(attributes, time, &body);
        Ok(Self { id, source, event_type, subject, time, namespace, body, shown })
    }
}

struct Reader<'a> {
    attributes: &'a Map<String, Value>,
    problems: Vec<FieldError>,
}

impl Reader<'_> {
    fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        let detail = format!("`{name}` {}", detail.into());
        self.problems.push(FieldError::new(pointer_to(name), detail));
    }

    fn optional(&mut self, name: &str) -> Option<String> {
        match self.attributes.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => {
                self.refuse(name, "must not be empty");
                None
            }
            Some(Value::String(text)) if text.len() > MAX_ATTRIBUTE_BYTES => {
                self.refuse(name, format!("must be at most {MAX_ATTRIBUTE_BYTES} bytes long"));
                None
            }
            Some(Value::String(text)) if text.contains('\0') => {
                self.refuse(name, "must not hold a NUL character");
                None
            }
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.refuse(name, "must be a string");
                None
            }
        }
    }

    fn required(&mut self, name: &str) -> String {
        if matches!(self.attributes.get(name), None | Some(Value::Null)) {
            self.refuse(name, "is required");
        }
        self.optional(name).unwrap_or_default()
    }

    fn time(&mut self) -> Option<Timestamp> {
        let text = self.optional("time")?;
        let time = time::rfc3339(&text);
        if time.is_none() {
            self.refuse("time", time::FORMS);
        }
        time.filter(time::was_set)
    }

    fn namespace(&mut self) -> Option<TenantId> {
        let name = self.optional("namespace")?;
        match TenantId::new(&name) {
            Ok(tenant) => Some(tenant),
            Err(error) => {
                self.problems.push(error.under("/namespace"));
                None
            }
        }
    }

    /// Attribute names are lower-case letters and digits, values are scalars
    /// (CloudEvents 1.0, 3.1 and JSON format 2.2).
    fn extensions(&mut self) {
        let attributes = self.attributes;
        if attributes.contains_key("data") && attributes.contains_key("data_base64") {
            self.refuse("data_base64", "and `data` exclude each other: send one of them");
        }
        for (name, value) in attributes {
            if name == "data" || name == "data_base64" {
                continue;
            }
            let known = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            if name.is_empty() || !known {
                self.refuse(
                    name,
                    "is not a CloudEvents attribute name: use lower-case letters and digits, and \
                     put other fields under `data`",
                );
            } else if value.is_object() || value.is_array() {
                self.refuse(name, "must be a string, number or boolean; put it under `data`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(json: &str) -> Vec<String> {
        let read = Event::from_structured(Bytes::copy_from_slice(json.as_bytes()));
        read.expect_err("refused").into_iter().map(|error| error.pointer).collect()
    }

    fn with_time(time: &str) -> Result<Event, Vec<FieldError>> {
        let event = serde_json::json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "t",
            "time": time});
        Event::from_structured(Bytes::from(event.to_string()))
    }

    #[test]
    fn every_missing_attribute_is_named_at_once() {
        assert_eq!(pointers("{}"), ["/specversion", "/id", "/source", "/type"]);
    }

    #[test]
    fn a_time_that_is_not_rfc_3339_is_refused_with_the_forms_that_are_taken() {
        for time in ["2026-01-01T10:00:00", "2026-01-01T10:00:00+00", "2026-01-01 10:00:00Z", "now"]
        {
            let errors = with_time(time).unwrap_err();
            assert_eq!(errors[0].pointer, "/time", "{time}");
            assert!(errors[0].detail.contains("2026-01-31T13:00:00+01:00"), "{}", errors[0].detail);
        }
    }

    #[test]
    fn a_time_that_was_never_set_counts_as_absent() {
        let event = with_time("0001-01-01T00:00:00Z").unwrap();
        assert_eq!(event.time, None);
        assert!(!String::from_utf8_lossy(&event.shown()).contains("0001"), "nor is it shown");
        assert!(String::from_utf8_lossy(&event.body).contains("0001"), "though it is kept");
    }

    #[test]
    fn unknown_attributes_must_be_named_as_the_specification_says() {
        let json =
            r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","Graph_Name":"g","x":{}}"#;
        assert_eq!(pointers(json), ["/Graph_Name", "/x"]);
    }

    #[test]
    fn an_attribute_that_cannot_be_kept_is_refused_by_name() {
        let with = |name: &str, value: Value| {
            let mut event = serde_json::json!({"specversion": "1.0", "id": "1", "source": "/a",
                "type": "t"});
            event[name] = value;
            pointers(&event.to_string())
        };
        let long = "x".repeat(MAX_ATTRIBUTE_BYTES + 1);
        for value in ["", "a\0b", long.as_str()] {
            assert_eq!(with("subject", value.into()), ["/subject"], "{value:?}");
        }
        assert_eq!(with("subject", 7.into()), ["/subject"]);
        assert_eq!(with("namespace", "*".into()), ["/namespace"]);
        assert_eq!(with("data_base64", "%%%".into()), ["/data_base64"]);
        assert_eq!(with("datacontenttype", 7.into()), ["/datacontenttype"]);
    }

    #[test]
    fn data_is_told_once() {
        let json = r#"{"specversion":"1.0","id":"1","source":"/a","type":"t",
            "data":{},"data_base64":"e30="}"#;
        assert_eq!(pointers(json), ["/data_base64"]);
    }
}
