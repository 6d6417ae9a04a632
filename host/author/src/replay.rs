//! `plugin replay`: asks a plugin file what another one was asked, with the
//! answers that came then, and tells what it would have done differently.
//! Nothing is sent but questions to the host's API.

use std::path::PathBuf;

use alerts_domain::delivery::attempt_seed;
use alerts_domain::exchange::{Exchange, Request, Step, Verdict};
use alerts_domain::id::DeliveryId;
use alerts_package::Manifest;
use alerts_sandbox::{TargetDelivery, TargetEndpoint};
use serde_json::Value;

use crate::lab::{Lab, runtime};
use crate::record::{Host, Record, StoredAttempt};
use crate::{AuthorError, Paper, compare, file, show};

/// Arguments of `plugin replay`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The delivery, `dlv_…`.
    delivery: DeliveryId,
    /// The plugin file to ask.
    file: PathBuf,
    #[command(flatten)]
    host: Host,
}

/// Replays every attempt and prints what would differ. Says whether anything would.
pub fn run(args: &Args, paper: &mut Paper<'_>) -> Result<bool, AuthorError> {
    let lab = Lab::open(&file::bytes(&args.file)?)?;
    let record = runtime()?.block_on(args.host.record_of(args.delivery))?;
    replay(&lab, &record, paper)
}

fn replay(lab: &Lab, record: &Record, paper: &mut Paper<'_>) -> Result<bool, AuthorError> {
    let Record { id, delivery, endpoint, .. } = record;
    let manifest = lab.manifest();
    if endpoint.target != manifest.id {
        paper.line(format_args!(
            "note: the endpoint's target is `{}`, and this file is `{}`",
            endpoint.target, manifest.id
        ));
    }
    if delivery.attempts.is_empty() {
        paper.line(format_args!("{id} has no attempts yet; nothing to replay"));
        return Ok(false);
    }
    let mut differing = 0;
    for attempt in &delivery.attempts {
        let same_file = attempt.plugin_digest == lab.plugin().digest().to_string();
        let whose = if same_file { "this very file" } else { &attempt.plugin_digest };
        paper.line(format_args!(
            "attempt {} at {}, decided by {whose}",
            attempt.number, attempt.started_at
        ));
        if attempt.endpoint_version != endpoint.version {
            paper.line(format_args!(
                "  note: the endpoint was changed since (version {} then, {} now), which may be \
                 all that differs",
                attempt.endpoint_version, endpoint.version
            ));
        }
        differing += u32::from(attempt_differs(lab, record, attempt, paper)?);
    }
    let attempts = delivery.attempts.len();
    paper.line(format_args!("\n{attempts} replayed, {differing} would differ"));
    Ok(differing > 0)
}

fn attempt_differs(
    lab: &Lab,
    record: &Record,
    attempt: &StoredAttempt,
    paper: &mut Paper<'_>,
) -> Result<bool, AuthorError> {
    let told = told(record, attempt, lab.manifest());
    // The host judged when the answer was there.
    let ended_at = attempt
        .started_at
        .saturating_add(jiff::SignedDuration::from_millis(
            i64::try_from(attempt.duration_ms).unwrap_or(0),
        ))
        .unwrap_or(attempt.started_at);
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut differs = false;
    let verdict = loop {
        let step = match lab.next(&told, &exchanges) {
            Ok(step) => step,
            Err(failed) => {
                paper.line(format_args!("  the plugin fails: {failed}"));
                return Ok(true);
            }
        };
        let (request, is_last) = match step {
            Step::Done(verdict) => break verdict,
            Step::Send(request) => (request, false),
            Step::SendLast(request) => (request, true),
        };
        let number = exchanges.len() + 1;
        let Some(stored) = attempt.exchanges.get(exchanges.len()) else {
            paper.line(format_args!(
                "  request {number}: would be sent, and was not then; without an answer the \
                 replay ends here"
            ));
            paper.indented(4, &show::request(&request));
            return Ok(true);
        };
        let lines = compare::requests(&stored.request, &request);
        differs |= told_lines(&format!("request {number}"), &lines, paper);
        let outcome = stored.outcome.clone();
        let verdict = is_last.then(|| Verdict::standard(&outcome, ended_at));
        exchanges.push(Exchange { request, outcome });
        if let Some(verdict) = verdict {
            break verdict;
        }
    };
    let unasked = attempt.exchanges.len() - exchanges.len();
    if unasked > 0 {
        paper.line(format_args!(
            "  of the requests that were sent then, {unasked} would not be sent"
        ));
        differs = true;
    }
    let lines = verdict_lines(attempt, &verdict);
    differs |= told_lines(&format!("verdict {}", verdict.word()), &lines, paper);
    Ok(differs)
}

