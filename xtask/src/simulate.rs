//! `cargo xtask simulate`: the engine under faults, any number of seeds.

use crate::Outcome;
use crate::command::{cargo, finish};
use crate::plugins;

/// Run the simulation of the engine by hand: many seeds, or one again.
///
/// A seed decides everything that happens in a run: rules, targets and their
/// faults, repeated and late events, crashes, lost leases, outages of the
/// database. One that fails is printed with its last steps, and does the same
/// again each time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seeds; 10,000, or 500 on Postgres, which is slower.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first of them. `cargo xtask test` runs those from 0 to 999.
    #[arg(long, default_value_t = 1_000)]
    from: u64,
    /// This one alone, with all of its steps.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// On which database. Postgres has one host more in each run, and is taken
    /// from ALERTS_TEST_POSTGRES_URL, or started for the run.
    #[arg(long, value_enum, default_value_t = Database::Sqlite)]
    database: Database,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

pub(crate) fn run(args: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    let (database, usual) = match args.database {
        Database::Sqlite => ("sqlite", 10_000),
        Database::Postgres => ("postgres", 500),
    };
    let mut test = cargo();
    // The whole workspace, so that nothing is compiled a second time.
    test.args(["test", "--quiet", "--workspace", "--test", "simulation", "by_hand"]);
    test.args(["--", "--exact", "--ignored", "--nocapture"]);
    let (from, seeds) = match args.seed {
        Some(seed) => (seed, 1),
        None => (args.from, args.seeds.unwrap_or(usual)),
    };
    test.env("ALERTS_SIMULATE_DATABASE", database);
    test.env("ALERTS_SIMULATE_FROM", from.to_string());
    test.env("ALERTS_SIMULATE_SEEDS", seeds.to_string());
    if args.seed.is_some() {
        test.env("ALERTS_SIMULATE_SHOW", "1");
    }
    finish(&mut test)
}
