//! How those who watch get the news, of whichever host, and hosts know what is watched.

mod reader;
mod watches;

pub use self::reader::NewsReader;
