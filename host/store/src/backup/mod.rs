//! Backups of a SQLite database: made while a host works on it, looked through, and
//! restored to a database of its own.

mod check;
mod error;
mod make;
mod restore;

pub use self::check::Contents;
pub use self::error::BackupError;
pub use self::make::{Backup, back_up};
pub use self::restore::{Restored, restore};
