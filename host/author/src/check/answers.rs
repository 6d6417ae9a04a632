//! What an adapter makes of answers: every class of status, every way to get
//! none, and bodies that nobody expects.

use alerts_domain::exchange::{Outcome, Response, TransportError, Verdict};
use alerts_domain::header::Headers;
use alerts_sandbox::TargetDelivery;
use bytes::Bytes;

use super::report::{Finding, Report, all};
use super::request::accepted;
use crate::conversation::{Ended, converse};
use crate::lab::Lab;
use crate::scene::Scene;
use crate::{compare, show};

/// What an answer allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allows {
    /// Anything but `gone`, since the target took it.
    Taken,
    /// Anything but `delivered`, since the target did not take it.
    Refused,
    /// `retry`, since it passes.
    Passing,
    /// `retry`, and not before this many milliseconds.
    PassingAfter(u64),
    /// As that; but a target that never writes dates need not be read so.
    PassingAfterDate(u64),
    /// `retry` or `rejected`: nothing was said by the target.
    Unknown,
}

/// A Retry-After header, and the milliseconds that it means.
type Wait = (&'static str, u64);

/// The wait that the sample answers ask for, in both of its forms. The date is
/// a minute after the scene's time.
const WAIT: Wait = ("120", 120_000);
const WAIT_UNTIL: Wait = ("Thu, 01 Jan 2026 00:01:00 GMT", 60_000);

pub(super) fn check(lab: &Lab, scene: &Scene, told: &TargetDelivery, report: &mut Report<'_, '_>) {
    use Allows::{Passing, PassingAfter, PassingAfterDate, Refused, Taken};
    let statuses: [(u16, Option<Wait>, Allows); 18] = [
        (200, None, Taken),
        (201, None, Taken),
        (202, None, Taken),
        (204, None, Taken),
        (301, None, Refused),
        (400, None, Refused),
        (401, None, Refused),
        (403, None, Refused),
        (404, None, Refused),
        (410, None, Refused),
        (413, None, Refused),
        (429, None, Passing),
        (429, Some(WAIT), PassingAfter(WAIT.1)),
        (429, Some(WAIT_UNTIL), PassingAfterDate(WAIT_UNTIL.1)),
        (500, None, Passing),
        (502, None, Passing),
        (503, None, Passing),
        (503, Some(WAIT), PassingAfter(WAIT.1)),
    ];
    for (status, wait, allows) in statuses {
        let mut headers = Headers::from_iter([("content-type", "application/json")]);
        let mut promise = format!("answered {status}");
        if let Some((value, _)) = wait {
            headers.push("retry-after", value);
            promise.push_str(&format!(" with Retry-After: {value}"));
        }
        let body = if status == 204 { Bytes::new() } else { Bytes::from_static(b"{}") };
        let outcome = Outcome::Response(Response {
            status,
            headers,
            body,
            truncated: false,
            incomplete: None,
        });
        report.case(&promise, judged(lab, scene, told, &outcome, allows));
    }
    let detail = || "sample".to_owned();
    for error in [
        TransportError::Dns(detail()),
        TransportError::Connect(detail()),
        TransportError::Tls(detail()),
        TransportError::Timeout(detail()),
        TransportError::Forbidden(detail()),
        TransportError::Protocol(detail()),
    ] {
        let promise = format!("no answer: {error}");
        let outcome = Outcome::Failed(error);
        report.case(&promise, judged(lab, scene, told, &outcome, Allows::Unknown));
    }
    report.case("bodies that nobody expects", odd_bodies(lab, scene, told));
    report.case("a later request that fails", later_failure(lab, scene, told));
}

/// Every request of an attempt is answered so.
fn judged(
    lab: &Lab,
    scene: &Scene,
    told: &TargetDelivery,
    outcome: &Outcome,
    allows: Allows,
) -> Finding {
    let ended = converse(lab, told, scene.now(), |_, _, _| outcome.clone());
    let ended = ended.map_err(|failed| failed.to_string())?;
    verdict_fits(&ended, allows)
}

fn verdict_fits(ended: &Ended, allows: Allows) -> Finding {
    let shown = show::verdict(&ended.verdict);
    if compare::reason(&ended.verdict).is_some_and(|reason| reason.trim().is_empty()) {
        return Err(format!("`{shown}` has no reason: tell the tenant what happened"));
    }
    let advice = match (allows, &ended.verdict) {
        (Allows::Taken, Verdict::Gone(_)) => "the target took it; it is not gone",
        (Allows::Refused, Verdict::Delivered(_)) => {
            "the target did not take it, and the alert would be lost: answer retry, rejected or gone"
        }
        (Allows::Unknown, Verdict::Delivered(_)) => {
            "nobody knows whether the target has it, and the alert may be lost: answer retry"
        }
        (Allows::Unknown, Verdict::Gone(_)) => {
            "a broken line says nothing about the target, and its rule would be disabled: answer \
             retry"
        }
        (
            Allows::Passing | Allows::PassingAfter(_) | Allows::PassingAfterDate(_),
            Verdict::Delivered(_) | Verdict::Rejected(_) | Verdict::Gone(_),
        ) => "it passes by itself, and the alert would be lost: answer retry",
        (Allows::PassingAfter(ms), Verdict::Retry { after_ms, .. })
            if after_ms.is_none_or(|after| after < ms) =>
        {
            return Err(format!(
                "{shown}\nthe target asks for {ms} ms: set `after-ms` from its Retry-After header \
                 (seconds, or a date seen from the delivery's `now`), or use `send-last`"
            ));
        }
        (Allows::PassingAfterDate(ms), Verdict::Retry { after_ms, .. })
            if after_ms.is_none_or(|after| after < ms) =>
        {
            return Ok("retry; its date is not read, so the rule's policy alone decides".into());
        }
        _ => {
            let by = if ended.by_host { ", the host's verdict" } else { "" };
            return Ok(format!("{}{by}", ended.verdict.word()));
        }
    };
    Err(format!("{shown}\n{advice}"))
}

fn odd_bodies(lab: &Lab, scene: &Scene, told: &TargetDelivery) -> Finding {
    /// What the egress keeps of a body.
    const KEPT_BYTES: usize = 16 * 1024;
    let cut = format!(r#"{{"message":"{}"#, "x".repeat(KEPT_BYTES - 12));
    let deep = "[".repeat(KEPT_BYTES);
    let bodies: [(&str, Vec<u8>, bool); 8] = [
        ("an empty one", Vec::new(), false),
        ("a page of HTML", b"<html><body><h1>It works!</h1></body></html>".to_vec(), false),
        ("bytes that are not text", vec![0xff; 512], false),
        ("JSON that was cut at the host's bound", cut.into_bytes(), true),
        ("JSON that is nested deeply", deep.into_bytes(), true),
        ("JSON null", b"null".to_vec(), false),
        (
            "JSON of other types",
            br#"{"ok":[],"id":{},"message":1e999,"errors":"x","status":null,"error":true}"#
                .to_vec(),
            false,
        ),
        ("control characters", b"\r\n\x00\x1b[31m\xe2\x80\xae".to_vec(), false),
    ];
    let mut wrong = Vec::new();
    for status in [200, 400, 429, 500] {
        for (what, body, truncated) in &bodies {
            let outcome = Outcome::Response(Response {
                status,
                headers: Headers::from_iter([
                    ("content-type", "application/json"),
                    ("retry-after", "soon \u{fffd}"),
                ]),
                body: body.clone().into(),
                truncated: *truncated,
                incomplete: None,
            });
            let allows = match status {
                200 => Allows::Taken,
                400 => Allows::Refused,
                _ => Allows::Passing,
            };
            if let Err(why) = judged(lab, scene, told, &outcome, allows) {
                wrong.push(format!("{status} with {what}: {why}"));
            }
        }
    }
    all(wrong, format!("{} kinds, each with four statuses", bodies.len()))
}

/// For adapters that send more than one request: the first ones succeed.
fn later_failure(lab: &Lab, scene: &Scene, told: &TargetDelivery) -> Finding {
    let ended = converse(lab, told, scene.now(), |_, _, _| accepted());
    let requests = ended.map_err(|failed| failed.to_string())?.exchanges.len();
    let mut wrong = Vec::new();
    for failing in 1..requests {
        let outage = Outcome::Response(Response {
            status: 503,
            headers: Headers::default(),
            body: Bytes::new(),
            truncated: false,
            incomplete: None,
        });
        let ended = converse(lab, told, scene.now(), |index, _, _| {
            if index >= failing { outage.clone() } else { accepted() }
        });
        let judged = ended.map_err(|failed| failed.to_string());
        if let Err(why) = judged.and_then(|ended| verdict_fits(&ended, Allows::Passing)) {
            wrong.push(format!("request {}: {why}", failing + 1));
        }
    }
    let plural = if requests == 1 { "" } else { "s" };
    all(wrong, format!("{requests} request{plural} when each is answered 200"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Verdict, allows: Allows) -> Finding {
        verdict_fits(&Ended { verdict, exchanges: Vec::new(), by_host: false }, allows)
    }

    #[test]
    fn an_alert_that_was_not_taken_must_not_count_as_delivered() {
        for allows in [Allows::Refused, Allows::Passing, Allows::Unknown] {
            assert!(finding(Verdict::Delivered(None), allows).is_err(), "{allows:?}");
        }
        assert!(finding(Verdict::Delivered(None), Allows::Taken).is_ok());
    }

    #[test]
    fn a_wait_that_the_target_asks_for_is_kept() {
        let retry = |after_ms| Verdict::Retry { after_ms, reason: "busy".into() };
        let asked = Allows::PassingAfter(60_000);
        assert!(finding(retry(None), asked).is_err());
        assert!(finding(retry(Some(59_999)), asked).is_err());
        assert!(finding(retry(Some(60_000)), asked).is_ok());
    }

    #[test]
    fn a_verdict_without_a_reason_is_not_good_enough() {
        assert!(finding(Verdict::Rejected(" ".into()), Allows::Refused).is_err());
    }
}
