//! Text that adapters put into URLs and messages: encoded, and cut to what a
//! vendor takes.

use crate::link_template;

/// Percent-encodes all but the unreserved characters (RFC 3986, 2.3) at the end of `url`.
pub fn push_percent_encoded(url: &mut String, text: &str) {
    link_template::push_percent_encoded(url, text);
}

/// `text` as one line of at most `max_chars` characters. An ellipsis stands for
/// what was cut.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max_chars));
    // Where the line ends if an ellipsis has to follow.
    let mut cut = 0;
    for (count, c) in text.trim().chars().enumerate() {
        if count == max_chars {
            line.truncate(cut);
            line.push('…');
            break;
        }
        if count < max_chars - 1 {
            cut += if breaks_lines(c) { 1 } else { c.len_utf8() };
        }
        line.push(if breaks_lines(c) { ' ' } else { c });
    }
    line
}

/// Whether `c` does something to a line other than stand in it: control
/// characters, line separators, and those that turn the reading direction, with
/// which a name could make the text around it read differently.
pub fn breaks_lines(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_a_character_and_says_so() {
        assert_eq!(one_line("äöü", 3), "äöü");
        assert_eq!(one_line("äöüß", 3), "äö…");
        assert_eq!(one_line("\u{2028}äöüß", 4), "äöüß");
        assert_eq!(one_line("ä\u{2028}öüß", 3), "ä …");
        assert_eq!(one_line(" a\r\nb\u{202e}c ", 9), "a  b c");
        assert_eq!(one_line("", 3), "");
    }
}
