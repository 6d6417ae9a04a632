//! How far a long command is: a bar on a terminal, a line a second elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// Between two lines, where there is no terminal: a log is not to be filled.
const BETWEEN_LINES: Duration = Duration::from_secs(1);
const BAR: &str = "{bar:40} {human_pos} of {human_len} rows, {eta} left ({msg})";

/// What is shown of a command's progress, on standard error.
#[derive(Default)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
}

impl Progress {
    /// Begins at `at`.
    pub(super) fn begin(&mut self, at: u64, of: u64) {
        if std::io::stderr().is_terminal() {
            let style =
                ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
            // Started at its place, so that what is left is reckoned from now on.
            self.bar = Some(ProgressBar::new(of).with_position(at).with_style(style));
        }
    }

    /// So many of so many, and in which part.
    pub(super) fn at(&mut self, at: u64, of: u64, part: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(part.to_owned());
            bar.set_position(at);
        } else if self.last_line.is_none_or(|last| last.elapsed() >= BETWEEN_LINES) {
            self.last_line = Some(Instant::now());
            eprintln!("{} of {} rows ({part})", HumanCount(at), HumanCount(of));
        }
    }

    /// A line of its own.
    pub(super) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
