//! Targets, and what they answer.

use alerts_domain::exchange::{Response, TransportError};
use alerts_domain::header::Headers;
use bytes::Bytes;

use crate::plan::Ms;
use crate::random::Random;
use crate::sends::MARK;

/// How a target behaves, until everything is left to come to rest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Well,
    /// Fails so many of a hundred, in all ways.
    Flaky(u64),
    DownUntil(Ms),
    Gone {
        from: Ms,
        until: Ms,
        status: u16,
    },
    /// Has enough now and then, and asks to be left alone for so many seconds, or does
    /// not say for how long.
    Busy(Option<u64>),
}

/// What a host hears from a target.
pub(crate) type Answer = Result<Response, TransportError>;

/// What a target says at this moment to send `number`.
pub(crate) fn answer(target: Target, now: Ms, number: usize, random: &mut Random) -> Answer {
    let respond = |status, more: Option<(&str, String)>| {
        let mut headers = Headers::default();
        headers.push(MARK, number.to_string());
        more.into_iter().for_each(|(name, value)| headers.push(name, value));
        Ok(Response { status, headers, body: Bytes::new(), truncated: false, incomplete: None })
    };
    let fail = |random: &mut Random| {
        let detail = format!("{MARK}: {number}");
        match random.below(5) {
            0 => Err(TransportError::Timeout(detail)),
            1 => Err(TransportError::Connect(detail)),
            2 => Err(TransportError::Protocol(detail)),
            3 => Err(TransportError::Dns(detail)),
            _ => respond(random.pick(&[500, 503]), None),
        }
    };
    match target {
        Target::Flaky(percent) if random.percent(percent) => fail(random),
        Target::DownUntil(until) if now < until => fail(random),
        Target::Gone { from, until, status } if (from..until).contains(&now) => {
            respond(status, None)
        }
        Target::Busy(seconds) if random.percent(40) => {
            respond(429, seconds.map(|seconds| ("retry-after", seconds.to_string())))
        }
        _ => respond(200, None),
    }
}
