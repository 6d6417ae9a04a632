//! Slack's mrkdwn as HTML, as far as the adapter writes it: code, bold, lines, links,
//! mentions and dates. Anything else in angle brackets is a mistake, and fails the test.

use super::page::escaped;

/// A `mrkdwn` text.
pub(super) fn html(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((block, after)) = between(rest, "```", "```") {
            html.push_str(&format!("<pre>{}</pre>", plain(block)));
            rest = after.strip_prefix('\n').unwrap_or(after);
        } else if let Some((span, after)) = between(rest, "`", "`") {
            html.push_str(&format!("<code>{}</code>", plain(span)));
            rest = after;
        } else if let Some((bold, after)) = between(rest, "*", "*") {
            html.push_str(&format!("<b>{}</b>", plain(bold)));
            rest = after;
        } else if let Some((special, after)) = between(rest, "<", ">") {
            html.push_str(&in_brackets(special));
            rest = after;
        } else if c == '\n' {
            // A block breaks the line by itself.
            html.push_str(if rest[1..].starts_with("```") { "" } else { "<br>" });
            rest = &rest[1..];
        } else if let Some(entity) =
            ["&amp;", "&lt;", "&gt;"].iter().find(|e| rest.starts_with(**e))
        {
            html.push_str(entity);
            rest = &rest[entity.len()..];
        } else {
            html.push_str(&escaped(&c.to_string()));
            rest = &rest[c.len_utf8()..];
        }
    }
    html
}

/// A `plain_text`, in which Slack undoes its own escapes.
pub(super) fn plain(text: &str) -> String {
    let decoded = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    escaped(&decoded)
}

fn in_brackets(special: &str) -> String {
    if let Some(date) = special.strip_prefix("!date^") {
        let (_, fallback) = date.split_once('|').expect("a date has a fallback");
        return format!("<span class=date>{}</span>", plain(fallback));
    }
    let mention = match special {
        "!here" => Some("@here".to_owned()),
        "!channel" => Some("@channel".to_owned()),
        // Slack knows their names.
        _ if special.starts_with("!subteam^") => Some("@oncall-data".to_owned()),
        _ if special.starts_with('@') => Some("@ada".to_owned()),
        _ => None,
    };
    if let Some(mention) = mention {
        return format!("<span class=mention>{mention}</span>");
    }
    match special.split_once('|') {
        Some((url, text)) if url.starts_with("https://") => {
            format!("<a href=\"{}\">{}</a>", plain(url), plain(text))
        }
        _ => panic!("Slack would not take <{special}>"),
    }
}

fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, &'t str)> {
    let inside = text.strip_prefix(open)?;
    let (inside, after) = inside.split_once(close)?;
    (!inside.is_empty()).then_some((inside, after))
}
