//! The manifest: what a plugin says about itself, and what it asks for.
//!
//! Authors write it as `plugin.toml`; a plugin file holds it as JSON. Owns its
//! fields and which values they may have, not where the bytes are kept.

mod schema;

use std::net::{Ipv4Addr, Ipv6Addr};

use alerts_domain::address::AddressRules;
use alerts_domain::origin::{NotAnOrigin, Origin};
use alerts_domain::plugin_limits::PluginLimits;
use alerts_domain::problem::FieldError;
use alerts_domain::target_url;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::schema::MAX_SETTINGS_BYTES;
use self::schema::no_settings;
use crate::MAX_MANIFEST_BYTES;

/// What a plugin says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name by which rules and endpoints refer to it: `[a-z][a-z0-9-]{0,62}`.
    pub id: String,
    /// Which world of the contract it implements.
    pub kind: Kind,
    /// Its own version, for people: `1.2.3`, perhaps with a pre-release or build part.
    pub version: String,
    /// One sentence for a list of plugins.
    pub summary: String,
    /// JSON Schema of an endpoint's `settings`; a target without one takes no settings.
    #[serde(default = "no_settings", skip_serializing_if = "is_no_settings")]
    pub settings: Map<String, Value>,
    /// The secrets that an endpoint may hold for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretSlot>,
    /// Where requests and their secrets may go besides the origin of the endpoint's own
    /// URL: host names, which mean https on its usual port, or scheme, host and port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Where alerts go when the endpoint names no `target_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_url: Option<String>,
    /// Whether the `target_url` is itself a secret: encrypted at rest, shown masked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub url_is_secret: bool,
    /// Whether its endpoints are told when a threshold recovers, unless a rule says
    /// otherwise: the target keeps something open that somebody has to close.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recoveries: bool,
    /// Limits that the plugin asks for; the operator's and the host's still bind.
    #[serde(default, skip_serializing_if = "PluginLimits::is_empty")]
    pub limits: PluginLimits,
}

/// Which world of the plugin contract a component implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A language in which rules are written.
    Condition,
    /// An adapter that turns alerts into requests.
    Target,
}

impl Kind {
    /// The word in the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Target => "target",
        }
    }
}

/// A secret that an endpoint may hold for the plugin. The plugin sees a
/// reference, never the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSlot {
    /// The key in the endpoint's `secrets`: `[a-z][a-z0-9_]{0,62}`.
    pub name: String,
    /// What it is and where to find it, for the person who pastes it.
    pub summary: String,
    /// Whether an endpoint cannot do without it.
    #[serde(default)]
    pub required: bool,
}

/// Why a text or an object is not a manifest. Says which field, and what to write.
#[derive(Debug, thiserror::Error)]
pub enum InvalidManifest {
    /// Not TOML, a field is missing or unknown, or has the wrong type.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// Not JSON, a field is missing or unknown, or has the wrong type.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A field has a value that it may not have.
    #[error("`{field}` {problem}")]
    Field {
        /// As written in `plugin.toml`, for example `secrets[0].name`.
        field: String,
        /// What is wrong and what to write.
        problem: String,
    },
    /// Over [`MAX_MANIFEST_BYTES`].
    #[error("it is {bytes} bytes long; at most {MAX_MANIFEST_BYTES} are allowed")]
    TooLarge {
        /// As JSON.
        bytes: usize,
    },
}

impl InvalidManifest {
    fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }
}

