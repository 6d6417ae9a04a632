//! Moves all that a stopped host has in SQLite to an empty Postgres: table after table, in
//! batches that each commit together with how far the move is. So one that is cut off
//! goes on where it was, and no host starts on what is half there.

mod copy_text;
mod error;
mod progress;
mod run;
mod source;
mod target;

pub use self::error::MoveError;
pub use self::run::{MoveStep, Moved, move_to_postgres};
pub(crate) use self::target::refuse_unfinished;
