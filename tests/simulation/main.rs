//! The engine under faults. A seed decides everything: rules, targets, what
//! happens and when it is told, which host dies in the middle of what. The hosts
//! are real, with their store and sandbox, but do nothing by themselves: the
//! simulation moves the clock and asks each in turn to do what is due. What they
//! did is held against a model that keeps everything and forgets nothing.
//!
//! `cargo xtask simulate` runs any number of seeds, and any one again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod check;
mod model;
mod plan;
mod random;
mod run;
mod world;

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use alerts_engine::Plugins;
use alerts_package::Kind;
use alerts_sandbox::{Sandbox, SandboxConfig};
use alerts_server::builtin;
use alerts_store::Store;

use plan::Plan;
use run::{Ground, Run, Trace};

/// How many runs go on at once in one process: most of a run is waiting for the
/// threads of the store and of the sandbox.
const AT_ONCE: usize = 4;
/// A run takes a tenth of a second; one that takes this long waits for a clock
/// that nobody moves, or for ever does the same.
const HANGS: Duration = Duration::from_secs(60);
/// How much of a failing run is shown.
const SHOWN: usize = 80;

/// The built-in plugins, compiled once for all tests of a build.
static GROUND: LazyLock<Ground> = LazyLock::new(|| {
    let cache = std::env::current_exe().unwrap().with_file_name("test-plugin-cache");
    let config = SandboxConfig { cache_dir: Some(cache), ..SandboxConfig::default() };
    let (sandbox, plugins) = (Sandbox::new(config).unwrap(), Plugins::default());
    builtin::load(&sandbox, &plugins).unwrap();
    let target = plugins.get(Kind::Target, "http").unwrap();
    let language = plugins.get(Kind::Condition, "cel").unwrap();
    Ground { sandbox, target, language }
});

/// A new database, made once and copied for each run.
struct Databases {
    folder: tempfile::TempDir,
}

impl Databases {
    fn new() -> Self {
        // In memory where that is possible: what a disk would do is not in question.
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let made = Self { folder: folder.unwrap() };
        let url = format!("sqlite://{}", made.template().display());
        runtime().block_on(async { Store::open(&url).await.unwrap().close().await });
        made
    }

    fn template(&self) -> PathBuf {
        self.folder.path().join("template.db")
    }

    /// A copy in a folder of its own, deleted with it.
    fn one(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        std::fs::copy(self.template(), folder.path().join("alerts.db")).unwrap();
        folder
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs one seed. What happened, and how it failed, if it did.
fn run(seed: u64, databases: &Databases) -> (Vec<String>, Result<(), String>) {
    let trace = Trace::default();
    let inner = trace.clone();
    let ended = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let folder = databases.one();
        let plan = Plan::of_seed(seed);
        runtime().block_on(async {
            let database = folder.path().join("alerts.db");
            let mut run = Run::start(&GROUND, &plan, seed, &database, inner).await;
            let whole = async {
                run.go().await;
                check::all(&run).await;
            };
            tokio::time::timeout(HANGS, whole).await.expect("a run comes to an end");
            run.store.close().await;
        });
    }));
    let failed = ended.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().map_or("a panic".to_owned(), |t| t.to_string()),
    });
    (trace.lines(), failed)
}

/// Runs seeds, several at once, and panics with those that failed.
fn run_all(seeds: Range<u64>) {
    let databases = Databases::new();
    let next = Mutex::new(seeds.clone());
    let failed: Arc<Mutex<Vec<u64>>> = Arc::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(seed) = next.lock().unwrap().next() else { return };
                    let (lines, ended) = run(seed, &databases);
                    let Err(error) = ended else { continue };
                    failed.lock().unwrap().push(seed);
                    tell(seed, &lines, &error);
                }
            });
        }
    });
    let failed = failed.lock().unwrap();
    assert!(failed.is_empty(), "{} of {} seeds failed: {failed:?}", failed.len(), seeds.count());
}

#[expect(clippy::print_stderr, reason = "the seed and its last steps are for the one who looks")]
fn tell(seed: u64, lines: &[String], error: &str) {
    let skipped = lines.len().saturating_sub(SHOWN);
    let shown = lines[skipped..].join("\n");
    eprintln!(
        "\nseed {seed} failed: {error}\nits last steps (of {}; doing, time in ms, what):\n{shown}\n\
         again: cargo xtask simulate --seed {seed}",
        lines.len()
    );
}

/// A block of the thousand seeds that every change is tested with; in blocks, so
/// that all cores are used.
macro_rules! blocks {
    ($($name:ident = $block:literal),*) => {$(
        #[test]
        fn $name() {
            run_all($block * 125..($block + 1) * 125);
        }
    )*};
}

blocks!(
    seeds_0_to_124 = 0,
    seeds_125_to_249 = 1,
    seeds_250_to_374 = 2,
    seeds_375_to_499 = 3,
    seeds_500_to_624 = 4,
    seeds_625_to_749 = 5,
    seeds_750_to_874 = 6,
    seeds_875_to_999 = 7
);

#[test]
fn a_seed_replays_step_by_step() {
    let databases = Databases::new();
    for seed in 0..8 {
        let (first, _) = run(seed, &databases);
        let (again, _) = run(seed, &databases);
        let differ = first.iter().zip(&again).find(|(first, again)| first != again);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!(first.len(), again.len(), "seed {seed}");
        assert!(first.len() > 50, "seed {seed} does next to nothing");
    }
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
    run_all(first..first + seeds);
}

#[expect(clippy::print_stdout, reason = "the steps of one seed, for the one who asked for them")]
fn show(seed: u64) {
    let (lines, _) = run(seed, &Databases::new());
    println!("{}", lines.join("\n"));
}
