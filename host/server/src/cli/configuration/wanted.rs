//! What the files ask for, in the API's terms: names are unique, secrets are found, and each
//! default stands where a field was left out.

use std::collections::HashMap;

use alerts_domain::endpoint::EndpointSpec;
use alerts_domain::header::Headers;
use alerts_domain::id::EndpointId;
use alerts_domain::origin::Origin;
use alerts_domain::rate_limit::RateLimit;
use serde_json::{Map, Value, json};

use super::complaint::{Complaint, Place};
use super::files::Read;
use super::source::Text;
use super::types::{Endpoint, Plugin, Rule, Tenant};
use crate::api::alert_rules::ConditionView;

/// What is asked for of one resource.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) place: Place,
    pub(super) name: String,
    /// As the API takes and shows them. A rule's endpoint stands in `endpoint` by its name.
    pub(super) fields: Map<String, Value>,
    /// What the API takes and does not show.
    pub(super) kept: Map<String, Value>,
}

/// All that is asked for.
#[derive(Debug, Default)]
pub(super) struct AllWanted {
    pub(super) endpoints: Vec<Wanted>,
    pub(super) rules: Vec<Wanted>,
    pub(super) tenants: Vec<Wanted>,
    pub(super) plugins: Vec<Wanted>,
}

/// Where a rule says which endpoint it means.
pub(super) const RULES_ENDPOINT: &str = "endpoint";

impl AllWanted {
    /// Of what was read, or all that is wrong with it.
    pub(super) fn of(read: Read) -> Result<Self, Vec<Complaint>> {
        let mut wrong = Vec::new();
        let all = Self {
            endpoints: each(read.endpoints, endpoint, &mut wrong),
            rules: each(read.rules, rule, &mut wrong),
            tenants: each(read.tenants, tenant, &mut wrong),
            plugins: each(read.plugins, plugin, &mut wrong),
        };
        for (items, kind, key) in [
            (&all.endpoints, "endpoint", "/name"),
            (&all.rules, "rule", "/name"),
            (&all.tenants, "tenant", "/name"),
            (&all.plugins, "plugin", "/id"),
        ] {
            repeated(items, kind, key, &mut wrong);
        }
        if wrong.is_empty() { Ok(all) } else { Err(wrong) }
    }
}

type Wrong<'a> = &'a mut Vec<Complaint>;

