//! A caller of a running host's API, for the commands that are one.

use std::time::Duration;

use alerts_domain::secret::Secret;
use http::{Method, StatusCode};
use url::Url;

use super::Failure;

/// Longest wait for an answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// Which host, and with which key.
#[derive(clap::Args)]
pub(super) struct Client {
    /// Where the host is.
    #[arg(long, env = "ALERTS_URL", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// The API key. Better given by environment: flags show in the list of
    /// processes.
    #[arg(long, env = "ALERTS_KEY", value_name = "KEY", hide_env_values = true)]
    key: Secret,
}

/// What is asked of the host.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// The path's segments, not yet encoded.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Vec<u8>,
}

/// What the host has answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

/// What requests are sent with; one for all requests of a command.
pub(super) fn http() -> Result<reqwest::Client, Failure> {
    // Another part of the process may have chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(DEADLINE).build().map_err(Failure::other)
}

impl Client {
    /// The answer's body, if it is a good one.
    pub(super) async fn ask(&self, request: Request<'_>) -> Result<String, Failure> {
        let Answer { status, body } = self.send(&http()?, request).await?;
        if status.is_success() {
            return Ok(body);
        }
        Err(Failure::Other(format!("the host answered {status}: {body}")))
    }

    /// The answer, whatever it says.
    pub(super) async fn send(
        &self,
        http: &reqwest::Client,
        request: Request<'_>,
    ) -> Result<Answer, Failure> {
        let mut asked = http
            .request(request.method, self.address(request.path, request.query)?)
            .header("x-api-key", self.key.expose())
            .body(request.body);
        for (name, value) in request.headers {
            asked = asked.header(*name, *value);
        }
        let unreachable = |error: reqwest::Error| {
            Failure::Other(format!("{} did not answer: {error}; is the host running?", self.url))
        };
        let answer = asked.send().await.map_err(unreachable)?;
        let status = answer.status();
        let body = answer.text().await.map_err(unreachable)?;
        Ok(Answer { status, body })
    }

    fn address(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Failure> {
        let mut address = self.url.clone();
        match address.path_segments_mut() {
            Ok(mut segments) => segments.pop_if_empty().extend(path),
            Err(()) => {
                let wrong = format!("{} is not a host's address; write http://…", self.url);
                return Err(Failure::Other(wrong));
            }
        };
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_whatever_is_in_it() {
        let at = |url: &str| Client { url: url.parse().unwrap(), key: Secret::new("k") };
        let path = ["v1", "tenants", "a/b ?"];
        for url in ["http://h:1", "http://h:1/"] {
            let address = at(url).address(&path, &[("limit", "2")]).ok().unwrap();
            assert_eq!(address.as_str(), "http://h:1/v1/tenants/a%2Fb%20%3F?limit=2");
        }
        assert!(at("mailto:h").address(&path, &[]).is_err());
    }
}
