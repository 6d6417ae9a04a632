//! `plugin check` on the plugins that are built in, which keep every promise,
//! and on components that were made to break one.

mod bad;
mod builtin;

use std::path::Path;

use alerts_author::Paper;
use alerts_author::check::{self, Args, Score};

/// Checks a file, and gives the lines and the score.
fn checked(args: &Args) -> (String, Score) {
    let mut out = Vec::new();
    let score = check::run(args, &mut Paper::new(&mut out)).expect("the file reads");
    (String::from_utf8(out).expect("lines are text"), score)
}

fn checked_file(path: &Path) -> (String, Score) {
    checked(&Args::of(path))
}
