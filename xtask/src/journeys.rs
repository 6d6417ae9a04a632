//! The dashboard's own tests: its types and lints, what is pure in it, and the journeys of
//! people through it, in a real browser, against the host that was just built.

use crate::command::{finish, has_npm};
use crate::step::Step;
use crate::{Outcome, browser, dashboard, workspace};

/// Checks and tests the dashboard. Says so where a part of it needs something that is not
/// there; whoever names a browser wants all of it, and has an error instead.
pub(crate) fn run() -> Outcome<Step> {
    if !has_npm() {
        return skipped("npm does not start; install Node.js 20 or newer, with npm");
    }
    dashboard::install()?;
    finish(dashboard::npm().args(["run", "--silent", "check"]))?;
    finish(dashboard::npm().args(["test", "--silent"]))?;
    let Some(chromium) = browser::chromium().or_else(browser::install) else {
        return skipped(&format!("there is no browser for the journeys; {}", browser::ADVICE));
    };
    let mut journeys = dashboard::npm();
    journeys.args(["run", "--silent", "e2e"]);
    journeys.env("ALERTS_BINARY", workspace::host());
    journeys.env(browser::SETTING, chromium);
    finish(&mut journeys)?;
    Ok(Step::Good)
}

fn skipped(why: &str) -> Outcome<Step> {
    if browser::is_named() {
        return Err(format!("{why} ({} is set, so this is not skipped)", browser::SETTING).into());
    }
    Ok(Step::Skipped(why.to_owned()))
}
