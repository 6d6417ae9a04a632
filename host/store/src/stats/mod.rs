//! Statistics: counted in the commit of what they count, added up afterwards.
//!
//! A commit writes what it counts as one row, a [tally](crate::tally): a few hundred bytes however
//! many writes share it, and no row that two hosts or two groups want at once. A
//! loop adds the tallies up within about a second and removes them in the same
//! transaction, so each counts once, whoever dies when.

mod add_up;
mod read;
mod retention;

pub use self::read::{StatsQuery, StatsRow};
#[cfg(test)]
pub(crate) use self::{read::rows, retention::removal};
