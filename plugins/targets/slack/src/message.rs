//! The alert as a message: headline, who is to look and what happened, the run's
//! fields, the event's data where the endpoint asked for it, and where it came from.

use exosphere_alerts_sdk::Alert;
use exosphere_alerts_sdk::briefing::{Briefing, Fact, News, Piece};

use crate::SlackSettings;
use crate::blocks::{Block, MAX_FALLBACK, MAX_FIELDS, MAX_HEADER, Message, Section, Text};
use crate::data;
use crate::text::{code, escaped, time};

/// Longest name or value in a sentence and in a field. Slack takes 2,000 in a field,
/// but ten such fields would make the message too long as a whole (`MAX_MESSAGE`).
const MAX_VALUE: usize = 200;
/// Longest label, for the same reason.
const MAX_LABEL: usize = 80;
/// Longest story with its link, for the same reason.
const MAX_STORY: usize = 2000;

pub(crate) fn write(alert: &Alert, settings: &SlackSettings) -> Message {
    let briefing = Briefing::of(alert);
    let headline = format!("{} {}", mark(briefing.news), briefing.headline);
    let mut blocks = vec![
        Block::Header { text: Text::plain(escaped(&headline, MAX_HEADER)) },
        Block::Section(Section::of_text(story(alert, &briefing, settings))),
    ];
    if settings.show_fields {
        let fields = briefing.facts.iter().take(MAX_FIELDS).map(field).collect();
        blocks.push(Block::Section(Section { text: None, fields }));
    }
    // The host's own event of an end has nothing in it that is not told above.
    if let Some(data) = alert.data.as_ref().filter(|_| !alert.trigger.is_recovery()) {
        blocks.extend(data::texts(data).into_iter().map(Section::of_text).map(Block::Section));
    }
    blocks.push(Block::Context { elements: vec![Text::markdown(origin(alert))] });
    let fallback = format!("{headline} ({}). {}", alert.namespace, briefing.plain_story());
    Message {
        text: escaped(&fallback, MAX_FALLBACK),
        blocks,
        unfurl_links: false,
        unfurl_media: false,
    }
}

/// What kind of news it is, seen from afar.
fn mark(news: News) -> &'static str {
    match news {
        News::Bad => "🔴",
        News::Late => "🟠",
        News::Good => "🟢",
        News::Begun | News::Other | News::Test => "🔵",
    }
}

fn story(alert: &Alert, briefing: &Briefing, settings: &SlackSettings) -> String {
    let mut text = String::new();
    if let Some(mention) = settings.mention.as_ref().filter(|_| briefing.news.is_pressing()) {
        text.push_str(&mention.markup());
        text.push(' ');
    }
    text.extend(briefing.story.iter().map(shown));
    if let Some(link) = alert.link(settings.link_template.as_ref()).and_then(|url| markup(&url)) {
        // Long names make long links, and half a link leads nowhere.
        if text.encode_utf16().count() + link.len() < MAX_STORY {
            text.push('\n');
            text.push_str(&link);
        }
    }
    text
}

/// A link as Slack reads it; none where the URL would not stay inside of it.
fn markup(url: &str) -> Option<String> {
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>|\"`".contains(&byte));
    is_plain.then(|| format!("<{}|Open the run>", url.replace('&', "&amp;")))
}

fn shown(piece: &Piece) -> String {
    match piece {
        Piece::Words(words) => in_sentence(words),
        Piece::Name(name) => code(name, MAX_VALUE),
        Piece::Time(at) => time(at, MAX_VALUE),
    }
}

/// Words keep the spaces at their ends, which stand between them and their neighbours.
fn in_sentence(words: &str) -> String {
    let (start, end) = (words.starts_with(' '), words.ends_with(' '));
    let space = |is_there: bool| if is_there { " " } else { "" };
    format!("{}{}{}", space(start), escaped(words, MAX_VALUE), space(end))
}

fn field(fact: &Fact) -> Text {
    let label = escaped(&fact.label, MAX_LABEL);
    Text::markdown(format!("*{label}*\n{}", shown(&fact.value)))
}

fn origin(alert: &Alert) -> String {
    format!(
        "Rule {} in {} · {} at {} · delivery {}",
        code(&alert.rule.name, MAX_VALUE),
        code(&alert.namespace, MAX_VALUE),
        code(&alert.event_type, MAX_VALUE),
        time(&alert.occurred_at, MAX_VALUE),
        code(&alert.id, MAX_VALUE),
    )
}
