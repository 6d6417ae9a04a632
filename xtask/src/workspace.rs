//! The host's workspace as it is built for running and testing.

use std::path::PathBuf;

use crate::command::{cargo, finish};
use crate::{Outcome, target_dir};

/// One of the programs that [`build`] leaves.
pub(crate) fn built(name: &str) -> PathBuf {
    target_dir().join("debug").join(name)
}

/// The host's.
pub(crate) fn host() -> PathBuf {
    built("exosphere-alerts")
}

/// The whole workspace even for one binary: a part of it would give wasmtime
/// other features, and so compile it a second time.
pub(crate) fn build() -> Outcome {
    if !host().exists() {
        println!("build: the first build compiles wasmtime, about 10 minutes on two cores");
    }
    finish(cargo().args(["build", "--workspace", "--locked"]))
}
