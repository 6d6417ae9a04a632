//! The event's data in a message, where the endpoint asked for it: the error first,
//! with its lines as they are, then whatever the fields above do not say already.

use std::collections::BTreeMap;

use exosphere_alerts_sdk::Workflow;
use serde_json::value::RawValue;

use crate::text::code_block;

/// Longest error. A section takes 3,000, but with all else the message would be too
/// long as a whole (`MAX_MESSAGE`).
const MAX_ERROR: usize = 2000;
/// Longest of the other data, for the same reason.
const MAX_REST: usize = 1500;

/// The texts of the sections that show it.
pub(crate) fn texts(data: &RawValue) -> Vec<String> {
    let Ok(mut fields) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(data.get()) else {
        return vec![code_block(data.get(), MAX_ERROR)];
    };
    let error: Option<String> =
        fields.get("error").and_then(|error| serde_json::from_str(error.get()).ok());
    let mut texts = Vec::new();
    if let Some(error) = error.filter(|error| !error.trim().is_empty()) {
        fields.remove("error");
        texts.push(format!("*Error*\n{}", code_block(&error, MAX_ERROR)));
    }
    fields.retain(|name, value| !is_told_above(name, value.get()));
    if !fields.is_empty() {
        let rest = serde_json::to_string(&fields).unwrap_or_default();
        texts.push(format!("*Data*\n{}", code_block(&rest, MAX_REST)));
    }
    texts
}

fn is_told_above(name: &str, value: &str) -> bool {
    let is_known = name == "namespace" || Workflow::FIELDS.contains(&name);
    is_known && !value.starts_with(['{', '['])
}
