//! Sources of kind `mapped`: the tenant's own expressions make the event.

use alerts_domain::Timestamp;
use alerts_domain::event::Event;
use alerts_domain::id::SourceId;
use alerts_domain::problem::FieldError;
use alerts_domain::source::Mapping;
use alerts_domain::tenant::TenantId;
use alerts_engine::{ChangeError, Mappings};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::request::Incoming;

/// Longest value that an error quotes, in bytes: enough to see what it is.
const MAX_QUOTED_BYTES: usize = 200;

/// Whose event it is to be, and since when it is here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occasion<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) source: SourceId,
    pub(super) received_at: Timestamp,
}

/// The event that a mapping makes of a request; none where its type is null.
pub(super) async fn event(
    mappings: &Mappings,
    mapping: &Mapping,
    occasion: Occasion<'_>,
    request: &Incoming,
) -> Result<Option<Event>, ChangeError> {
    let body = request.json().map_err(ChangeError::Invalid)?;
    let expressions = mapping.expressions();
    let sources = expressions.iter().map(|(_, source)| (*source).to_owned()).collect();
    let input = request.shown(body);
    let values = mappings.evaluate(occasion.tenant, sources, &input).await?;
    let mut made = Map::new();
    let mut wrong = Vec::new();
    for ((name, source), value) in expressions.iter().zip(values) {
        match value {
            Ok(value) => drop(made.insert((*name).to_owned(), value)),
            Err(message) => {
                let detail = format!("the expression `{}` gives no value: {message}", cut(source));
                wrong.push(FieldError::new(pointer(name), detail));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(ChangeError::Invalid(wrong));
    }
    if made.get("type").is_none_or(Value::is_null) {
        return Ok(None);
    }
    let event = complete(made.clone(), occasion, request, &input);
    Event::from_structured(Bytes::from(event.to_string())).map(Some).map_err(|problems| {
        let told = problems.into_iter().map(|problem| blamed(problem, &expressions, &made));
        ChangeError::Invalid(told.collect())
    })
}

/// With what holds where an expression is absent, or gives null.
fn complete(
    made: Map<String, Value>,
    Occasion { tenant, source, received_at }: Occasion<'_>,
    request: &Incoming,
    input: &Value,
) -> Value {
    let mut event = json!({
        "specversion": "1.0",
        // The same for the same body: a sender that repeats itself is known by it.
        "id": hex::encode(Sha256::digest(&request.body)),
        "source": format!("/v1/sources/{source}"),
        "time": received_at,
        "namespace": tenant,
        "datacontenttype": "application/json",
    });
    if !made.contains_key("data") {
        event["data"] = input["request"]["body"].clone();
    }
    for (name, value) in made {
        if name == "data" || !value.is_null() {
            event[name] = value;
        }
    }
    event
}

/// What is wrong with an attribute, told of the expression that made it.
fn blamed(
    problem: FieldError,
    expressions: &[(&'static str, &str)],
    made: &Map<String, Value>,
) -> FieldError {
    let found = expressions.iter().find(|(name, _)| {
        let rest = problem.pointer.strip_prefix('/').and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let Some((name, source)) = found else { return problem };
    let value = made.get(*name).map(Value::to_string).unwrap_or_default();
    let detail =
        format!("the expression `{}` gives {}, and {}", cut(source), cut(&value), problem.detail);
    FieldError::new(pointer(name), detail)
}

fn pointer(name: &str) -> String {
    format!("/mapping/{name}")
}

fn cut(text: &str) -> String {
    match text.len() {
        0..=MAX_QUOTED_BYTES => text.to_owned(),
        _ => format!("{}…", &text[..text.floor_char_boundary(MAX_QUOTED_BYTES)]),
    }
}
