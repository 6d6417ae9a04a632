//! Conditions of one tenant in one evaluation: the bad ones cost the others
//! nothing, and a verdict does not depend on the company it is had in.

use std::sync::Arc;

use alerts_sandbox::{CallError, ConditionError, Plugin};
use bytes::Bytes;

use crate::bench::{Bench, EVENT, FUEL, tenant};
use crate::guest::Language;

#[tokio::test]
async fn bad_conditions_anywhere_leave_the_order_of_verdicts_alone() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let sources = ["x", "t1", "l", "f1", "?", "e", "s", "t2", "m", "f2", "X"];
    for _ in 0..3 {
        let verdicts = bench.evaluate(&language, &tenant("ada"), &sources).await;
        let words: Vec<&str> = verdicts
            .iter()
            .map(|verdict| match verdict {
                Ok(true) => "true",
                Ok(false) => "false",
                Err(ConditionError::Evaluation { .. }) => "error",
                Err(ConditionError::Uncompilable(_)) => "uncompilable",
                Err(ConditionError::NotReached { .. }) => "not reached",
                Err(ConditionError::Failed(CallError::Trap { .. })) => "trap",
                Err(ConditionError::Failed(CallError::OutOfFuel { .. })) => "fuel",
                Err(ConditionError::Failed(CallError::Memory { .. })) => "memory",
                Err(ConditionError::Failed(CallError::Contract { .. })) => "contract",
                Err(other) => panic!("{other}"),
            })
            .collect();
        let wanted = [
            "trap",
            "true",
            "fuel",
            "false",
            "uncompilable",
            "error",
            "contract",
            "true",
            "memory",
            "false",
            "trap",
        ];
        assert_eq!(words, wanted);
    }
}

#[tokio::test]
async fn a_suspect_is_evaluated_apart_so_that_its_neighbours_keep_their_instance() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    let strokes = async |sources: &[&str]| {
        let verdicts = bench.evaluate(&language, &ada, sources).await;
        match &verdicts[0] {
            Err(ConditionError::Evaluation { message }) => message.len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(strokes(&["n"]).await, 1);
    // Unknown as yet, it takes the warm instance along.
    assert_eq!(strokes(&["n", "x"]).await, 1);
    // Known now, it does not: the neighbour's next instance counts on.
    for wanted in [1, 2, 3] {
        assert_eq!(strokes(&["n", "x"]).await, wanted);
    }
    // And only for this tenant.
    let verdicts = bench.evaluate(&language, &tenant("bob"), &["t", "x"]).await;
    assert_eq!(verdicts[0], Ok(true));
    assert_eq!(strokes(&["n"]).await, 4);

    // The instance in which the rest had their verdicts is kept like any other.
    let eve = tenant("eve");
    bench.evaluate(&language, &eve, &["x", "n"]).await;
    assert_eq!(bench.strokes(&language, &eve).await, 2);
}

#[tokio::test]
async fn a_suspect_that_works_again_is_none_any_more() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    let strokes = async |event: &'static [u8]| {
        let event = Bytes::from_static(event);
        let verdicts = bench.evaluate_on(event, &language, &ada, &["n", "q"]).await;
        match &verdicts[0] {
            Err(ConditionError::Evaluation { message }) => (message.len(), verdicts[1].is_ok()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(strokes(EVENT).await, (1, true));
    // It crashes on an empty event, and the instance with it.
    assert_eq!(strokes(b"").await, (1, false));
    assert_eq!(strokes(EVENT).await, (1, true), "evaluated apart, and cleared");
    assert_eq!(strokes(EVENT).await, (2, true), "together again");
    assert_eq!(strokes(b"").await, (1, false), "so it takes the instance along once more");
}

#[tokio::test]
async fn a_condition_that_fails_only_in_bad_company_is_not_blamed() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    // Together they use up the fuel of one call; each alone has enough.
    let third = rounds(FUEL / 3, &bench, &language).await;
    let sources: Vec<String> = (0..6).map(|index| format!("w{}", third + index)).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let faults = language.stats().faults;
    for _ in 0..2 {
        let verdicts = bench.evaluate(&language, &ada, &sources).await;
        assert_eq!(verdicts, [Ok(true), Ok(true), Ok(true), Ok(true), Ok(true), Ok(true)]);
    }
    assert_eq!(language.stats().faults, faults);
}

/// Rounds of the toy language's work that take about this much fuel.
async fn rounds(fuel: u64, bench: &Bench, language: &Arc<Plugin>) -> u64 {
    most_rounds(bench, language).await * fuel / FUEL
}

/// The most rounds that a condition may work without running out of fuel.
async fn most_rounds(bench: &Bench, language: &Arc<Plugin>) -> u64 {
    let ada = tenant("measure");
    let (mut enough, mut too_many) = (0, FUEL);
    while too_many - enough > 1 {
        let middle = enough.midpoint(too_many);
        // As many digits for each number, so that reading it costs the same.
        let source = format!("w{middle:08}");
        match &bench.evaluate(language, &ada, &[&source]).await[0] {
            Ok(true) => enough = middle,
            Err(ConditionError::Failed(CallError::OutOfFuel { .. })) => too_many = middle,
            other => panic!("{other:?}"),
        }
    }
    enough
}

#[tokio::test]
async fn whether_a_condition_runs_out_of_fuel_does_not_depend_on_its_neighbours() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let most = most_rounds(&bench, &language).await;
    let (enough, too_many) = (format!("w{most:08}"), format!("w{:08}", most + 1));
    for neighbours in [0, 1, 2, 7, 300] {
        let tenant = tenant(&format!("with {neighbours} neighbours"));
        let others: Vec<String> = (0..neighbours).map(|index| format!("t{index}")).collect();
        let mut sources: Vec<&str> = others.iter().map(String::as_str).collect();
        let middle = sources.len() / 2;
        sources.splice(middle..middle, [enough.as_str(), too_many.as_str()]);
        for event in 0..2 {
            let verdicts = bench.evaluate(&language, &tenant, &sources).await;
            assert_eq!(verdicts[middle], Ok(true), "{neighbours} neighbours, event {event}");
            assert!(
                matches!(
                    verdicts[middle + 1],
                    Err(ConditionError::Failed(CallError::OutOfFuel { .. }))
                ),
                "{neighbours} neighbours, event {event}: {:?}",
                verdicts[middle + 1]
            );
        }
    }
}
