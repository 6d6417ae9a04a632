//! Something that happens on the stand-in, for people who try the host with it.

use std::time::Duration;

use crate::{StandIn, StateStatus};

/// The namespace in which it happens.
pub const NAMESPACE: &str = "demo";
/// Between two steps of a run.
const STEP: Duration = Duration::from_secs(2);

/// Runs start one after another, without end: two succeed, the third fails, is retried
/// by a person, and succeeds then. `say` is told of each step.
pub async fn play(stand_in: &StandIn, say: impl Fn(&str)) {
    stand_in.register(NAMESPACE);
    for number in 1u64.. {
        let graph = ["orders", "invoices", "reports"][(number % 3) as usize];
        let run = stand_in.trigger(NAMESPACE, graph);
        let short = run.rsplit('-').next().unwrap_or_default().trim_start_matches('0');
        say(&format!("{graph} {short} starts"));
        tokio::time::sleep(STEP).await;
        if !number.is_multiple_of(3) {
            join(stand_in, &run).await;
            say(&format!("{graph} {short} succeeds"));
            continue;
        }
        stand_in.error(&run);
        say(&format!("{graph} {short} fails"));
        tokio::time::sleep(STEP * 3).await;
        stand_in.retry(&run);
        say(&format!("{graph} {short} is retried by a person"));
        tokio::time::sleep(STEP).await;
        stand_in.succeed(&run);
        say(&format!("{graph} {short} succeeds"));
    }
}

/// Two branches and a join after them, which is made a moment after the last of them
/// succeeded: in that moment the run reads as ended.
pub async fn join(stand_in: &StandIn, run: &str) {
    let first = stand_in.next(run, "Left", None);
    let second = stand_in.next(run, "Right", None);
    stand_in.succeed_first(run);
    stand_in.set(&first, StateStatus::Success);
    tokio::time::sleep(STEP / 2).await;
    stand_in.set(&second, StateStatus::Success);
    tokio::time::sleep(Duration::from_millis(40)).await;
    let join = stand_in.next(run, "Join", Some(&first));
    tokio::time::sleep(STEP / 2).await;
    stand_in.set(&join, StateStatus::Success);
}
