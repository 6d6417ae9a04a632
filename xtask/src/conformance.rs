//! `cargo xtask conformance`: the cases of CEL's and JSONLogic's own specifications
//! on the built-in languages, as a host runs them.

use crate::command::{finish, has_npm, program};
use crate::{Outcome, plugins, root, workspace};

/// Run the cases that CEL and JSONLogic have for themselves on plugins/dist/*.wasm.
///
/// They come with npm packages and the engine's crate, and are written to
/// plugins/dist/*.cases.json, where `exosphere-alerts plugin check` finds them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// The languages that are built in.
const LANGUAGES: [&str; 2] = ["cel", "jsonlogic"];

pub(crate) fn run(_: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    workspace::build()?;
    hold()
}

/// Fails for a case that does not hold. The plugins and the program are built.
pub(crate) fn hold() -> Outcome {
    write_cases()?;
    let checker = workspace::host();
    for language in LANGUAGES {
        let mut check = program(&checker.to_string_lossy());
        check.args(["plugin", "check", "--cases", &format!("plugins/dist/{language}.cases.json")]);
        finish(check.arg(format!("plugins/dist/{language}.wasm")))?;
    }
    Ok(())
}

fn write_cases() -> Outcome {
    let folder = root().join("plugins/conditions/conformance");
    if !has_npm() {
        return Err(
            "the cases come with npm packages: install Node.js 20 or newer, with npm".into()
        );
    }
    println!("conformance: npm ci");
    let install = ["ci", "--no-audit", "--no-fund", "--silent"];
    finish(program("npm").current_dir(&folder).args(install))?;
    finish(program("node").current_dir(&folder).args(["write.mjs", "../../dist"]))
}