fn each<T>(
    items: Vec<(Place, T)>,
    wanted: fn(&Place, T, Wrong<'_>) -> Wanted,
    wrong: Wrong<'_>,
) -> Vec<Wanted> {
    items.into_iter().map(|(place, item)| wanted(&place, item, wrong)).collect()
}

fn repeated(items: &[Wanted], kind: &str, key: &str, wrong: Wrong<'_>) {
    let mut first: HashMap<&str, &Place> = HashMap::new();
    for item in items {
        if let Some(before) = first.insert(&item.name, &item.place) {
            let name = &item.name;
            let detail = format!("the name `{name}` is taken by the {kind} at {before}");
            wrong.push(item.place.wrong(key, detail));
        }
    }
}

fn endpoint(place: &Place, endpoint: Endpoint, wrong: Wrong<'_>) -> Wanted {
    let folder = place.folder();
    let mut found = |pointer: String, resolved: Result<_, String>| match resolved {
        Ok(secret) => Some(secret),
        Err(missing) => {
            wrong.push(place.wrong(&pointer, missing));
            None
        }
    };
    let text = |secret: alerts_domain::secret::Secret| Value::from(secret.expose());
    let mut kept = Map::new();
    let secret =
        endpoint.secret.and_then(|source| found("/secret".into(), source.resolve(&folder)));
    kept.extend(secret.map(|secret| ("secret".to_owned(), text(secret))));
    let secrets: Map<String, Value> = endpoint
        .secrets
        .into_iter()
        .filter_map(|(name, source)| {
            let secret = found(format!("/secrets/{name}"), source.resolve(&folder))?;
            Some((name, text(secret)))
        })
        .collect();
    if !secrets.is_empty() {
        kept.insert("secrets".to_owned(), secrets.into());
    }
    // In the form in which the host keeps them.
    let headers: Headers = endpoint
        .headers
        .into_iter()
        .filter_map(|(name, value)| {
            let value = found(format!("/headers/{name}"), value.resolve(&folder))?;
            Some((name, value.expose().to_owned()))
        })
        .collect();
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut fields = object(json!({
        "name": endpoint.name,
        "target": endpoint.target.as_deref().unwrap_or(EndpointSpec::DEFAULT_TARGET),
        "settings": endpoint.settings,
        "headers": headers,
        "is_active": endpoint.is_active.unwrap_or(true),
        "include_event_data": endpoint.include_event_data.unwrap_or(false),
        "rate_limit": endpoint.rate_limit,
        "gone_after": endpoint.gone_after.unwrap_or(EndpointSpec::DEFAULT_GONE_AFTER),
    }));
    match endpoint.target_url {
        Some(Text::Plain(url)) => drop(fields.insert("target_url".to_owned(), url.into())),
        Some(Text::Kept(source)) => {
            let url = found("/target_url".into(), source.resolve(&folder));
            kept.extend(url.map(|url| ("target_url".to_owned(), text(url))));
        }
        None => {}
    }
    Wanted { place: place.clone(), name: endpoint.name, fields, kept }
}

fn rule(place: &Place, rule: Rule, wrong: Wrong<'_>) -> Wanted {
    if rule.endpoint.parse::<EndpointId>().is_ok() {
        let detail = format!(
            "`{}` is an id, which the host gives; write the endpoint's name",
            rule.endpoint
        );
        wrong.push(place.wrong("/endpoint", detail));
    }
    let fields = object(json!({
        "name": rule.name,
        "event_type": rule.event_type,
        "condition": rule.condition.map(ConditionView::from),
        RULES_ENDPOINT: rule.endpoint,
        "trigger": rule.trigger.unwrap_or_default(),
        "retry_policy": rule.retry_policy.unwrap_or_default(),
        "rate_limit": rule.rate_limit,
        "is_active": rule.is_active.unwrap_or(true),
    }));
    Wanted { place: place.clone(), name: rule.name, fields, kept: Map::new() }
}

fn tenant(place: &Place, tenant: Tenant, wrong: Wrong<'_>) -> Wanted {
    // Of tenants the host checks nothing beforehand.
    for problem in tenant.rate_limit.iter().flat_map(RateLimit::problems) {
        wrong.push(place.wrong(&format!("/rate_limit{}", problem.pointer), problem.detail));
    }
    let fields = object(json!({
        "is_beta": tenant.is_beta.unwrap_or(false),
        "rate_limit": tenant.rate_limit,
    }));
    Wanted { place: place.clone(), name: tenant.name.to_string(), fields, kept: Map::new() }
}

fn plugin(place: &Place, mut plugin: Plugin, wrong: Wrong<'_>) -> Wanted {
    for (index, grant) in plugin.grants.iter().enumerate() {
        if plugin.grants[..index].iter().any(|other| other.tenant == grant.tenant) {
            let detail = format!("repeats `{}`; name each namespace once", grant.tenant);
            wrong.push(place.wrong(&format!("/grants/{index}/tenant"), detail));
        }
        for (number, host) in grant.hosts.iter().flatten().enumerate() {
            if let Err(error) = Origin::parse(host) {
                let pointer = format!("/grants/{index}/hosts/{number}");
                wrong.push(place.wrong(&pointer, error.to_string()));
            }
        }
    }
    // In the order in which the host shows them.
    plugin.grants.sort_by(|a, b| a.tenant.cmp(&b.tenant));
    let fields = object(json!({"grants": plugin.grants}));
    Wanted { place: place.clone(), name: plugin.id, fields, kept: Map::new() }
}

/// The members of what is written as an object.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
