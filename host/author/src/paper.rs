//! Where a command's lines go.

use std::fmt::Display;
use std::io::Write;

/// Takes lines. The reader may have gone, as in `plugin check | head`; a
/// command does not end for that.
pub struct Paper<'a>(&'a mut dyn Write);

impl<'a> Paper<'a> {
    /// Lines go to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self(out)
    }

    /// Writes one.
    pub fn line(&mut self, line: impl Display) {
        let _ = writeln!(self.0, "{line}");
    }

    /// Writes each line of a text, further in.
    pub fn indented(&mut self, by: usize, text: &str) {
        for line in text.lines() {
            self.line(format_args!("{:by$}{line}", ""));
        }
    }
}
