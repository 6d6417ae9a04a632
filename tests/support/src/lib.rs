//! What the tests share: real parts, started for a test and removed after it.

pub mod postgres;