impl Manifest {
    /// Reads a `plugin.toml`.
    pub fn from_toml(text: &str) -> Result<Self, InvalidManifest> {
        let manifest: Self = toml::from_str(text)?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// Reads the JSON form that a plugin file holds.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidManifest> {
        if json.len() > MAX_MANIFEST_BYTES {
            return Err(InvalidManifest::TooLarge { bytes: json.len() });
        }
        let manifest: Self = serde_json::from_slice(json)?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// The JSON form that a plugin file holds, if the manifest is valid.
    pub fn to_json(&self) -> Result<Vec<u8>, InvalidManifest> {
        self.validate()?;
        let json = serde_json::to_vec(self)?;
        if json.len() > MAX_MANIFEST_BYTES {
            return Err(InvalidManifest::TooLarge { bytes: json.len() });
        }
        Ok(json)
    }

    /// The settings schema as a JSON value, ready for a validator.
    pub fn settings_schema(&self) -> Value {
        Value::Object(self.settings.clone())
    }

    /// What checks an endpoint's settings. A manifest that was read from somewhere
    /// has one. For settings that anyone may send there is [`Self::settings_problems`].
    pub fn settings_validator(&self) -> Result<jsonschema::Validator, InvalidManifest> {
        schema::validator(&self.settings_schema()).map_err(|(at, why)| {
            let why: String = why.chars().take(MAX_SUMMARY_BYTES).collect();
            InvalidManifest::field(
                "settings",
                format!("must be a valid JSON Schema; at `{at}`: {why}"),
            )
        })
    }

    /// What is wrong with an endpoint's settings, with pointers into them. May take
    /// a second or so for settings and a schema that are made for it, but little memory.
    pub fn settings_problems(
        &self,
        settings: &Map<String, Value>,
    ) -> Result<Vec<FieldError>, InvalidManifest> {
        let (schema, settings) = (self.settings_schema(), Value::from(settings.clone()));
        Ok(schema::problems(&schema, &self.settings_validator()?, &settings))
    }

    fn validate(&self) -> Result<(), InvalidManifest> {
        if !is_name(&self.id, b'-') {
            return Err(InvalidManifest::field(
                "id",
                "must be a lower-case letter, then at most 62 lower-case letters, digits and hyphens",
            ));
        }
        if !is_version(&self.version) {
            return Err(InvalidManifest::field(
                "version",
                "must be a semantic version such as `1.0.0`",
            ));
        }
        one_line("summary", &self.summary)?;
        if self.kind == Kind::Condition {
            self.validate_condition()?;
        }
        self.validate_settings()?;
        self.validate_secrets()?;
        self.validate_hosts()?;
        self.validate_default_url(&AddressRules::new(vec![EVERY_V4, EVERY_V6]))?;
        self.validate_limits()
    }

    /// Whether all that it names may be sent to under an operator's rules: what
    /// does not depend on those was checked when it was read.
    pub fn judge_addresses(&self, rules: &AddressRules) -> Result<(), InvalidManifest> {
        for (index, host) in self.hosts.iter().enumerate() {
            // Where a name leads is judged at each connection.
            let Ok(origin) = Origin::parse(host) else { continue };
            if let Err(forbidden) = target_url::check(&origin.to_string(), rules) {
                let detail = forbidden.detail;
                let problem = format!("must be a host that may be sent to: {detail}");
                return Err(InvalidManifest::field(format!("hosts[{index}]"), problem));
            }
        }
        self.validate_default_url(rules)
    }

    fn validate_default_url(&self, rules: &AddressRules) -> Result<(), InvalidManifest> {
        let Some(default_url) = &self.default_url else { return Ok(()) };
        let checked = target_url::check(default_url, rules);
        checked.map(drop).map_err(|problem| {
            let problem = format!("must be a URL that may be sent to: {}", problem.detail);
            InvalidManifest::field("default_url", problem)
        })
    }

    fn validate_hosts(&self) -> Result<(), InvalidManifest> {
        if self.hosts.len() > MAX_HOSTS {
            let problem = format!("must be at most {MAX_HOSTS} hosts");
            return Err(InvalidManifest::field("hosts", problem));
        }
        let mut named = Vec::new();
        for (index, host) in self.hosts.iter().enumerate() {
            let refuse = |problem| Err(InvalidManifest::field(format!("hosts[{index}]"), problem));
            // Written as every reader writes it, so that it is seen where it leads.
            let origin = Origin::parse(host).ok().filter(|origin| origin.is_written(host));
            let Some(origin) = origin else {
                return refuse(NotAnOrigin.to_string() + ", in lower case");
            };
            // `a.b` and `https://a.b` are the same one.
            if named.contains(&origin) {
                return refuse(format!("repeats `{host}`; name each host once"));
            }
            named.push(origin);
        }
        Ok(())
    }

    /// A condition language sends nothing, so what belongs to sending is a mistake there.
    fn validate_condition(&self) -> Result<(), InvalidManifest> {
        let misplaced = [
            ("settings", !is_no_settings(&self.settings)),
            ("secrets", !self.secrets.is_empty()),
            ("hosts", !self.hosts.is_empty()),
            ("default_url", self.default_url.is_some()),
            ("url_is_secret", self.url_is_secret),
            ("recoveries", self.recoveries),
        ];
        match misplaced.into_iter().find(|(_, present)| *present) {
            None => Ok(()),
            Some((field, _)) => Err(InvalidManifest::field(
                field,
                "belongs to a target; a condition language sends nothing, so remove it",
            )),
        }
    }

    fn validate_settings(&self) -> Result<(), InvalidManifest> {
        if self.settings.get("type").and_then(Value::as_str) != Some("object") {
            return Err(InvalidManifest::field(
                "settings",
                "must be a JSON Schema of an object: write `type = \"object\"`",
            ));
        }
        // Else the tenants would find out, each time one of them saves an endpoint.
        self.settings_validator().map(drop)
    }

    fn validate_secrets(&self) -> Result<(), InvalidManifest> {
        for (index, secret) in self.secrets.iter().enumerate() {
            if !is_name(&secret.name, b'_') {
                return Err(InvalidManifest::field(
                    format!("secrets[{index}].name"),
                    "must be a lower-case letter, then at most 62 lower-case letters, digits and \
                     underscores",
                ));
            }
            if self.secrets[..index].iter().any(|other| other.name == secret.name) {
                return Err(InvalidManifest::field(
                    format!("secrets[{index}].name"),
                    format!("repeats `{}`; give each secret its own name", secret.name),
                ));
            }
            one_line(&format!("secrets[{index}].summary"), &secret.summary)?;
        }
        Ok(())
    }

    fn validate_limits(&self) -> Result<(), InvalidManifest> {
        let zero = self.limits.fields().into_iter().find(|(_, limit)| *limit == Some(0));
        match zero {
            None => Ok(()),
            Some((name, _)) => Err(InvalidManifest::field(
                format!("limits.{name}"),
                "must be above zero; leave it out to get the operator's default",
            )),
        }
    }
}

fn is_no_settings(settings: &Map<String, Value>) -> bool {
    *settings == no_settings()
}

/// A vendor has an address for each region, and few regions.
const MAX_HOSTS: usize = 64;

/// All addresses there are, for what is checked before any operator's rules are known.
const EVERY_V4: IpNet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));
const EVERY_V6: IpNet = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0));

