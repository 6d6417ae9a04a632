//! What is told to the person at the terminal, on standard output.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Prints a line. The reader may have gone, as in `serve | head`; a host does
/// not end for that, as it would with `println!`.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}
