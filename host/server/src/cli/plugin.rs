//! `exosphere-alerts plugin`: what the author of a plugin works with. The work
//! is in `alerts_author`.

use alerts_author::{Paper, bench, check, inspect, pack, replay, run, scaffold};

use super::Failure;

/// Make, check and try out plugins
#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Begin a plugin: a folder with all that it takes to build one
    New(scaffold::Args),
    /// Show what is in a plugin file, without running it
    Inspect(inspect::Args),
    /// Make a plugin file of a compiled module and its plugin.toml
    Pack(pack::Args),
    /// Check a plugin file against the contract, in the production sandbox
    ///
    /// One line for each promise, and what to do where it is not kept. Ends with 0
    /// if all are kept, else with 1.
    Check(check::Args),
    /// Step through one call of a plugin, and see what it wants
    ///
    /// A target's requests are shown as it made them and as they would leave, and
    /// answered from a script, or sent for real with --send. A condition is judged.
    Run(run::Args),
    /// Ask a plugin file what another one was asked, and show what would differ
    ///
    /// With the answers that came then; nothing is sent to the target. Ends with 0
    /// if every attempt would be the same, with 1 if one would differ.
    Replay(replay::Args),
    /// Measure what a plugin costs its host
    Bench(bench::Args),
}

pub(super) fn run_command(command: Command) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let paper = &mut Paper::new(&mut out);
    let done = match command {
        Command::New(args) => scaffold::run(&args, paper),
        Command::Inspect(args) => inspect::run(&args, paper),
        Command::Pack(args) => pack::run(&args, paper),
        Command::Run(args) => run::run(&args, paper),
        Command::Replay(args) => match replay::run(&args, paper) {
            Ok(true) => return Err(Failure::other("this file would have done otherwise")),
            replayed => replayed.map(drop),
        },
        Command::Bench(args) => bench::run(&args, paper),
        Command::Check(args) => match check::run(&args, paper) {
            Ok(score) if score.failed > 0 => {
                return Err(Failure::Other(format!(
                    "{} of {} checks failed",
                    score.failed,
                    score.failed + score.passed
                )));
            }
            checked => checked.map(drop),
        },
    };
    done.map_err(Failure::other)
}
