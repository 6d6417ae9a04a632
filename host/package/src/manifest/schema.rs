//! Which settings schemas are taken: those that are checked in a time that their
//! author cannot stretch.
//!
//! An endpoint's settings are checked when a tenant saves it, natively and not in
//! the sandbox. So nothing may make that take long: no references, by which a
//! small schema can stand for a huge one, no keyword that looks at parts again,
//! and patterns that are few, small, and matched in linear time.

use alerts_domain::problem::FieldError;
use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

/// Keywords by which the work grows faster than the schema.
const REFUSED: [&str; 5] =
    ["$ref", "$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems"];
/// Objects and lists within each other; a form has two or three.
const MAX_DEPTH: usize = 32;
/// Values in it, keywords and all; a form with fifty fields has a few hundred.
/// Each may be looked at once for each value of the settings.
const MAX_VALUES: usize = 2_000;
/// A form has a handful.
const MAX_PATTERNS: usize = 32;
const MAX_PATTERN_BYTES: usize = 256;
/// Of a pattern's program, and of what matching may cache: repetitions of
/// repetitions make a large program of a short text.
const PROGRAM_BYTES: usize = 128 << 10;
const CACHE_BYTES: usize = 1 << 20;

/// Up to so many looks of the schema's values at those of the settings, all that is
/// wrong is gathered: each look may find something, which has to be kept.
const MAX_GATHERED: usize = 100_000;
/// Most problems that are told of; each may quote all of the settings.
const MAX_TOLD: usize = 32;

/// Longest settings of an endpoint, in bytes of JSON.
pub const MAX_SETTINGS_BYTES: usize = 32 << 10;

/// A validator for this schema; or where it is wrong, and how.
pub(super) fn validator(schema: &Value) -> Result<Validator, (String, String)> {
    bounded(schema, "", 0, &mut 0)?;
    if values_in(schema) > MAX_VALUES {
        let why = format!("it holds more than {MAX_VALUES} values; say the rest in `check`");
        return Err((String::new(), why));
    }
    let linear = PatternOptions::regex().size_limit(PROGRAM_BYTES).dfa_size_limit(CACHE_BYTES);
    jsonschema::options()
        .with_pattern_options(linear)
        .build(schema)
        .map_err(|error| (error.instance_path().to_string(), error.masked().to_string()))
}

/// What is wrong with the settings, with pointers into them.
pub(super) fn problems(schema: &Value, validator: &Validator, settings: &Value) -> Vec<FieldError> {
    if settings.to_string().len() > MAX_SETTINGS_BYTES {
        let detail = format!("must be at most {MAX_SETTINGS_BYTES} bytes of JSON");
        return vec![FieldError::new("", detail)];
    }
    // Whether anything is wrong is found out without memory; what it is, is not.
    if validator.is_valid(settings) {
        return Vec::new();
    }
    if values_in(schema).saturating_mul(values_in(settings)) > MAX_GATHERED {
        let detail = "do not fit the schema, and are too many to say where; send fewer";
        return vec![FieldError::new("", detail)];
    }
    let told = validator.iter_errors(settings).take(MAX_TOLD);
    told.map(|error| FieldError::new(error.instance_path().to_string(), error.masked().to_string()))
        .collect()
}

/// How many values there are, those within others as well.
fn values_in(value: &Value) -> usize {
    let within = match value {
        Value::Object(fields) => fields.values().map(values_in).sum(),
        Value::Array(items) => items.iter().map(values_in).sum(),
        _ => 0,
    };
    1 + within
}

