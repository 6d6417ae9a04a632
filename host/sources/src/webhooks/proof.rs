//! By what a sender is known: which header of which kind of source, and what to do where it
//! is missing or wrong.

use alerts_domain::Timestamp;
use alerts_domain::secret::Secret;
use alerts_domain::source::{SourceKind, is_from_holder, is_hub_signature, is_standard_signature};

use super::request::Incoming;

const HUB: &str = "x-hub-signature-256";
const GITLAB_TOKEN: &str = "x-gitlab-token";
const OWN_TOKEN: &str = "x-exosphere-token";

/// Whether the request was made by somebody who has the secret; if not, what to change.
pub(super) fn check(
    kind: SourceKind,
    secret: &Secret,
    request: &Incoming,
    now: Timestamp,
) -> Result<(), String> {
    let shown = match kind {
        SourceKind::Github => hub(secret, request),
        SourceKind::Gitlab => {
            token(secret, request.header(GITLAB_TOKEN)).or(standard(secret, request, now))
        }
        SourceKind::Mapped => hub(secret, request)
            .or(standard(secret, request, now))
            .or(token(secret, request.header(OWN_TOKEN)))
            .or(token(secret, bearer(request))),
    };
    match shown {
        Some(true) => Ok(()),
        Some(false) => Err(format!(
            "{} does not fit the source's secret and this body: enter the secret once more where \
             the webhook is set up, or change it here",
            expected(kind)
        )),
        None => Err(format!(
            "the request has no {}: enter the source's secret where the webhook is set up",
            expected(kind)
        )),
    }
}

fn expected(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Github => "`X-Hub-Signature-256`",
        SourceKind::Gitlab => "`X-Gitlab-Token`",
        SourceKind::Mapped => {
            "`Authorization: Bearer`, `X-Exosphere-Token`, `X-Hub-Signature-256` or \
             `webhook-signature`"
        }
    }
}

fn hub(secret: &Secret, request: &Incoming) -> Option<bool> {
    Some(is_hub_signature(secret, request.header(HUB)?, &request.body))
}

fn standard(secret: &Secret, request: &Incoming, now: Timestamp) -> Option<bool> {
    let signature = request.header("webhook-signature")?;
    let [id, time] =
        ["webhook-id", "webhook-timestamp"].map(|name| request.header(name).unwrap_or_default());
    Some(is_standard_signature(secret, (id, time, signature), &request.body, now))
}

fn token(secret: &Secret, presented: Option<&str>) -> Option<bool> {
    Some(is_from_holder(secret, presented?))
}

fn bearer(request: &Incoming) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    const SECRET: &str = "sixteen-letters!";

    fn checked(kind: SourceKind, name: &'static str, value: &str) -> Result<(), String> {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let body = Bytes::from_static(b"{}");
        let request = Incoming { headers, query: Vec::new(), body };
        check(kind, &Secret::new(SECRET), &request, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn each_kind_is_known_by_its_own_header() {
        use SourceKind::{Github, Gitlab, Mapped};
        for (kind, name) in
            [(Gitlab, GITLAB_TOKEN), (Mapped, OWN_TOKEN), (Github, "x-other"), (Mapped, "x-other")]
        {
            let right = checked(kind, name, SECRET);
            assert_eq!(right.is_ok(), name != "x-other", "{name}");
            assert!(checked(kind, name, "sixteen-letters?").is_err());
        }
        assert!(checked(Mapped, "authorization", "Bearer sixteen-letters!").is_ok());
        assert!(checked(Mapped, "authorization", "Basic sixteen-letters!").is_err());
        assert!(checked(Github, OWN_TOKEN, SECRET).unwrap_err().contains("has no `X-Hub-Sig"));
        assert!(checked(Github, HUB, "sha256=00").unwrap_err().contains("does not fit"));
    }
}
