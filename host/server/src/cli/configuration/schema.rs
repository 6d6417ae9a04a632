//! The JSON Schema of the files, made from the types that read them.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::super::Failure;
use super::types::ConfigurationFile;
use crate::say::say;

/// Where OpenAPI keeps schemas that others refer to.
const COMPONENTS: &str = "#/components/schemas/";

/// `exosphere-alerts configuration-schema`.
pub(in crate::cli) fn print_schema() -> Result<(), Failure> {
    say(document());
    Ok(())
}

/// The schema, indented. The same text as `docs/schemas/configuration.v1.json`.
fn document() -> String {
    let mut found = Vec::new();
    ConfigurationFile::schemas(&mut found);
    let json = |schema| serde_json::to_value(schema).unwrap_or_default();
    let definitions: Map<String, Value> =
        found.into_iter().map(|(name, schema)| (name, json(schema))).collect();
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://exosphere.dev/schemas/alerts/configuration.v1.json",
        "title": "Exosphere Alerts: configuration",
    });
    if let (Some(document), Value::Object(root)) =
        (document.as_object_mut(), json(ConfigurationFile::schema()))
    {
        document.extend(root);
        document.insert("$defs".to_owned(), definitions.into());
    }
    refer_to_definitions(&mut document);
    format!("{document:#}")
}

/// What OpenAPI keeps among its components, a schema has in itself.
fn refer_to_definitions(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                *reference = reference.replace(COMPONENTS, "#/$defs/");
            }
            // OpenAPI 3.1 has it, JSON Schema has `examples`.
            if let Some(example) = members.remove("example") {
                members.insert("examples".to_owned(), Value::Array(vec![example]));
            }
            members.values_mut().for_each(refer_to_definitions);
        }
        Value::Array(items) => items.iter_mut().for_each(refer_to_definitions),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_docs_is_the_one_of_these_types() {
        let kept = include_str!("../../../../../docs/schemas/configuration.v1.json");
        assert!(
            kept.trim_end() == document(),
            "docs/schemas/configuration.v1.json is another; write it anew with \
             `exosphere-alerts configuration-schema`"
        );
    }

    #[test]
    fn whatever_the_schema_refers_to_is_in_it() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut places = vec![&document];
        let mut references = 0;
        while let Some(place) = places.pop() {
            match place {
                Value::Array(items) => places.extend(items),
                Value::Object(members) => places.extend(members.values()),
                _ => continue,
            }
            let Some(reference) = place.get("$ref").and_then(Value::as_str) else { continue };
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "there is no {reference}");
            references += 1;
        }
        assert!(references > 10, "{references}");
    }
}