fn bounded(
    value: &Value,
    at: &str,
    depth: usize,
    patterns: &mut usize,
) -> Result<(), (String, String)> {
    if depth > MAX_DEPTH {
        return Err((at.to_owned(), format!("it is more than {MAX_DEPTH} levels deep")));
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let here = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                if REFUSED.contains(&name.as_str()) {
                    let why = format!("`{name}` is not taken here; write the schema out");
                    return Err((here, why));
                }
                for pattern in patterns_of(name, value) {
                    *patterns += 1;
                    if pattern.len() > MAX_PATTERN_BYTES || *patterns > MAX_PATTERNS {
                        let why = format!(
                            "at most {MAX_PATTERNS} patterns of {MAX_PATTERN_BYTES} bytes each \
                             are taken; say the rest in `check`"
                        );
                        return Err((here, why));
                    }
                }
                bounded(value, &here, depth + 1, patterns)?;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                bounded(item, &format!("{at}/{index}"), depth + 1, patterns)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The patterns that a keyword holds itself.
fn patterns_of<'a>(name: &str, value: &'a Value) -> Vec<&'a str> {
    match (name, value) {
        ("pattern", Value::String(pattern)) => vec![pattern],
        ("patternProperties", Value::Object(fields)) => fields.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The schema that accepts `{}` alone.
pub(super) fn no_settings() -> Map<String, Value> {
    Map::from_iter([
        ("type".to_owned(), Value::from("object")),
        ("additionalProperties".to_owned(), Value::from(false)),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(schema: Value) -> (String, String) {
        validator(&schema).map(drop).expect_err("it is refused")
    }

    #[test]
    fn a_small_schema_that_stands_for_a_huge_one_is_refused() {
        // Each level asks the next one twice: 2^40 looks at one value.
        let level = |n: usize| {
            let next = format!("#/$defs/l{}", n + 1);
            (format!("l{n}"), json!({"allOf": [{"$ref": next}, {"$ref": next}]}))
        };
        let levels: Map<String, Value> =
            (0..40).map(level).chain([("l40".to_owned(), json!({}))]).collect();
        let (at, why) = refused(json!({"allOf": [{"$ref": "#/$defs/l0"}], "$defs": levels}));
        assert!(at.ends_with("/$ref") && why.contains("write the schema out"), "{at}: {why}");
        let again = json!({"properties": {"a": {"unevaluatedProperties": false}}});
        assert_eq!(refused(again).0, "/properties/a/unevaluatedProperties");
    }

    #[test]
    fn patterns_are_few_small_and_matched_in_linear_time() {
        let pattern = |text: &str| json!({"properties": {"a": {"pattern": text}}});
        // A backtracking engine takes 2^n steps for this one.
        let evil = validator(&pattern("^(a|a)*$")).unwrap();
        assert!(!evil.is_valid(&json!({"a": format!("{}!", "a".repeat(MAX_SETTINGS_BYTES))})));
        for bad in ["(?=a)b", r"(a)\1", "((a{1,99}){1,99}){1,99}", &"a".repeat(257)] {
            assert_eq!(refused(pattern(bad)).0, "/properties/a/pattern", "{bad}");
        }
        let many: Map<String, Value> =
            (0..33).map(|n| (format!("^p{n}$"), json!({"type": "string"}))).collect();
        assert_eq!(refused(json!({"patternProperties": many})).0, "/patternProperties");
        for good in ["^[A-Za-z0-9_+-]{1,200}$", r"^https://\w+(\.\w+)*/", r"^\d{15,20}$"] {
            assert!(validator(&pattern(good)).is_ok(), "{good}");
        }
    }

    #[test]
    fn settings_that_are_wrong_in_very_many_ways_are_refused_in_a_few_words() {
        let all_wrong =
            |looks| json!({"properties": {"a": {"items": {"allOf": vec![false; looks]}}}});
        let told = |schema: &Value, items: usize| {
            let validator = validator(schema).unwrap();
            problems(schema, &validator, &json!({"a": vec![0; items]}))
        };
        // Each of 16,000 items is wrong in 1,900 ways: gigabytes, were they gathered.
        let most = told(&all_wrong(1_900), 16_000);
        assert!(most.len() == 1 && most[0].detail.contains("too many to say where"), "{most:?}");
        let some = told(&all_wrong(100), 100);
        assert_eq!((some.len(), some[0].pointer.as_str()), (MAX_TOLD, "/a/0"));
        assert_eq!(told(&all_wrong(1), 2).len(), 2);
        assert!(told(&all_wrong(1), 0).is_empty());
        assert!(refused(all_wrong(MAX_VALUES)).1.contains("more than 2000 values"));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |levels| (0..levels).fold(json!({}), |inner, _| json!({"not": inner}));
        assert!(validator(&deep(MAX_DEPTH)).is_ok());
        assert!(refused(deep(MAX_DEPTH + 1)).1.contains("levels deep"));
    }
}
