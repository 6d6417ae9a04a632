//! `cargo xtask soak`: a steady tenant among hostile ones.

use crate::command::{finish, program};
use crate::{Outcome, build, plugins, target_dir};

/// Run the released binary among hostile tenants, and judge what they cost.
///
/// Memory must be flat after the first minutes, and a steady tenant's alerts as
/// quick as they were before, within a factor. Writes target/soak.md. Keep the
/// machine quiet meanwhile.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long it takes, from 3 minutes on.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
}

pub(crate) fn run(args: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    build::released_and_measured()?;
    let soak = target_dir().join("release/alerts-soak");
    let summary = target_dir().join("soak.md");
    finish(
        program(&soak.to_string_lossy())
            .args(["--minutes", &args.minutes.to_string(), "--out"])
            .arg(summary),
    )
}
