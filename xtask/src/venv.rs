//! Virtual environments with what a requirements.txt names, made once and kept under the
//! target folder.

use std::path::Path;

use crate::Outcome;
use crate::command::{finish, program};
use crate::examples::is_newer;

/// What to say when one cannot be made.
pub(crate) const ADVICE: &str = "install Python 3.10 or newer with venv (Debian: python3-venv), \
                                 and let pip reach its registry";

/// Makes the environment anew when `requirements` has changed since. `needed` is one of
/// the programs that it holds.
pub(crate) fn make(venv: &Path, requirements: &Path, needed: &str) -> Outcome {
    if is_newer(&venv.join("bin").join(needed), &[requirements])? {
        return Ok(());
    }
    println!("python: installing what {} names", requirements.display());
    finish(program("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let pip = venv.join("bin/pip").to_string_lossy().into_owned();
    let mut install = program(&pip);
    install.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    finish(install.arg(requirements))
}
