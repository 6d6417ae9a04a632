//! The part of Slack's Block Kit that the adapter uses, and its limits.
//! Reference: docs.slack.dev/reference/block-kit.

use serde::Serialize;

/// Longest header text.
pub(crate) const MAX_HEADER: usize = 150;
/// Longest text of a section, and of an element of a context.
#[cfg(test)]
pub(crate) const MAX_SECTION: usize = 3000;
/// Most fields of a section.
pub(crate) const MAX_FIELDS: usize = 10;
/// Longest text of one field.
#[cfg(test)]
pub(crate) const MAX_FIELD: usize = 2000;
/// Longest that all texts of a message may be together. Slack names no number and
/// refuses (`msg_blocks_too_long`) from about 12,000 on, containers counted.
#[cfg(test)]
pub(crate) const MAX_MESSAGE: usize = 10_000;
/// Longest fallback. Slack takes 40,000, but it is read in a notification.
pub(crate) const MAX_FALLBACK: usize = 300;

/// A message, as a webhook takes it.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    /// The fallback: what notifications and screen readers say.
    pub(crate) text: String,
    /// At most 50; the adapter writes six.
    pub(crate) blocks: Vec<Block>,
    /// Never: a preview of the dashboard's sign-in page tells nothing.
    pub(crate) unfurl_links: bool,
    /// Never, for the same reason.
    pub(crate) unfurl_media: bool,
}

/// A layout block.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Block {
    Header { text: Text },
    Section(Section),
    Context { elements: Vec<Text> },
}

/// A section: text, or two columns of fields.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Section {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<Text>,
}

impl Section {
    pub(crate) fn of_text(markdown: String) -> Self {
        Self { text: Some(Text::markdown(markdown)), fields: Vec::new() }
    }
}

/// A text object.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Text {
    PlainText {
        text: String,
        /// Whether `:name:` becomes a picture.
        emoji: bool,
    },
    Mrkdwn {
        text: String,
        /// Whether plain names and addresses stay plain, rather than becoming
        /// mentions and links.
        verbatim: bool,
    },
}

impl Text {
    pub(crate) fn plain(text: String) -> Self {
        Self::PlainText { text, emoji: false }
    }

    pub(crate) fn markdown(text: String) -> Self {
        Self::Mrkdwn { text, verbatim: true }
    }
}