/// Longest id and secret name: as a DNS label, so that ids fit wherever those do.
const MAX_NAME_BYTES: usize = 63;

fn is_name(name: &str, joiner: u8) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= MAX_NAME_BYTES
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == joiner)
}

/// `major.minor.patch`, then an optional `-pre` and `+build` (semver.org, 2.0.0).
/// Nothing here compares versions, so this is a check of form only.
fn is_version(version: &str) -> bool {
    let (version, build) = split_tail(version, '+');
    let (core, pre) = split_tail(version, '-');
    let numbers: Vec<&str> = core.split('.').collect();
    let number = |part: &str| {
        !part.is_empty()
            && part.len() <= 10
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let identifiers = |tail: &str| {
        tail.len() <= 64
            && tail.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
    };
    numbers.len() == 3
        && numbers.into_iter().all(number)
        && [pre, build].into_iter().flatten().all(identifiers)
}

fn split_tail(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    }
}

/// Longest text shown in a list or beside a form field.
const MAX_SUMMARY_BYTES: usize = 500;

fn one_line(field: &str, text: &str) -> Result<(), InvalidManifest> {
    if text.trim().is_empty()
        || text.len() > MAX_SUMMARY_BYTES
        || text.chars().any(char::is_control)
    {
        return Err(InvalidManifest::field(
            field,
            format!("must be one line of text, at most {MAX_SUMMARY_BYTES} bytes long"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
