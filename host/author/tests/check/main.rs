//! `plugin check` on the plugins that are built in, which keep every promise,
//! and on components that were made to break one.

mod bad;
mod builtin;

use alerts_author::check::{self, Args, Score};
use alerts_author::{AuthorError, Paper};
use std::path::Path;

/// Checks a file, and gives the lines and the score.
fn checked(args: &Args) -> Result<(String, Score), AuthorError> {
    let mut out = Vec::new();
    let score = check::run(args, &mut Paper::new(&mut out))?;
    Ok((String::from_utf8(out).unwrap(), score))
}

fn checked_file(path: &Path) -> (String, Score) {
    checked(&Args::of(path)).unwrap()
}
