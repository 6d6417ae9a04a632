//! A watcher that dies again and again tells everything, and nothing twice.

use std::collections::BTreeSet;
use std::time::Duration;

use alerts_stand_in_exosphere::{StandIn, StateStatus, play};

use super::{SHOP, stand_in, told, watcher, watching};
use crate::support::api::Api;
use crate::support::process::HostProcess;
use crate::support::within;

/// How long all of it may take; each kill costs a start.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs and kills: a few in each test run, more when asked for.
fn size() -> (usize, usize) {
    let of = |name, usual| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    (of("ALERTS_TEST_SOURCE_RUNS", 60), of("ALERTS_TEST_SOURCE_KILLS", 6))
}

/// Waits until all of these are told.
async fn all_told(api: &Api, expected: &BTreeSet<String>) {
    within(PATIENCE, "all that happened is told", async || {
        let told = told(api).await?;
        expected.iter().all(|id| told.contains_key(id)).then_some(())
    })
    .await;
}

/// Joins, retries of the platform's own, and failures that people retry. Answers with
/// all that is to be told.
async fn happens(stand_in: &StandIn, api: &Api, count: usize) -> BTreeSet<String> {
    let mut expected = BTreeSet::new();
    let mut expect = |run: &str, what: &str| {
        expected.insert(format!("{SHOP}/{run}/{what}"));
    };
    let (mut joining, mut failed) = (Vec::new(), Vec::new());
    for number in 0..count {
        let run = stand_in.trigger(SHOP, "killed");
        expect(&run, "started");
        match number % 4 {
            0 => {
                expect(&run, "succeeded/4");
                let stand_in = stand_in.clone();
                joining.push(tokio::spawn(async move { play::join(&stand_in, &run).await }));
            }
            1 => {
                stand_in.retry(&run);
                stand_in.succeed(&run);
                expect(&run, "succeeded/2");
            }
            2 => {
                let last = stand_in.next(&run, "Last", None);
                stand_in.set(&last, StateStatus::Pruned);
                stand_in.succeed_first(&run);
                expect(&run, "succeeded/2");
            }
            _ => {
                stand_in.error(&run);
                expect(&run, "failed/1");
                failed.push(run);
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for join in joining {
        join.await.unwrap();
    }
    all_told(api, &expected).await;
    for run in failed {
        stand_in.retry(&run);
        expected.insert(format!("{SHOP}/{run}/restarted/1"));
        stand_in.succeed(&run);
        expected.insert(format!("{SHOP}/{run}/succeeded/2"));
    }
    all_told(api, &expected).await;
    expected
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_tells_each_transition_once() {
    let (runs, kills) = size();
    let (stand_in, folder) = (stand_in().await, tempfile::tempdir().unwrap());
    let mut host = watcher(watching(folder.path(), &stand_in, SHOP)).await;
    let (address, api) = (host.address, host.api(SHOP));
    let killing = async {
        for kill in 0..kills {
            // In the middle of whatever it does; a little later each time.
            tokio::time::sleep(Duration::from_millis(300 + 137 * kill as u64 % 1000)).await;
            host.kill();
            let again = watching(folder.path(), &stand_in, SHOP);
            host = HostProcess::start_with(again, address).await;
        }
    };
    let (expected, ()) = tokio::join!(happens(&stand_in, &api, runs), killing);
    // `told` refuses what is there twice.
    let told: BTreeSet<String> = told(&api).await.unwrap().into_keys().collect();
    assert_eq!(told, expected);
    drop(host);
}
