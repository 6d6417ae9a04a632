//! Finds the Chromium that the dashboard is tested in.

use std::path::{Path, PathBuf};

use crate::command::{output, program};
use crate::toolchain::{install_with_apt, is_root};

/// Names the browser, for where it is none of the usual ones. Whoever names one wants it
/// used: nothing is skipped then.
pub(crate) const SETTING: &str = "ALERTS_CHROMIUM";

/// As distributions name it, and its relatives that work as well.
const PROGRAMS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
/// Where macOS has it.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// What to do where there is none.
pub(crate) const ADVICE: &str = "install Chromium (`apt-get install chromium`), or name one in \
                                 ALERTS_CHROMIUM";

/// Whether somebody said which browser it must be.
pub(crate) fn is_named() -> bool {
    std::env::var_os(SETTING).is_some_and(|named| !named.is_empty())
}

/// The one that is named, or else the first of the usual ones.
pub(crate) fn chromium() -> Option<PathBuf> {
    if is_named() {
        let named = PathBuf::from(std::env::var_os(SETTING)?);
        return named.is_file().then_some(named);
    }
    let on_path = PROGRAMS.into_iter().find_map(|name| {
        let found = output(program("sh").args(["-c", "command -v -- \"$0\"", name]))?;
        Some(PathBuf::from(found.trim()))
    });
    on_path.or_else(|| {
        APPLICATIONS.map(Path::new).into_iter().find(|path| path.exists()).map(Path::to_owned)
    })
}

/// Installs one, where there is none and that is allowed.
pub(crate) fn install() -> Option<PathBuf> {
    if is_named() || !is_root() {
        return None;
    }
    println!("dashboard: installing chromium with apt-get");
    install_with_apt(&["chromium"]).ok()?;
    chromium()
}
