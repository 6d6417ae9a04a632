//! How a rule fired, as adapters read it in an alert.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// How a rule fired: its `type`, and figures that depend on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trigger(BTreeMap<String, Box<RawValue>>);

impl Trigger {
    /// The `type`: `event`, `duration`, `threshold` or `test`.
    pub fn kind(&self) -> &str {
        let quoted = self.0.get("type").map_or("", |kind| kind.get());
        quoted.trim_matches('"')
    }

    /// Whether too much of something was counted, or is no longer.
    pub fn is_threshold(&self) -> bool {
        self.kind() == "threshold"
    }

    /// Whether there is no longer too much: the end of what an earlier alert told of.
    pub fn is_recovery(&self) -> bool {
        self.figure::<String>("state").is_some_and(|state| state == "recovered")
    }

    /// A threshold's group, field by field; empty for a rule without groups.
    pub fn group(&self) -> Map<String, Value> {
        self.figure("group").unwrap_or_default()
    }

    /// What tells a threshold's groups apart: the same for the same group, however
    /// much of its values is shown. Empty for a rule without groups.
    pub fn group_key(&self) -> String {
        self.figure("group_key").unwrap_or_else(|| match self.group() {
            group if group.is_empty() => String::new(),
            group => Value::from(group).to_string(),
        })
    }

    /// A figure by its name; none when it is not there, or is of another type.
    pub fn figure<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    /// Name and JSON text of each figure, in the order of the names.
    pub fn figures(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter().map(|(name, figure)| (name.as_str(), figure.get()));
        all.filter(|(name, _)| *name != "type")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(json: &str) -> Trigger {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_trigger_names_its_figures() {
        let fired = trigger(r#"{"type":"threshold","count":3}"#);
        assert_eq!(fired.kind(), "threshold");
        assert_eq!(fired.figures().collect::<Vec<_>>(), [("count", "3")]);
        assert_eq!((fired.figure("count"), fired.figure::<u64>("limit")), (Some(3), None));
        assert_eq!(fired.figure::<String>("count"), None);
    }

    #[test]
    fn a_group_is_told_apart_by_its_key_and_without_one_by_its_values() {
        let grouped = |rest: &str| trigger(&format!(r#"{{"type":"threshold"{rest}}}"#)).group_key();
        assert_eq!(grouped(r#","group":{"a":"x"},"group_key":"0f""#), "0f");
        assert_eq!(grouped(r#","group":{"a":"x"}"#), r#"{"a":"x"}"#);
        assert_eq!(grouped(""), "");
    }

    #[test]
    fn only_a_threshold_says_that_it_has_recovered() {
        assert!(trigger(r#"{"type":"threshold","state":"recovered"}"#).is_recovery());
        assert!(!trigger(r#"{"type":"threshold","state":1}"#).is_recovery());
        assert!(!trigger(r#"{"type":"event"}"#).is_threshold());
    }
}
