//! Webhooks in: other programs that post what they have to say in their own words, and
//! what is to be made of it.

mod proof;

use serde::{Deserialize, Serialize};

pub use self::proof::{is_from_holder, is_hub_signature, is_standard_signature};
use crate::Timestamp;
use crate::id::SourceId;
use crate::keyring::Sealed;
use crate::problem::FieldError;
use crate::secret::Secret;
use crate::tenant::TenantId;

/// A webhook in, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSource {
    /// Also the address to which the sender posts.
    pub id: SourceId,
    /// Whose events it makes.
    pub tenant: TenantId,
    /// What a person decides about it.
    pub spec: SourceSpec,
    /// By what its sender is known; sealed at [`SourceSpec::place_of_secret`].
    pub sealed_secret: Sealed,
    /// Raised by each change.
    pub version: i64,
    /// Who made it: a key's id.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a person changed it last.
    pub updated_at: Timestamp,
}

/// What a person decides about a webhook in, its secret aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// For people.
    pub name: String,
    /// Whose words the sender uses.
    pub kind: SourceKind,
    /// For [`SourceKind::Mapped`] alone, which always has one.
    pub mapping: Option<Mapping>,
}

impl SourceSpec {
    /// What is wrong about kind and mapping together.
    pub fn mapping_problem(&self) -> Option<FieldError> {
        let detail = match (self.kind, &self.mapping) {
            (SourceKind::Mapped, None) => {
                "missing: a source of kind `mapped` needs the expressions that make its events"
            }
            (SourceKind::Mapped, Some(_)) | (_, None) => return None,
            (_, Some(_)) => {
                "is for sources of kind `mapped`; what others send is understood without it"
            }
        };
        Some(FieldError::new("/mapping", detail))
    }

    /// What binds a source's sealed secret to its row.
    pub fn place_of_secret(tenant: &TenantId, id: SourceId) -> String {
        format!("source-secret\0{tenant}\0{id}")
    }
}

/// Whose words a sender uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// GitHub's: runs of Actions workflows.
    Github,
    /// GitLab's: pipelines.
    Gitlab,
    /// Its own, of which a mapping makes events.
    Mapped,
}

impl SourceKind {
    /// As it is stored, and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Mapped => "mapped",
        }
    }
}

impl std::str::FromStr for SourceKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Github, Self::Gitlab, Self::Mapped];
        let known = all.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is no kind of source"))
    }
}

/// Expressions that make an event of a request. Each can use `request`, with `body`,
/// `headers` (names in lower case) and `query` in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
// Clients are made of the description: `Mapping` is a type of several languages already.
#[schema(as = EventMapping, example = json!({
    "type": "request.body.phase == 'Failed' ? 'workflow.failed' : 'workflow.succeeded'",
    "id": "request.body.uid + '/' + request.body.phase",
    "time": "request.body.finishedAt",
    "data": "{'graph_name': request.body.name, 'run_id': request.body.uid}"
}))]
pub struct Mapping {
    /// The event's type. `null` makes no event of the request, and its sender is told that it
    /// was ignored.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The event's id: the same for the same happening, however often it is sent. When absent
    /// it is a digest of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The event's source; `/v1/sources/{id}` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened, in RFC 3339; when it came in, where this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The event's data; the body when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl Mapping {
    /// The one variable that expressions can use.
    pub const REQUEST: &'static str = "request";
    /// Longest expression, in bytes: as long as a condition.
    pub const MAX_EXPRESSION_BYTES: usize = crate::condition::Condition::MAX_SOURCE_BYTES;

    /// Its expressions, each under the attribute that it makes.
    pub fn expressions(&self) -> Vec<(&'static str, &str)> {
        let Self { event_type, id, source, subject, time, data } = self;
        let optional =
            [("id", id), ("source", source), ("subject", subject), ("time", time), ("data", data)];
        let optional =
            optional.into_iter().filter_map(|(name, given)| Some((name, given.as_deref()?)));
        std::iter::once(("type", event_type.as_str())).chain(optional).collect()
    }
}

/// What is wrong with a secret that a person chooses for a source, if anything. It is
/// guessed at from outside, without a key, so it must be long.
pub fn secret_problem(secret: &Secret) -> Option<FieldError> {
    const MIN_BYTES: usize = 16;
    let text = secret.expose();
    let detail = if text.len() > Secret::MAX_BYTES {
        format!("must be at most {} bytes long", Secret::MAX_BYTES)
    } else if text.len() < MIN_BYTES {
        format!("must be at least {MIN_BYTES} bytes long; leave it out to have one made")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        "must be of letters, digits and signs of ASCII, without spaces: it is sent in a header"
            .to_owned()
    } else {
        return None;
    };
    Some(FieldError::new("/secret", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_can_stand_in_a_header() {
        let wrong = |text: &str| secret_problem(&Secret::new(text)).is_some();
        for text in ["", "fifteen-letters", "sixteen letters!", "sixteen-letters\n", "üüüüüüüüü"]
        {
            assert!(wrong(text), "{text:?}");
        }
        assert!(wrong(&"x".repeat(Secret::MAX_BYTES + 1)));
        assert!(!wrong("sixteen-letters!"));
        assert!(!wrong(Secret::generate_signing([7; 24]).expose()));
    }

    #[test]
    fn only_a_mapped_source_has_a_mapping_and_it_always_has_one() {
        let mapping: Mapping = serde_json::from_str(r#"{"type": "'a'", "id": "'b'"}"#).unwrap();
        assert_eq!(mapping.expressions(), [("type", "'a'"), ("id", "'b'")]);
        let problem = |kind, mapping| {
            SourceSpec { name: "x".into(), kind, mapping }.mapping_problem().is_some()
        };
        assert!(problem(SourceKind::Mapped, None));
        assert!(problem(SourceKind::Github, Some(mapping.clone())));
        assert!(!problem(SourceKind::Mapped, Some(mapping)));
        assert!(!problem(SourceKind::Gitlab, None));
    }
}
