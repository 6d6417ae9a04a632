//! `exosphere-alerts tenant`: what the operator decides about tenants.

use alerts_domain::rate_limit::RateLimit;
use http::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, Request};
use super::{Failure, runtime};
use crate::say::say;

/// Look at the tenants of a running host, and decide about them
///
/// Needs a platform key. Each tenant is printed as one line of JSON.
#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the tenants by name: all that ever had an endpoint, a rule or a mark
    List {
        #[command(flatten)]
        host: Client,
    },
    /// Show one tenant; one that is not known yet has the defaults
    Show {
        /// The namespace.
        name: String,
        #[command(flatten)]
        host: Client,
    },
    /// Decide about a tenant; what is left out stays as it is
    ///
    /// Opens alerts to it while ALERTS_ROLLOUT is `beta`:
    ///   exosphere-alerts tenant set payments --beta true
    /// Lets no more than 600 deliveries a minute start for it, 50 of them at once:
    ///   exosphere-alerts tenant set payments --rate-limit 600 --burst 50
    /// In force at once, on other hosts within seconds; written into the tenant's
    /// audit log.
    #[command(verbatim_doc_comment)]
    Set(Set),
}

#[derive(clap::Args)]
pub(super) struct Set {
    /// The namespace.
    name: String,
    #[command(flatten)]
    host: Client,
    #[command(flatten)]
    change: Change,
}

#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct Change {
    /// Whether alerts are open to it while ALERTS_ROLLOUT is `beta`.
    #[arg(long, value_name = "true|false")]
    beta: Option<bool>,
    /// Deliveries a minute that may start for it; `none` for the host's default.
    #[arg(long, value_name = "NUMBER")]
    rate_limit: Option<String>,
    /// How many of them may start at once.
    #[arg(long, value_name = "NUMBER", requires = "rate_limit")]
    burst: Option<u32>,
}

impl Change {
    fn patch(&self) -> Result<Value, Failure> {
        let mut patch = Map::new();
        if let Some(is_beta) = self.beta {
            patch.insert("is_beta".to_owned(), is_beta.into());
        }
        let limit = match self.rate_limit.as_deref() {
            None => return Ok(patch.into()),
            Some("none") => Value::Null,
            Some(number) => {
                let per_minute: u32 = number.parse().map_err(|_| {
                    Failure::Other(format!(
                        "--rate-limit: `{number}` is not a number of deliveries a minute; write \
                         one from 1 to {}, or `none`",
                        RateLimit::MAX
                    ))
                })?;
                json!(RateLimit { burst: self.burst, ..RateLimit::per_minute(per_minute) })
            }
        };
        patch.insert("rate_limit".to_owned(), limit);
        Ok(patch.into())
    }
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    runtime()?.block_on(async {
        match command {
            Command::List { host } => list(&host).await,
            Command::Show { name, host } => {
                let path = ["v1", "tenants", &name];
                say(host.ask(get(&path, &[])).await?);
                Ok(())
            }
            Command::Set(Set { name, host, change }) => {
                let request = Request {
                    method: Method::PATCH,
                    path: &["v1", "tenants", &name],
                    query: &[],
                    headers: &[("content-type", "application/json")],
                    body: change.patch()?.to_string().into(),
                };
                say(host.ask(request).await?);
                Ok(())
            }
        }
    })
}

async fn list(host: &Client) -> Result<(), Failure> {
    let mut cursor = String::new();
    loop {
        let query = [("limit", "200"), ("cursor", cursor.as_str())];
        let asked = if cursor.is_empty() { &query[..1] } else { &query[..] };
        let page = host.ask(get(&["v1", "tenants"], asked)).await?;
        let page: Value = serde_json::from_str(&page).map_err(Failure::other)?;
        for tenant in page["data"].as_array().into_iter().flatten() {
            say(tenant);
        }
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return Ok(()),
        }
    }
}

fn get<'a>(path: &'a [&'a str], query: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: Method::GET, path, query, headers: &[], body: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_changed_and_none_takes_the_limit_away() {
        let patch = |beta, rate_limit: Option<&str>, burst| {
            let rate_limit = rate_limit.map(str::to_owned);
            Change { beta, rate_limit, burst }.patch().ok()
        };
        assert_eq!(patch(Some(true), None, None), Some(json!({"is_beta": true})));
        assert_eq!(patch(None, Some("none"), None), Some(json!({"rate_limit": null})));
        let limit = patch(None, Some("60"), Some(5)).unwrap();
        assert_eq!(limit["rate_limit"], json!({"per_minute": 60, "burst": 5}));
        assert_eq!(patch(None, Some("many"), None), None);
    }
}
