//! Running other programs: from the root, with a clean environment for cargo,
//! and with errors that show the command to repeat by hand.

use std::process::Command;

use crate::{Outcome, root};

/// Set by the `cargo` and `rustup` that run this program. Passed on, they would
/// fix the toolchain, flags and profile of a build that has its own.
const FROM_OUTER_CARGO: [&str; 10] = [
    "CARGO",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "RUST_RECURSION_COUNT",
];

/// A program to be run from the root.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// `cargo` for the host's own workspace: the toolchain and flags that the
/// developer chose hold for it.
pub(crate) fn cargo() -> Command {
    let mut command = program("cargo");
    without_package_variables(&mut command);
    command
}

/// A `cargo` that has nothing of the one that runs this program.
pub(crate) fn fresh_cargo(path: &str) -> Command {
    let mut command = program(path);
    for name in FROM_OUTER_CARGO {
        command.env_remove(name);
    }
    without_package_variables(&mut command);
    command
}

/// `cargo run` describes this package to this program; a build script that
/// looks for such variables must not take them for its own, nor be rebuilt
/// because they are there.
pub(crate) fn without_package_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
}

/// Runs to the end; an exit code other than zero is an error.
pub(crate) fn finish(command: &mut Command) -> Outcome {
    let shown = shown(command);
    let status = command.status().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}").into()) }
}

/// Whether it runs and succeeds, in silence.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Whether npm is there, which comes with Node.js.
pub(crate) fn has_npm() -> bool {
    succeeds(program("npm").arg("--version"))
}

/// What it prints, if it runs and succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

fn shown(command: &Command) -> String {
    let mut shown = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        shown.push(' ');
        shown.push_str(&arg.to_string_lossy());
    }
    shown
}
