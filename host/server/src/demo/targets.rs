//! How the demo's receivers behave: what each answers, and how long it takes. The same in
//! the past, which the demo lives through in seconds, and over HTTP from then on.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use alerts_domain::Timestamp;
use serde_json::{Value, json};

use super::chance::Chance;

/// A Slack channel that takes messages.
pub(super) const SLACK: &str = "/slack/services/";
/// One whose channel was archived while the demo's past went on.
pub(super) const ARCHIVED: &str = "/slack/services/T02NW4KQX/B03ETLLEGACY/zH4uM7yBfE9oPl1D";
/// PagerDuty's way in.
pub(super) const PAGERDUTY: &str = "/pagerduty/v2/enqueue";
/// A quick receiver that has an outage now and then.
pub(super) const BUS: &str = "/bus/";
/// One that is slow, fails often, and at times says nothing at all.
pub(super) const PARTNER: &str = "/fabrikam/hooks/exports";
/// One that is no more.
pub(super) const LEDGER: &str = "/ledger/alerts";
/// The terminal in which the demo runs.
pub(super) const TERMINAL: &str = "/terminal";

/// When the channel was archived, the ledger went away, and the event bus was down, in
/// minutes before the demo was first started.
const ARCHIVED_MIN: i64 = 9 * 60;
const LEDGER_GONE_MIN: i64 = 50;
const BUS_DOWN_MIN: std::ops::Range<i64> = 7 * 60..8 * 60;
/// How long the event bus is away in each half hour, in seconds.
const BUS_HICCUP_S: i64 = 40;

/// What a receiver does with a request.
#[derive(Debug)]
pub(super) enum Behaviour {
    /// Answers, after a while.
    Answers(Answer),
    /// Takes it and never answers.
    KeepsSilent,
    /// Is not there.
    Refuses,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) takes: Duration,
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) retry_after_s: Option<u32>,
    pub(super) body: String,
}

/// All receivers.
#[derive(Debug)]
pub(super) struct Targets {
    begun: Timestamp,
    /// How many requests there were.
    requests: AtomicI64,
}

impl Targets {
    /// As they are, and were before `begun`.
    pub(super) fn new(begun: Timestamp) -> Self {
        Self { begun, requests: AtomicI64::new(0) }
    }

    /// What becomes of a request at this moment.
    pub(super) fn behave(&self, path: &str, body: &[u8], now: Timestamp) -> Behaviour {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut chance = Chance::of(path, number);
        let ago_min = self.begun.duration_since(now).as_secs() / 60;
        match path {
            ARCHIVED if ago_min < ARCHIVED_MIN => {
                text(chance.between((90, 160)), 410, "channel_is_archived")
            }
            _ if path.starts_with(SLACK) => slack(&mut chance),
            PAGERDUTY => pagerduty(&mut chance, body),
            PARTNER => partner(&mut chance),
            LEDGER if ago_min < LEDGER_GONE_MIN => Behaviour::Refuses,
            LEDGER => json(chance.between((30, 90)), 200, &json!({"posted": true})),
            _ if path.starts_with(BUS) => bus(&mut chance, ago_min, now),
            TERMINAL => text(1, 204, ""),
            _ => text(1, 404, "no receiver of the demo listens here"),
        }
    }
}

fn slack(chance: &mut Chance) -> Behaviour {
    if chance.happens(25) {
        let mut answer = text(chance.between((40, 80)), 429, "rate_limited");
        if let Behaviour::Answers(answer) = &mut answer {
            answer.retry_after_s = Some(chance.between((5, 20)));
        }
        return answer;
    }
    text(chance.between((110, 280)), 200, "ok")
}

fn pagerduty(chance: &mut Chance, body: &[u8]) -> Behaviour {
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = json!({
        "status": "success",
        "message": "Event processed",
        "dedup_key": event["dedup_key"],
    });
    json(chance.between((90, 210)), 202, &said)
}

fn partner(chance: &mut Chance) -> Behaviour {
    match chance.below(1000) {
        0..480 => json(chance.between((600, 2600)), 200, &json!({"received": true})),
        480..700 => {
            let page = "<html><head><title>500 Internal Server Error</title></head>\n<body>\n\
                        <h1>Internal Server Error</h1>\n<p>java.lang.NullPointerException: \
                        exports.Inbox.accept(Inbox.java:87)</p>\n</body></html>\n";
            answer(chance.between((300, 900)), 500, "text/html", page.to_owned())
        }
        700..860 => Behaviour::KeepsSilent,
        _ => text(chance.between((20, 60)), 502, "upstream connect error: connection timeout"),
    }
}

fn bus(chance: &mut Chance, ago_min: i64, now: Timestamp) -> Behaviour {
    let is_down =
        BUS_DOWN_MIN.contains(&ago_min) || now.as_second().rem_euclid(30 * 60) < BUS_HICCUP_S;
    if is_down {
        return json(chance.between((4, 20)), 503, &json!({"error": "no broker available"}));
    }
    let takes_ms = if chance.happens(15) { (700, 1500) } else { (9, 55) };
    text(chance.between(takes_ms), 204, "")
}

fn text(takes_ms: u32, status: u16, body: &str) -> Behaviour {
    answer(takes_ms, status, "text/plain; charset=utf-8", body.to_owned())
}

fn json(takes_ms: u32, status: u16, body: &Value) -> Behaviour {
    answer(takes_ms, status, "application/json", body.to_string())
}

fn answer(takes_ms: u32, status: u16, content_type: &'static str, body: String) -> Behaviour {
    let takes = Duration::from_millis(u64::from(takes_ms));
    Behaviour::Answers(Answer { takes, status, content_type, retry_after_s: None, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_once_began_at_its_time() {
        let begun = Timestamp::from_second(1_790_000_000).unwrap();
        let targets = Targets::new(begun);
        let status = |path, ago_min: i64| {
            let at = begun - jiff::SignedDuration::from_mins(ago_min);
            match targets.behave(path, b"{}", at) {
                Behaviour::Answers(answer) => Some(answer.status),
                Behaviour::KeepsSilent | Behaviour::Refuses => None,
            }
        };
        assert_eq!(status(ARCHIVED, ARCHIVED_MIN - 1), Some(410));
        assert_ne!(status(ARCHIVED, ARCHIVED_MIN + 1), Some(410));
        assert_eq!(status(LEDGER, LEDGER_GONE_MIN - 1), None);
        assert_eq!(status(LEDGER, LEDGER_GONE_MIN + 1), Some(200));
        assert_eq!(status("/bus/analytics", BUS_DOWN_MIN.start + 1), Some(503));
        assert_eq!(status("/elsewhere", 0), Some(404));
    }
}