fn told_lines(what: &str, lines: &[String], paper: &mut Paper<'_>) -> bool {
    if lines.is_empty() {
        paper.line(format_args!("  {what}: the same"));
        return false;
    }
    paper.line(format_args!("  {what}: differs"));
    for line in lines {
        paper.indented(4, line);
    }
    true
}

fn verdict_lines(attempt: &StoredAttempt, verdict: &Verdict) -> Vec<String> {
    let mut lines = Vec::new();
    if attempt.verdict != verdict.word() {
        lines.push(format!("verdict: `{}` → `{}`", attempt.verdict, verdict.word()));
    }
    let was = attempt.error.as_deref().unwrap_or_default();
    let is = compare::reason(verdict).unwrap_or_default();
    // Kept cut, so compared as far as it was kept.
    if was.is_empty() != is.is_empty() || !is.starts_with(was) {
        lines.push(format!("reason: `{was}` → `{is}`"));
    }
    // Attempts of older hosts have none kept.
    if let Some(was) = &attempt.note
        && verdict.note() != Some(was)
    {
        let is = verdict.note().unwrap_or_default();
        lines.push(format!("note: `{was}` → `{is}`"));
    }
    lines
}

fn told(record: &Record, attempt: &StoredAttempt, manifest: &Manifest) -> TargetDelivery {
    let endpoint = &record.endpoint;
    let requests: Vec<&Request> = attempt.exchanges.iter().map(|e| &e.request).collect();
    let reference = |name: &str| {
        let stem = format!("exosphere-secret-{name}-");
        requests
            .iter()
            .find_map(|request| find_reference(request, &stem))
            // It was not used then, so any text that is none of the others will do.
            .unwrap_or_else(|| format!("{stem}{}", "0".repeat(REFERENCE_TAG)))
    };
    let url = match endpoint.target_url.strip_suffix('…') {
        Some(origin) => format!("{origin}{}", reference("target-url")),
        None => endpoint.target_url.clone(),
    };
    TargetDelivery {
        id: record.id.to_string(),
        attempt: attempt.number,
        now_ms: u64::try_from(attempt.started_at.as_millisecond()).unwrap_or(0),
        seed: attempt_seed(record.id, attempt.number),
        alert: record.alert.clone(),
        endpoint: TargetEndpoint {
            url,
            settings: Value::from(endpoint.settings.clone()).to_string().into(),
            headers: endpoint.headers.iter().map(|(name, v)| (name.as_str(), v.as_str())).collect(),
            secrets: manifest
                .secrets
                .iter()
                .map(|slot| (slot.name.clone(), reference(&slot.name)))
                .collect(),
        },
    }
}

/// Hex digits at the end of a reference.
const REFERENCE_TAG: usize = 20;

