//! What an alert says to a person who was woken by it: what failed, where, how often
//! or for how long, and since when. The words are here once, for every adapter; how
//! they look in a vendor's message is the adapter's.

mod facts;
mod story;

use serde_json::Value;

use crate::text::one_line;
use crate::when::{in_utc, span};
use crate::{Alert, Scalar};

/// An alert in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Briefing {
    /// What kind of news it is.
    pub news: News,
    /// What happened, in a few words: `Workflow failed: nightly-etl`.
    pub headline: String,
    /// The same in a sentence or two, with the figures.
    pub story: Vec<Piece>,
    /// Where it happened, and what else is known, the most important first.
    pub facts: Vec<Fact>,
}

/// What kind of news an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Something failed, or there was too much of it.
    Bad,
    /// Something takes too long.
    Late,
    /// Something went well, or is well again.
    Good,
    /// Something began.
    Begun,
    /// An emitter's own event. What it means the rule's author knows.
    Other,
    /// Somebody tries an endpoint out, with all that belongs to an alert.
    Test,
}

impl News {
    /// Whether somebody is to look at it now.
    pub fn is_pressing(self) -> bool {
        !matches!(self, Self::Good | Self::Begun)
    }
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words and figures of the briefing's own.
    Words(String),
    /// A name or a value from the alert. Whoever wrote it may have written anything.
    Name(String),
    /// A time as the alert has it: nearly always RFC 3339 ([`crate::when`] reads it).
    Time(String),
}

/// Something that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is. Of a threshold's group this is a field's name, as the rule has it.
    pub label: String,
    /// What is known of it.
    pub value: Piece,
}

impl Briefing {
    /// What this alert says.
    pub fn of(alert: &Alert) -> Self {
        let (news, headline, story) = story::of(alert);
        Self { news, headline, story, facts: facts::of(alert) }
    }

    /// The story as plain text, times in UTC.
    pub fn plain_story(&self) -> String {
        self.story.iter().map(Piece::plain).collect()
    }
}

impl Alert {
    /// What happened, in a few words: `Workflow failed: etl`.
    pub fn headline(&self) -> String {
        story::of(self).1
    }
}

impl Piece {
    fn words(text: impl Into<String>) -> Self {
        Self::Words(text.into())
    }

    fn name(text: impl Into<String>) -> Self {
        Self::Name(text.into())
    }

    /// As plain text, a time in UTC.
    pub fn plain(&self) -> String {
        match self {
            Self::Words(text) | Self::Name(text) => text.clone(),
            Self::Time(time) => in_utc(time),
        }
    }
}

/// Longest name in a headline and in a story, in characters: enough to know it by.
const MAX_NAME_CHARS: usize = 120;

fn short(name: &str) -> String {
    one_line(name, MAX_NAME_CHARS)
}

fn text(scalar: &Option<Scalar>) -> Option<&str> {
    scalar.as_ref().map(Scalar::text).filter(|text| !text.trim().is_empty())
}

/// Milliseconds in words; as they are when they are no number.
fn span_of(ms: &Scalar) -> String {
    let whole = ms.as_u64().or_else(|| {
        // An emitter may count parts of a millisecond.
        let ms: f64 = ms.text().parse().ok()?;
        (ms.is_finite() && ms >= 0.0).then_some(ms as u64)
    });
    whole.map_or_else(|| short(ms.text()), span)
}

/// The values of a threshold's group, for a headline.
fn group_words(alert: &Alert) -> Option<String> {
    let group = alert.trigger.group();
    let words: Vec<_> = group
        .iter()
        .map(|(field, value)| match value {
            // As the host names the group of all for which there was no room.
            Value::Bool(true) if field == "other" => "all other groups".to_owned(),
            Value::Null => format!("no {}", short(field)),
            value => short(&scalar_words(value)),
        })
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn scalar_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
