//! Samples for an author who names none: an event, and settings that a schema
//! accepts.

use serde_json::{Map, Value, json};

/// Whose everything is.
pub(crate) const TENANT: &str = "payments";

/// A failed run, as the platform would tell of it.
pub(crate) fn event() -> Value {
    json!({
        "specversion": "1.0",
        "id": "run-1-failed-1",
        "source": "/v0/namespace/payments",
        "type": "workflow.failed",
        "subject": "graph/nightly-etl/run/5f0c1f5e-1d0b-4a46-a1f5-4b7d3f6a2c11",
        "time": "2026-01-01T00:00:00Z",
        "data": data(),
    })
}

/// The same with other data.
pub(crate) fn event_with(data: Value) -> Value {
    let mut event = event();
    event["data"] = data;
    event
}

/// What the platform says about a failed run.
pub(crate) fn data() -> Value {
    json!({
        "namespace": TENANT,
        "graph_name": "nightly-etl",
        "run_id": "5f0c1f5e-1d0b-4a46-a1f5-4b7d3f6a2c11",
        "status": "FAILED",
        "created_at": "2025-12-31T23:49:53Z",
        "finished_at": "2026-01-01T00:00:00Z",
        "duration_ms": 607_000,
        "success_count": 11,
        "pending_count": 0,
        "errored_count": 4,
        "retried_count": 0,
        "total_count": 15,
        "failed_state_id": "65f1a0c2d4e5f60718293a4b",
        "node_name": "load-warehouse",
        "identifier": "sample",
    })
}

/// Settings that the schema itself offers: its `examples`, else its `default`,
/// else the least that its `required` asks for.
pub(crate) fn settings(schema: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let examples = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
    let given = examples.chain(schema.get("default"));
    let mut found: Vec<_> = given.filter_map(Value::as_object).cloned().collect();
    if let Some(Value::Object(least)) = least(schema)
        && !found.contains(&least)
    {
        found.push(least);
    }
    found
}

/// The smallest value of a schema, as far as its keywords are simple.
fn least(schema: &Map<String, Value>) -> Option<Value> {
    let offered = [
        schema.get("const"),
        schema.get("default"),
        schema.get("examples").and_then(|examples| examples.get(0)),
        schema.get("enum").and_then(|values| values.get(0)),
    ];
    if let Some(value) = offered.into_iter().flatten().next() {
        return Some(value.clone());
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema.get(choice).and_then(|all| all.get(0)?.as_object())
            && !schema.contains_key("type")
        {
            return least(first);
        }
    }
    let number = |key: &str| schema.get(key).and_then(Value::as_i64).unwrap_or(0).max(0);
    Some(match schema.get("type").and_then(Value::as_str)? {
        "object" => {
            let required = schema.get("required").and_then(Value::as_array);
            let names = required.into_iter().flatten().filter_map(Value::as_str);
            let properties = schema.get("properties").and_then(Value::as_object);
            let mut object = Map::new();
            for name in names {
                let property = properties?.get(name)?.as_object()?;
                object.insert(name.to_owned(), least(property)?);
            }
            Value::Object(object)
        }
        "string" => match schema.get("format").and_then(Value::as_str) {
            Some("uri") => json!("https://example.com/"),
            Some("email") => json!("someone@example.com"),
            _ => json!("x".repeat(usize::try_from(number("minLength").max(1)).ok()?)),
        },
        "integer" | "number" => json!(number("minimum").max(1)),
        "boolean" => json!(true),
        "array" => {
            let items = schema.get("items").and_then(Value::as_object);
            let item = || items.and_then(least);
            Value::Array((0..number("minItems")).map(|_| item()).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_settings_have_what_is_required_and_no_more() {
        let schema = json!({
            "type": "object",
            "required": ["project", "room"],
            "properties": {
                "project": {"type": "string", "minLength": 3},
                "room": {"enum": ["a", "b"]},
                "more": {"type": "boolean"},
            },
        });
        let found = settings(schema.as_object().unwrap());
        assert_eq!(Value::from(found[0].clone()), json!({"project": "xxx", "room": "a"}));
    }

    #[test]
    fn what_a_schema_offers_comes_first() {
        let schema = json!({"type": "object", "examples": [{"a": 1}], "required": ["a"],
            "properties": {"a": {"type": "integer"}}});
        assert_eq!(
            settings(schema.as_object().unwrap()),
            [json!({"a": 1}).as_object().unwrap().clone()]
        );
    }
}