/// A reference that begins so, wherever a request has one.
fn find_reference(request: &Request, stem: &str) -> Option<String> {
    let body = String::from_utf8_lossy(&request.body);
    let values = request.headers.iter().map(|(_, value)| value);
    let texts = std::iter::once(request.url.as_str()).chain(values).chain([body.as_ref()]);
    for text in texts {
        for (start, _) in text.match_indices(stem) {
            let tag = text.get(start + stem.len()..start + stem.len() + REFERENCE_TAG);
            if let Some(tag) = tag.filter(|tag| tag.bytes().all(|b| b.is_ascii_hexdigit())) {
                return Some(format!("{stem}{tag}"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use alerts_domain::Timestamp;
    use alerts_domain::header::Headers;
    use alerts_domain::id::{EndpointId, EventId};
    use bytes::Bytes;
    use serde_json::Map;

    use super::*;
    use crate::record::{StoredDelivery, StoredEndpoint};

    fn request(url: &str, body: &str) -> Request {
        Request {
            method: "POST".into(),
            url: url.into(),
            headers: Headers::default(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            sign: false,
        }
    }

    #[test]
    fn a_reference_is_found_wherever_the_request_has_it() {
        let reference = "exosphere-secret-token-0123456789abcdef0123";
        let stem = "exosphere-secret-token-";
        for found in [
            request(&format!("https://a.example/{reference}/x"), ""),
            request("https://a.example/", &format!(r#"{{"key":"{reference}"}}"#)),
        ] {
            assert_eq!(find_reference(&found, stem).as_deref(), Some(reference));
        }
        assert_eq!(find_reference(&request("u", "exosphere-secret-token-short"), stem), None);
    }

    /// A delivery that the generic target made in one request.
    fn record(body: &str, verdict: &str, error: Option<&str>, status: u16) -> Record {
        let id = DeliveryId::new(Timestamp::UNIX_EPOCH, 1);
        let alert = Bytes::from_static(b"{}");
        let stored = Request { sign: true, ..request("https://a.example/hook", body) };
        let headers = Headers::from_iter([("content-type", "application/json")]);
        let response = alerts_domain::exchange::Response {
            status,
            headers: Headers::default(),
            body: Bytes::new(),
            truncated: false,
            incomplete: None,
        };
        let exchange = Exchange {
            request: Request { headers, ..stored },
            outcome: alerts_domain::exchange::Outcome::Response(response),
        };
        let attempt = StoredAttempt {
            number: 1,
            started_at: Timestamp::UNIX_EPOCH,
            duration_ms: 1,
            verdict: verdict.into(),
            error: error.map(str::to_owned),
            note: None,
            plugin_digest: "sha256:other".into(),
            endpoint_version: 1,
            exchanges: vec![exchange],
        };
        let delivery = StoredDelivery {
            event_id: EventId::new(Timestamp::UNIX_EPOCH, 1),
            alert_rule_id: None,
            webhook_endpoint_id: EndpointId::new(Timestamp::UNIX_EPOCH, 1),
            rule_name: None,
            trigger: None,
            created_at: Timestamp::UNIX_EPOCH,
            attempts: vec![attempt],
        };
        let endpoint = StoredEndpoint {
            target_url: "https://a.example/hook".into(),
            target: "http".into(),
            headers: std::collections::BTreeMap::new(),
            settings: Map::new(),
            include_event_data: false,
            version: 1,
        };
        Record { id, delivery, endpoint, alert }
    }

    fn replayed(record: &Record) -> (bool, String) {
        let wasm = include_bytes!("../../../plugins/dist/http.wasm");
        let mut out = Vec::new();
        let differs = replay(&Lab::open(wasm).unwrap(), record, &mut Paper::new(&mut out)).unwrap();
        (differs, String::from_utf8(out).unwrap())
    }

    #[test]
    fn an_attempt_that_would_be_the_same_is_told_so() {
        let (differs, lines) = replayed(&record("{}", "delivered", None, 200));
        assert!(!differs && lines.contains("request 1: the same"), "{lines}");
        assert!(lines.ends_with("\n1 replayed, 0 would differ\n"), "{lines}");
    }

    #[test]
    fn what_would_differ_is_told_field_by_field() {
        let (differs, lines) = replayed(&record(r#"{"old":1}"#, "rejected", Some("full"), 503));
        assert!(differs);
        for line in ["body /old: `1` → (none)", "verdict: `rejected` → `retry`", "reason: `full` →"]
        {
            assert!(lines.contains(line), "no {line:?} in {lines}");
        }
    }

    #[test]
    fn a_reason_that_was_cut_when_it_was_kept_is_no_difference() {
        let attempt = StoredAttempt {
            number: 1,
            started_at: Timestamp::UNIX_EPOCH,
            duration_ms: 1,
            verdict: "retry".into(),
            error: Some("the target answered".into()),
            note: None,
            plugin_digest: String::new(),
            endpoint_version: 1,
            exchanges: Vec::new(),
        };
        let retry = |reason: &str| Verdict::Retry { after_ms: None, reason: reason.into() };
        assert!(verdict_lines(&attempt, &retry("the target answered 500")).is_empty());
        assert_eq!(verdict_lines(&attempt, &retry("other")).len(), 1);
        assert_eq!(verdict_lines(&attempt, &Verdict::Delivered(None)).len(), 2);
    }
}
