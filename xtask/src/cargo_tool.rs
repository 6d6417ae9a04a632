//! Programs of crates.io that the project's own commands need.

use crate::command::{cargo, finish, program, succeeds};
use crate::{Outcome, target_dir};

/// The installed one, or one that is built once beside everything else.
pub(crate) fn cargo_tool(name: &str) -> Outcome<String> {
    if succeeds(program(name).arg("--version")) {
        return Ok(name.to_owned());
    }
    let tools = target_dir().join("tools");
    let built = tools.join("bin").join(name).to_string_lossy().into_owned();
    if !succeeds(program(&built).arg("--version")) {
        println!("tools: building {name} once, some minutes on two cores");
        let mut install = cargo();
        install.args(["install", "--quiet", "--locked", name, "--root"]).arg(&tools);
        finish(&mut install)?;
    }
    Ok(built)
}
