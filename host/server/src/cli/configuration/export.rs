//! `exosphere-alerts export`: writes what a host has into files that `apply` takes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write as _;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::complaint::Complaint;
use super::host::{Host, HostArgs, Refused};
use super::source::Text;
use super::types::{ConfigurationFile, Endpoint, Grant, Plugin, Rule, Tenant};
use crate::cli::{Failure, runtime};
use crate::say::say;

/// Write the configuration of a running host into files
///
/// Four at most: endpoints.yaml and rules.yaml of the namespace; with a platform key also
/// tenants.yaml and plugins.yaml. What is at its default is left out. Secrets cannot be
/// exported: `apply` leaves those of an endpoint that exists as they are. Headers are written
/// as the API shows them.
///
/// Ends with 0 if everything was written, else with 1.
#[derive(clap::Args)]
pub(in crate::cli) struct Export {
    /// The folder to write into; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write over files that are there.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    host: HostArgs,
}

const ENDPOINTS_NOTE: &str = "\
# Secrets are not exported. Where these endpoints are to be made anew, add
# `secret`, `secrets` and target URLs that are secret: {env: NAME} or {file: NAME}.
";

pub(in crate::cli) fn export(export: Export) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let Export { out, overwrite, host } = export;
        let host = host.host()?;
        let mut files = of_namespace(&host).await?;
        match of_operator(&host).await? {
            Some(more) => files.extend(more),
            None => say("tenants and plugins are left out: they need a platform key"),
        }
        std::fs::create_dir_all(&out).map_err(|error| wrong(&out, error))?;
        for (name, note, content) in files {
            let yaml = serde_saphyr::to_string(&content).map_err(Failure::other)?;
            let path = out.join(name);
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).create_new(!overwrite);
            let mut file = options.open(&path).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    Failure::Other(format!("{} is there; give --overwrite", path.display()))
                }
                _ => wrong(&path, error),
            })?;
            let text = format!("# Written by `exosphere-alerts export`.\n{note}{yaml}");
            file.write_all(text.as_bytes()).map_err(|error| wrong(&path, error))?;
            say(path.display());
        }
        Ok(())
    })
}

fn wrong(path: &std::path::Path, error: std::io::Error) -> Failure {
    Failure::Other(format!("{}: {error}", path.display()))
}

fn refused(refused: Refused) -> Failure {
    Failure::Other(refused.detail())
}

type File = (&'static str, &'static str, ConfigurationFile);

async fn of_namespace(host: &Host) -> Result<Vec<File>, Failure> {
    let endpoints = host.list(&["v1", "webhooks"]).await?.map_err(refused)?;
    let rules = host.list(&["v1", "alert-rules"]).await?.map_err(refused)?;
    for (word, there) in [("endpoint", &endpoints), ("rule", &rules)] {
        let mut seen = HashSet::new();
        if let Some(one) = there.iter().find(|one| !seen.insert(&one["name"])) {
            let complaint = Complaint::of_host(format!(
                "the namespace has more than one {word} {}; files know them by name: rename all \
                 but one",
                one["name"]
            ));
            return Err(Failure::Other(complaint.to_string()));
        }
    }
    let names: HashMap<&Value, &Value> =
        endpoints.iter().map(|one| (&one["id"], &one["name"])).collect();
    let mut kept = Vec::new();
    for rule in &rules {
        match names.get(&rule["webhook_endpoint_id"]) {
            Some(name) => kept.push(exported_rule(rule, name)?),
            None => {
                say(format_args!("the rule {} is left out: its endpoint was deleted", rule["name"]))
            }
        }
    }
    let endpoints = endpoints.iter().rev().map(exported_endpoint).collect::<Result<_, _>>()?;
    kept.reverse();
    Ok(vec![
        ("endpoints.yaml", ENDPOINTS_NOTE, ConfigurationFile { endpoints, ..Default::default() }),
        ("rules.yaml", "", ConfigurationFile { rules: kept, ..Default::default() }),
    ])
}

/// Nothing without a platform key.
async fn of_operator(host: &Host) -> Result<Option<Vec<File>>, Failure> {
    let tenants = match host.list(&["v1", "tenants"]).await? {
        Ok(tenants) => tenants,
        Err(no) if no.status == 403 => return Ok(None),
        Err(no) => return Err(refused(no)),
    };
    let tenants = tenants.iter().map(exported_tenant).collect::<Result<Vec<_>, _>>()?;
    // The others are as they would be without any file.
    let marked = |tenant: &Tenant| tenant.is_beta.is_some() || tenant.rate_limit.is_some();
    let tenants = tenants.into_iter().filter(marked).collect();
    let mut plugins = Vec::new();
    for plugin in host.list(&["v1", "plugins"]).await?.map_err(refused)? {
        let id: String = read(&plugin, "id")?;
        let grants = host.get(&["v1", "plugins", &id, "grants"]).await?.map_err(refused)?;
        let grants: Vec<Grant> = read(&grants, "grants")?;
        if !grants.is_empty() {
            plugins.push(Plugin { id, grants });
        }
    }
    Ok(Some(vec![
        ("tenants.yaml", "", ConfigurationFile { tenants, ..Default::default() }),
        ("plugins.yaml", "", ConfigurationFile { plugins, ..Default::default() }),
    ]))
}

fn exported_endpoint(there: &Value) -> Result<Endpoint, Failure> {
    let headers: BTreeMap<String, String> = read(there, "headers")?;
    let url: String = read(there, "target_url")?;
    Ok(Endpoint {
        name: read(there, "name")?,
        target_url: (!url.ends_with('…')).then_some(Text::Plain(url)),
        headers: headers.into_iter().map(|(name, value)| (name, Text::Plain(value))).collect(),
        target: unless(there, "target", "http".to_owned())?,
        settings: read::<Map<_, _>>(there, "settings")?,
        is_active: unless(there, "is_active", true)?,
        include_event_data: unless(there, "include_event_data", false)?,
        rate_limit: read(there, "rate_limit")?,
        gone_after: unless(there, "gone_after", 1)?,
        secret: None,
        secrets: BTreeMap::new(),
    })
}

fn exported_rule(there: &Value, endpoint: &Value) -> Result<Rule, Failure> {
    Ok(Rule {
        name: read(there, "name")?,
        event_type: read(there, "event_type")?,
        condition: read(there, "condition")?,
        endpoint: endpoint.as_str().unwrap_or_default().to_owned(),
        trigger: unless(there, "trigger", Default::default())?,
        retry_policy: unless(there, "retry_policy", Default::default())?,
        rate_limit: read(there, "rate_limit")?,
        is_active: unless(there, "is_active", true)?,
    })
}

fn exported_tenant(there: &Value) -> Result<Tenant, Failure> {
    Ok(Tenant {
        name: read(there, "name")?,
        is_beta: unless(there, "is_beta", false)?,
        rate_limit: read(there, "rate_limit")?,
    })
}

/// A field of what the host shows.
fn read<T: DeserializeOwned>(there: &Value, field: &str) -> Result<T, Failure> {
    // By its text: a condition is read with the digits that it was written with.
    serde_json::from_str(&there[field].to_string()).map_err(|error| {
        let name = there["name"].as_str().unwrap_or_default();
        Failure::Other(format!("`{field}` of `{name}` is of a newer release: {error}"))
    })
}

/// A field that is not at its default.
fn unless<T: DeserializeOwned + PartialEq>(
    there: &Value,
    field: &str,
    default: T,
) -> Result<Option<T>, Failure> {
    Ok(Some(read(there, field)?).filter(|value| *value != default))
}
