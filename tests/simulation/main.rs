//! The engine under faults. A seed decides everything: rules, targets, what
//! happens and when it is told, which host dies in the middle of what. The hosts
//! are real, with their store and sandbox, but do nothing by themselves: the
//! simulation moves the clock and asks each in turn to do what is due. What they
//! did is held against a model that keeps everything and forgets nothing.
//!
//! `cargo xtask simulate` runs any number of seeds, and any one again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod absence;
mod changes;
mod check;
mod counting;
mod course;
mod database;
mod faults;
mod hosts;
mod model;
mod observe;
mod outages;
mod pace;
mod plan;
mod random;
mod run;
mod seeds;
mod sends;
mod targets;
mod telling;
mod ticking;
mod trace;
mod workload;
mod world;

use std::ops::Range;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use alerts_engine::Plugins;
use alerts_package::Kind as PluginKind;
use alerts_sandbox::{Sandbox, SandboxConfig};
use alerts_server::builtin;

use database::{Databases, Kind};
use hosts::Ground;
use plan::Plan;
use run::Run;
use seeds::{HANGS, caught, run_each};
use trace::Trace;

/// The built-in plugins, compiled once for all tests of a build.
static GROUND: LazyLock<Ground> = LazyLock::new(|| {
    let cache = std::env::current_exe().unwrap().with_file_name("test-plugin-cache");
    let config = SandboxConfig { cache_dir: Some(cache), ..SandboxConfig::default() };
    let (sandbox, plugins) = (Sandbox::new(config).unwrap(), Plugins::default());
    builtin::load(&sandbox, &plugins).unwrap();
    let target = plugins.get(PluginKind::Target, "http").unwrap();
    let language = plugins.get(PluginKind::Condition, "cel").unwrap();
    Ground { sandbox, target, language }
});

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs one seed. What happens goes into `trace`.
fn run(seed: u64, kind: Kind, databases: &Databases, trace: &Trace) {
    let plan = Plan::of_seed(seed, kind);
    runtime().block_on(async {
        let database = databases.one().await;
        let mut run = Run::start(&GROUND, &plan, seed, database, trace.clone()).await;
        run.go().await;
        check::all(&run).await;
        run.store.close().await;
        databases.give_back(run.database).await;
    });
}

fn run_all(seeds: Range<u64>, kind: Kind) {
    let databases = runtime().block_on(Databases::new(kind));
    run_each(seeds, kind, HANGS, |seed, trace| run(seed, kind, &databases, trace));
}

/// The seeds that every change is tested with, in blocks, so that all cores are used.
macro_rules! blocks {
    ($kind:expr, $size:literal seeds each: $($name:ident = $block:literal),*) => {$(
        #[test]
        fn $name() {
            run_all($block * $size..($block + 1) * $size, $kind);
        }
    )*};
}

blocks!(
    Kind::Sqlite, 125 seeds each:
    seeds_0_to_124 = 0,
    seeds_125_to_249 = 1,
    seeds_250_to_374 = 2,
    seeds_375_to_499 = 3,
    seeds_500_to_624 = 4,
    seeds_625_to_749 = 5,
    seeds_750_to_874 = 6,
    seeds_875_to_999 = 7
);

blocks!(
    Kind::Postgres, 50 seeds each:
    seeds_0_to_49_on_postgres = 0,
    seeds_50_to_99_on_postgres = 1
);

#[test]
fn a_seed_replays_step_by_step() {
    let databases = runtime().block_on(Databases::new(Kind::Sqlite));
    run_each(0..16, Kind::Sqlite, HANGS, |seed, first| {
        let again = Trace::default();
        run(seed, Kind::Sqlite, &databases, first);
        run(seed, Kind::Sqlite, &databases, &again);
        let (first, again) = (first.lines(), again.lines());
        let differ = first.iter().zip(&again).find(|(first, again)| first != again);
        assert_eq!(differ, None);
        assert_eq!(first.len(), again.len());
        assert!(first.len() > 50, "it does next to nothing");
    });
}

/// In a process of its own, which the next test starts.
#[test]
#[ignore = "does not end by itself"]
fn seed_7_hangs() {
    run_each(0..20, Kind::Sqlite, Duration::from_secs(1), |seed, trace| {
        trace.note(format!("step of seed {seed}"));
        if seed == 7 {
            loop {
                std::hint::spin_loop();
            }
        }
    });
}

#[test]
fn a_seed_that_hangs_is_told_and_ends_the_process() {
    let mut hangs = Command::new(std::env::current_exe().unwrap());
    hangs.args(["seed_7_hangs", "--exact", "--ignored", "--nocapture"]);
    let output = hangs.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(told.contains("seed 7 failed: it hangs"), "{told}");
    assert!(told.contains("step of seed 7"), "{told}");
    assert!(told.contains("cargo xtask simulate --seed 7"), "{told}");
}

/// What `cargo xtask simulate` runs.
#[test]
#[ignore = "by hand: cargo xtask simulate"]
fn by_hand() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse::<u64>().unwrap())
    };
    let first = number("ALERTS_SIMULATE_FROM", 0);
    let seeds = number("ALERTS_SIMULATE_SEEDS", 1000);
    if std::env::var_os("ALERTS_SIMULATE_SHOW").is_some() {
        show(first);
    }
    run_all(first..first + seeds, Kind::by_hand());
}

#[expect(clippy::print_stdout, reason = "the steps of one seed, for the one who asked for them")]
fn show(seed: u64) {
    let (kind, trace) = (Kind::by_hand(), Trace::default());
    let databases = runtime().block_on(Databases::new(kind));
    // How it fails is told by the run after this one.
    drop(caught(|| run(seed, kind, &databases, &trace)));
    println!("{}", trace.lines().join("\n"));
}
