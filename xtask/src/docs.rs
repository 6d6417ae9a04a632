//! `cargo xtask docs`: the docs site, from docs/ and mkdocs.yml.

use crate::command::finish;
use crate::step::Step;
use crate::venv::{self, Venv};
use crate::{Outcome, root, target_dir};

/// Build the docs site into target/site, and fail for anything that is not right in it.
///
/// A link that leads nowhere, a page that is not in the navigation, or a picture that is
/// missing ends it with 1. Needs Python 3.10 or newer; without it nothing is built.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Serve it on http://127.0.0.1:8000 and build it anew at each change.
    #[arg(long)]
    serve: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    match build(args.serve)? {
        Step::Good => {}
        Step::Skipped(why) => println!("docs: THE SITE IS PASSED OVER: {why}"),
    }
    Ok(())
}

/// Builds the site, as a test of it.
pub(crate) fn check() -> Outcome<Step> {
    build(false)
}

fn build(is_served: bool) -> Outcome<Step> {
    let requirements = root().join("docs/requirements.txt");
    let folder = target_dir().join("docs");
    let Some(venv) = Venv::if_possible("docs", folder, &requirements) else {
        return Ok(Step::Skipped(venv::ADVICE.to_owned()));
    };
    let mut mkdocs = venv.program("mkdocs");
    // Its makers announce another program with each build otherwise.
    mkdocs.env("NO_MKDOCS_2_WARNING", "1");
    if is_served {
        finish(mkdocs.args(["serve", "--dev-addr", "127.0.0.1:8000"]))?;
        return Ok(Step::Good);
    }
    let site = target_dir().join("site");
    finish(mkdocs.args(["build", "--strict", "--site-dir"]).arg(&site))?;
    println!("docs: {} is built", site.join("index.html").display());
    Ok(Step::Good)
}
