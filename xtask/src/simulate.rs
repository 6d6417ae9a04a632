//! `cargo xtask simulate`: the engine under faults, any number of seeds.

use crate::Outcome;
use crate::command::{cargo, finish};
use crate::plugins;

/// Run the simulation of the engine by hand: many seeds, or one again.
///
/// A seed decides everything that happens in a run: rules, targets and their
/// faults, repeated and late events, crashes, lost leases. One that fails is
/// printed with its last steps, and does the same again each time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first of them. `cargo xtask test` runs those from 0 to 999.
    #[arg(long, default_value_t = 1_000)]
    from: u64,
    /// This one alone, with all of its steps.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    let mut test = cargo();
    // The whole workspace, so that nothing is compiled a second time.
    test.args(["test", "--quiet", "--workspace", "--test", "simulation", "by_hand"]);
    test.args(["--", "--exact", "--ignored", "--nocapture"]);
    let (from, seeds) = args.seed.map_or((args.from, args.seeds), |seed| (seed, 1));
    test.env("ALERTS_SIMULATE_FROM", from.to_string());
    test.env("ALERTS_SIMULATE_SEEDS", seeds.to_string());
    if args.seed.is_some() {
        test.env("ALERTS_SIMULATE_SHOW", "1");
    }
    finish(&mut test)
}
