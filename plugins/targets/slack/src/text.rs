//! Text as Slack wants it: control characters escaped, and cut to a length that
//! Slack takes. Everything that an event or a person wrote passes through here.

use exosphere_alerts_sdk::text::breaks_lines;
use exosphere_alerts_sdk::when::{in_utc, unix_seconds};

/// `text` with `&`, `<` and `>` escaped, so that it can neither mention anybody
/// nor make a link, and without backticks, which could open a code span; at most
/// `max` units long, with an ellipsis for what was cut.
///
/// Slack counts what it receives, so an escape counts in full. A unit is one of
/// UTF-16: where Slack counts characters instead, they are fewer.
pub(crate) fn escaped(text: &str, max: usize) -> String {
    fill(text, max, in_line)
}

/// As [`escaped`], in a code span, where `*` and `_` are nothing but themselves.
pub(crate) fn code(text: &str, max: usize) -> String {
    if text.trim().is_empty() {
        // Slack shows a span of nothing as two backticks.
        return "(empty)".to_owned();
    }
    format!("`{}`", fill(text, max.saturating_sub(2), in_line))
}

/// As [`escaped`], in a code block, which keeps its lines.
pub(crate) fn code_block(text: &str, max: usize) -> String {
    let text = text.replace("\r\n", "\n");
    let in_lines = |c| if c == '\n' { c } else { in_line(c) };
    format!("```{}```", fill(&text, max.saturating_sub(6), in_lines))
}

/// A time as the reader's own clock shows it; as it stands where it is no time.
pub(crate) fn time(at: &str, max: usize) -> String {
    match unix_seconds(at) {
        // What a client shows that knows no such dates.
        Some(seconds) => {
            let utc = escaped(&in_utc(at), max);
            format!("<!date^{seconds}^{{date_num}} {{time_secs}}|{utc}>")
        }
        None => code(at, max),
    }
}

/// What stands for a character. A backtick would end a span, and nothing stands for
/// one inside of it.
fn in_line(c: char) -> char {
    match c {
        '`' => '\'',
        c if breaks_lines(c) => ' ',
        c => c,
    }
}

fn fill(text: &str, max: usize, replace: impl Fn(char) -> char) -> String {
    let mut filled = String::with_capacity(text.len().min(max) + '…'.len_utf8());
    let mut units = 0;
    // Where the text ends if an ellipsis has to follow.
    let mut cut = 0;
    for c in text.trim().chars() {
        let c = replace(c);
        let escape = match c {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            _ => None,
        };
        units += escape.map_or(c.len_utf16(), str::len);
        if units > max {
            filled.truncate(cut);
            filled.push('…');
            return filled;
        }
        match escape {
            Some(escape) => filled.push_str(escape),
            None => filled.push(c),
        }
        if units < max {
            cut = filled.len();
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_everywhere() {
        assert_eq!(escaped("<!here> a & b", 99), "&lt;!here&gt; a &amp; b");
        assert_eq!(code("<@U1>", 99), "`&lt;@U1&gt;`");
        assert_eq!(code_block("<@U1>", 99), "```&lt;@U1&gt;```");
    }

    #[test]
    fn a_cut_never_splits_an_escape_or_a_character() {
        for max in 1..40 {
            for text in ["a&b<c>d&e", "&&&&&&&&&", "aäß€😀x😀", "😀😀😀"] {
                let cut = escaped(text, max);
                assert!(cut.encode_utf16().count() <= max, "{text} at {max}: {cut}");
                let whole = cut.strip_suffix('…').unwrap_or(&cut);
                assert!(escaped(text, 99).starts_with(whole), "{text} at {max}: {cut}");
                assert_eq!(whole.matches('&').count(), whole.matches(';').count(), "{cut}");
            }
        }
        assert_eq!(escaped("abc", 3), "abc");
        assert_eq!(escaped("abcd", 3), "ab…");
        assert_eq!(escaped("a&&", 6), "a…");
    }

    #[test]
    fn nothing_gets_out_of_a_code_span() {
        assert_eq!(code("a` *b*\n```c", 99), "`a' *b* '''c`");
        assert_eq!(code("abcdef", 6), "`abc…`");
        assert_eq!(code(" \n", 9), "(empty)");
        assert_eq!(code_block("a```b", 99), "```a'''b```");
        assert_eq!(escaped("a`b", 99), "a'b");
    }

    #[test]
    fn a_code_block_keeps_its_lines_and_a_span_is_one() {
        assert_eq!(code_block("a\r\n b\u{7}c", 99), "```a\n b c```");
        assert_eq!(code("a\n b", 99), "`a  b`");
    }

    #[test]
    fn a_time_is_shown_by_the_readers_clock_and_other_text_as_it_stands() {
        let date = "<!date^1767225600^{date_num} {time_secs}|2026-01-01 00:00:00 UTC>";
        assert_eq!(time("2026-01-01T00:00:00Z", 99), date);
        let offset = "<!date^1767225600^{date_num} {time_secs}|2026-01-01T01:00:00+01:00>";
        assert_eq!(time("2026-01-01T01:00:00+01:00", 99), offset);
        assert_eq!(time("<!date^1^{ago}|x>", 99), "`&lt;!date^1^{ago}|x&gt;`");
    }
}
