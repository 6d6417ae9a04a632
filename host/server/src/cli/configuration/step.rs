//! One thing to be done to a resource, and what the host is asked for it.

use std::collections::HashMap;

use alerts_domain::label::Label;
use http::Method;
use serde_json::{Map, Value, json};

use super::complaint::Place;
use super::difference::Difference;
use super::wanted::{RULES_ENDPOINT, Wanted};

/// The kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plugin,
    Tenant,
    Endpoint,
    Rule,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Tenant => "tenant",
            Self::Endpoint => "endpoint",
            Self::Rule => "rule",
        }
    }

    /// Where the API has them.
    pub(super) fn collection(self) -> &'static str {
        match self {
            Self::Plugin => "plugins",
            Self::Tenant => "tenants",
            Self::Endpoint => "webhooks",
            Self::Rule => "alert-rules",
        }
    }
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum What {
    Create {
        managed_by: Option<Label>,
    },
    Change {
        /// What the path names it by.
        id: String,
        etag: Option<String>,
        different: Vec<Difference>,
    },
    Delete {
        id: String,
        etag: Option<String>,
    },
}

/// One thing to be done to a resource.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// Absent for what is in no file.
    pub(super) place: Option<Place>,
    /// As the files ask for it.
    pub(super) fields: Map<String, Value>,
    /// What is not shown. Once it was checked, only what is another value.
    pub(super) kept: Map<String, Value>,
    pub(super) what: What,
    /// The other configuration that it belongs to.
    pub(super) belongs_to: Option<String>,
    /// Why the host has switched it off.
    pub(super) switched_off: Option<String>,
}

/// What the host is asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: Vec<String>,
    pub(super) body: Option<Value>,
    pub(super) if_match: Option<String>,
}

impl Step {
    /// For a resource that is in a file.
    pub(super) fn of(kind: Kind, item: &Wanted, what: What) -> Self {
        Self {
            kind,
            name: item.name.clone(),
            place: Some(item.place.clone()),
            fields: item.fields.clone(),
            kept: item.kept.clone(),
            what,
            belongs_to: None,
            switched_off: None,
        }
    }

    /// For one that is in none.
    pub(super) fn delete(kind: Kind, there: &Value) -> Self {
        let text = |name: &str| there[name].as_str().map(str::to_owned);
        Self {
            kind,
            name: text("name").unwrap_or_default(),
            place: None,
            fields: Map::new(),
            kept: Map::new(),
            what: What::Delete { id: text("id").unwrap_or_default(), etag: text("etag") },
            belongs_to: None,
            switched_off: None,
        }
    }

    /// Whether the host has all of it already.
    pub(super) fn is_nothing(&self) -> bool {
        let is_same = matches!(&self.what, What::Change { different, .. } if different.is_empty());
        is_same && self.kept.is_empty()
    }

    /// What is sent of the resource: all of a new one, else what is different. `endpoints` are
    /// the ids by name.
    pub(super) fn body(&self, endpoints: &HashMap<String, String>) -> Value {
        let mut body = match &self.what {
            What::Create { managed_by } => {
                let mut body = self.fields.clone();
                let label = managed_by.as_ref().map(|label| json!(label));
                body.extend(label.map(|label| ("managed_by".to_owned(), label)));
                body
            }
            What::Change { different, .. } => {
                let is_different = |name: &str| different.iter().any(|one| one.field() == name);
                let fields = self.fields.iter().filter(|(name, _)| is_different(name));
                fields.map(|(name, value)| (name.clone(), value.clone())).collect()
            }
            What::Delete { .. } => Map::new(),
        };
        body.extend(self.kept.clone());
        if let Some(Value::String(name)) = body.remove(RULES_ENDPOINT) {
            body.insert("webhook_endpoint_id".to_owned(), json!(endpoints.get(&name)));
        }
        Value::Object(body)
    }

    /// The request that does it.
    pub(super) fn asked(&self, endpoints: &HashMap<String, String>) -> Asked {
        let collection = ["v1".to_owned(), self.kind.collection().to_owned()];
        let at = |id: &String| collection.iter().chain([id]).cloned().collect::<Vec<_>>();
        let body = || Some(self.body(endpoints));
        match &self.what {
            What::Create { .. } => Asked {
                method: Method::POST,
                path: collection.to_vec(),
                body: body(),
                if_match: None,
            },
            What::Change { id, .. } if self.kind == Kind::Plugin => {
                let path = at(id).into_iter().chain(["grants".to_owned()]).collect();
                Asked { method: Method::PUT, path, body: body(), if_match: None }
            }
            What::Change { id, etag, .. } => {
                Asked { method: Method::PATCH, path: at(id), body: body(), if_match: etag.clone() }
            }
            What::Delete { id, etag } => {
                Asked { method: Method::DELETE, path: at(id), body: None, if_match: etag.clone() }
            }
        }
    }
}
