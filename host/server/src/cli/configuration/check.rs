//! Asks the host whether a step could be done, and whether what it does not show is another
//! value.

use std::collections::HashMap;

use alerts_domain::Timestamp;
use alerts_domain::id::EndpointId;
use http::Method;
use serde_json::{Value, json};

use super::complaint::Complaint;
use super::host::Host;
use super::step::{Kind, Step, What};
use super::wanted::RULES_ENDPOINT;
use crate::cli::Failure;

/// What is wrong with a step, if anything. Afterwards it keeps only those secrets that are
/// other ones than the host has.
pub(super) async fn check(
    host: &Host,
    step: &mut Step,
    endpoints: &HashMap<String, String>,
) -> Result<Vec<Complaint>, Failure> {
    let Some(place) = step.place.clone() else { return Ok(Vec::new()) };
    let (new, id) = match step.kind {
        Kind::Endpoint => ("webhook", "webhook_endpoint_id"),
        Kind::Rule => ("rule", "alert_rule_id"),
        Kind::Plugin | Kind::Tenant => return Ok(Vec::new()),
    };
    // An endpoint that is not made yet has no id; the rule is checked with one that nobody has.
    let mut known = endpoints.clone();
    let endpoint = step.fields.get(RULES_ENDPOINT).and_then(Value::as_str);
    let is_to_come = endpoint.is_some_and(|name| !endpoints.contains_key(name));
    if let (true, Some(name)) = (is_to_come, endpoint) {
        known.insert(name.to_owned(), EndpointId::new(Timestamp::UNIX_EPOCH, 0).to_string());
    }
    let body = step.body(&known);
    let (draft, under) = match &step.what {
        What::Create { .. } => (json!({new: body}), format!("/{new}")),
        What::Change { id: of, .. } => (json!({id: of, "changes": body}), "/changes".to_owned()),
        What::Delete { .. } => return Ok(Vec::new()),
    };
    let path = ["v1", step.kind.collection(), "check"];
    match host.send(Method::POST, &path, Some(&draft), None).await? {
        Ok(checked) => {
            let changed = checked["changed"].as_array();
            let is_other =
                |name: &str| changed.is_some_and(|names| names.iter().any(|n| n == name));
            if matches!(step.what, What::Change { .. }) {
                step.kept.retain(|name, _| is_other(name));
            }
            Ok(Vec::new())
        }
        Err(refused) => {
            let errors = refused.errors();
            if errors.is_empty() {
                return Ok(vec![place.wrong("", refused.detail())]);
            }
            let mut wrong = Vec::new();
            for (pointer, detail) in errors {
                let pointer = pointer.strip_prefix(&under).unwrap_or(pointer);
                match pointer {
                    "/webhook_endpoint_id" if is_to_come => {}
                    "/webhook_endpoint_id" => wrong.push(place.wrong("/endpoint", detail)),
                    pointer => wrong.push(place.wrong(pointer, detail)),
                }
            }
            Ok(wrong)
        }
    }
}
