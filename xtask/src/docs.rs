//! `cargo xtask docs`: the docs site, from docs/ and mkdocs.yml.

use crate::command::{finish, program};
use crate::{Outcome, root, target_dir, venv};

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
    let venv = target_dir().join("docs");
    if let Err(error) = venv::make(&venv, &root().join("docs/requirements.txt"), "mkdocs") {
        println!("docs: {error}");
        println!("docs: THE SITE IS PASSED OVER: {}", venv::ADVICE);
        return Ok(());
    }
    let mut mkdocs = program(&venv.join("bin/mkdocs").to_string_lossy());
    // Its makers announce another program with each build otherwise.
    mkdocs.env("NO_MKDOCS_2_WARNING", "1");
    if args.serve {
        return finish(mkdocs.args(["serve", "--dev-addr", "127.0.0.1:8000"]));
    }
    let site = target_dir().join("site");
    finish(mkdocs.args(["build", "--strict", "--site-dir"]).arg(&site))?;
    println!("docs: {} is built", site.join("index.html").display());
    Ok(())
}
