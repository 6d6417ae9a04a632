//! Virtual environments with what a requirements file names, made once and kept under the
//! target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::command::{finish, program, without_package_variables};

/// What to say when one cannot be made.
pub(crate) const ADVICE: &str = "install Python 3.10 or newer with venv (Debian: python3-venv), \
                                 and let pip reach its registry";

/// A virtual environment that is there.
pub(crate) struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// The one in this folder, with what `requirements` names; made anew when that has
    /// changed. By its content: in a fresh checkout every file is new.
    pub(crate) fn made(folder: PathBuf, requirements: &Path) -> Outcome<Self> {
        let venv = Self { folder };
        let stamp = venv.folder.join("installed.txt");
        let wanted = std::fs::read(requirements)
            .map_err(|error| format!("{}: {error}", requirements.display()))?;
        if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(venv);
        }
        println!("python: installing what {} names", requirements.display());
        finish(program("python3").args(["-m", "venv", "--clear"]).arg(&venv.folder))?;
        venv.install(&["--requirement", &requirements.to_string_lossy()])?;
        std::fs::write(&stamp, wanted)?;
        Ok(venv)
    }

    /// The same, or none, having said for whom and why it cannot be made.
    pub(crate) fn if_possible(who: &str, folder: PathBuf, requirements: &Path) -> Option<Self> {
        Self::made(folder, requirements).inspect_err(|error| println!("{who}: {error}")).ok()
    }

    /// Installs more into it, as pip is told.
    pub(crate) fn install(&self, what: &[&str]) -> Outcome {
        let mut pip = self.program("python");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        finish(pip.args(what))
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = program(&self.folder.join("bin").join(name).to_string_lossy());
        without_package_variables(&mut command);
        command
    }

    /// Gives its place on the disk back.
    pub(crate) fn remove(self) -> Outcome {
        Ok(std::fs::remove_dir_all(self.folder)?)
    }
}
