//! The lines of a check, like those of a test runner.

use std::time::Duration;

use crate::Paper;

/// A note on what was found, perhaps empty; or what is wrong and what to do.
pub(super) type Finding = Result<String, String>;

/// How many cases were kept and how many not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Kept.
    pub passed: u32,
    /// Not kept.
    pub failed: u32,
}

pub(super) struct Report<'a, 'p> {
    paper: &'a mut Paper<'p>,
    score: Score,
}

impl<'a, 'p> Report<'a, 'p> {
    pub(super) fn new(paper: &'a mut Paper<'p>) -> Self {
        Self { paper, score: Score { passed: 0, failed: 0 } }
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.paper.line(format_args!("{text}\n"));
    }

    pub(super) fn case(&mut self, promise: &str, finding: Finding) {
        match finding {
            Ok(note) => {
                self.score.passed += 1;
                let note = if note.is_empty() { note } else { format!(" ({note})") };
                self.paper.line(format_args!("ok      {promise}{note}"));
            }
            Err(wrong) => {
                self.score.failed += 1;
                self.paper.line(format_args!("FAILED  {promise}"));
                self.paper.indented(8, &wrong);
            }
        }
    }

    /// Says something that is neither kept nor broken.
    pub(super) fn note(&mut self, text: &str) {
        self.paper.line(format_args!("note    {text}"));
    }

    pub(super) fn finish(self) -> Score {
        let Score { passed, failed } = self.score;
        self.paper.line(format_args!("\n{passed} passed, {failed} failed"));
        self.score
    }
}

/// All that is wrong, one a line, or a note.
pub(super) fn all(wrong: Vec<String>, note: impl Into<String>) -> Finding {
    if wrong.is_empty() { Ok(note.into()) } else { Err(wrong.join("\n")) }
}

/// The middle one of several.
pub(super) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A value cut so that it fits into a line.
pub(super) fn short(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    let shown: String = text.chars().take(MAX_CHARS).collect();
    let cut = if shown.len() < text.len() { "…" } else { "" };
    // Quotes stay as they are: this is for people.
    let escaped = shown.chars().map(|c| match c {
        '"' | '\'' => c.to_string(),
        c => c.escape_debug().to_string(),
    });
    format!("{}{cut}", escaped.collect::<String>())
}
