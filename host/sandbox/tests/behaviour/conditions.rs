//! Condition languages: what a source compiles to, what an event comes to, and
//! what becomes of those that misbehave.

use alerts_sandbox::{
    CallError, CallLimits, ConditionError, Diagnostic, Limits, LoadError, SandboxConfig,
};
use bytes::Bytes;

use crate::bench::{AMPLE_FUEL, Bench, FUEL, config, tenant};
use crate::guest::Language;

#[tokio::test]
async fn a_condition_is_true_false_or_an_error_in_the_languages_words() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let verdicts = bench.evaluate(&language, &tenant("ada"), &["t", "f", "e", "t"]).await;
    let error = ConditionError::Evaluation { message: "the event has no such field".into() };
    assert_eq!(verdicts, [Ok(true), Ok(false), Err(error), Ok(true)]);
    assert_eq!((language.stats().calls, language.stats().faults), (1, 0));
}

#[tokio::test]
async fn a_source_that_does_not_compile_says_where() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    assert_eq!(bench.compile(&language, "t").await, Ok(Ok(())));
    let diagnostic = Diagnostic { message: "no such letter".into(), offset: 1, length: 2 };
    for source in ["?", "", "ü"] {
        let answer = bench.compile(&language, source).await;
        assert_eq!(answer, Ok(Err(vec![diagnostic.clone()])), "{source}");
    }
    // A rule whose source no longer compiles does not stop the others.
    let verdicts = bench.evaluate(&language, &tenant("ada"), &["t", "?", "f"]).await;
    let error = ConditionError::Uncompilable(vec![diagnostic]);
    assert_eq!(error.to_string(), "the condition no longer compiles: no such letter");
    assert_eq!(verdicts, [Ok(true), Err(error), Ok(false)]);
}

#[tokio::test]
async fn no_conditions_have_no_verdicts() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    assert_eq!(bench.evaluate(&language, &tenant("ada"), &[]).await, []);
}

#[tokio::test]
async fn a_thousand_conditions_have_their_verdicts_in_order() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let sources: Vec<String> = (0..1_000)
        .map(|index| if index % 7 == 0 { format!("f{index}") } else { format!("t{index}") })
        .collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let verdicts = bench.evaluate(&language, &tenant("ada"), &sources).await;
    let wanted: Vec<_> = (0..1_000).map(|index| Ok(index % 7 != 0)).collect();
    assert_eq!(verdicts, wanted);
}

/// The error of a source whose compilation is stopped, of consequence for nobody.
async fn compile_stopped(source: &str) -> CallError {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let answer = bench.compile(&language, source).await;
    let error = answer.expect_err("the compilation is stopped");
    assert_eq!(bench.compile(&language, source).await, Err(error.clone()));
    assert_eq!(bench.compile(&language, "t").await, Ok(Ok(())));
    assert_eq!(bench.evaluate(&language, &tenant("ada"), &["t"]).await, [Ok(true)]);
    bench.serves().await;
    error
}

#[tokio::test]
async fn a_hostile_compilation_is_stopped_with_its_error() {
    let error = compile_stopped("L").await;
    assert!(matches!(error, CallError::OutOfFuel { fuel: FUEL, .. }), "{error}");
    let error = compile_stopped("X").await;
    assert!(matches!(&error, CallError::Trap { cause, .. } if cause.contains("unreachable")));
    let error = compile_stopped("U").await;
    assert!(matches!(&error, CallError::Contract { detail, .. } if detail.contains("utf-8")));
    // Sixteen million diagnostics, most of which lie beyond memory.
    let error = compile_stopped("D").await;
    assert!(
        matches!(&error, CallError::Contract { detail, .. } if detail.contains("out of bounds")),
        "{error}"
    );
    let error = compile_stopped("H").await;
    assert!(
        matches!(&error, CallError::Contract { detail, .. } if detail.contains("handle")),
        "{error}"
    );
}

#[tokio::test]
async fn diagnostics_over_the_output_limit_are_too_large() {
    let limits = Limits { output_bytes: 13, ..config().limits };
    let bench = Bench::with(SandboxConfig { limits, ..config() });
    // The first call, with an empty source, is one that does not compile.
    let error = bench.refused(&Language::new().pack()).await;
    assert!(
        matches!(error, LoadError::FirstCall(CallError::OutputTooLarge { limit_bytes: 13, .. })),
        "{error}"
    );
}

/// The error of a condition that the plugin cannot cope with. Its neighbours
/// have their verdicts, now and on the next event.
async fn evaluation_stopped(source: &str) -> CallError {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let mut errors = Vec::new();
    for _ in 0..2 {
        let verdicts = bench.evaluate(&language, &tenant("ada"), &["t", source, "f"]).await;
        let [Ok(true), Err(ConditionError::Failed(error)), Ok(false)] = &verdicts[..] else {
            panic!("{source}: {verdicts:?}");
        };
        errors.push(error.clone());
        bench.serves().await;
    }
    assert_eq!(errors[0], errors[1]);
    assert_eq!(language.stats().faults, 2, "one for each event");
    errors.remove(0)
}

#[tokio::test]
async fn a_condition_that_never_ends_runs_out_of_fuel_alone() {
    let error = evaluation_stopped("l").await;
    assert!(matches!(error, CallError::OutOfFuel { fuel: FUEL, .. }), "{error}");
}

#[tokio::test]
async fn a_condition_that_crashes_crashes_alone() {
    let error = evaluation_stopped("x").await;
    assert!(matches!(&error, CallError::Trap { cause, .. } if cause.contains("unreachable")));
}

#[tokio::test]
async fn a_condition_that_wants_all_memory_is_refused_it_alone() {
    let error = evaluation_stopped("m").await;
    assert!(matches!(error, CallError::Memory { .. }), "{error}");
}

#[tokio::test]
async fn a_list_of_verdicts_that_is_too_short_or_too_long_breaks_the_contract() {
    for (source, gave) in [("s", "gave 0 verdicts for 1"), ("a", "gave 2 verdicts for 1")] {
        let error = evaluation_stopped(source).await;
        assert!(
            matches!(&error, CallError::Contract { detail, .. } if detail.contains(gave)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn verdicts_that_cannot_be_read_break_the_contract() {
    for (source, detail) in [("b", "out of bounds"), ("u", "utf-8"), ("v", "expected")] {
        let error = evaluation_stopped(source).await;
        let CallError::Contract { detail: said, .. } = &error else { panic!("{error}") };
        assert!(said.contains(detail), "{said}");
    }
}

#[tokio::test]
async fn a_message_of_megabytes_is_too_large() {
    let error = evaluation_stopped("h").await;
    assert!(matches!(error, CallError::OutputTooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_condition_that_hangs_its_compilation_does_not_stop_the_others() {
    let error = evaluation_stopped("L").await;
    assert!(matches!(error, CallError::OutOfFuel { fuel: FUEL, .. }), "{error}");
    let error = evaluation_stopped("X").await;
    assert!(matches!(error, CallError::Trap { .. }), "{error}");
}

#[tokio::test]
async fn an_evaluation_has_an_end_however_many_conditions_have_none() {
    // Eight that never end would take 400 ms; the whole has 200, in which four at
    // most come to their own end.
    let slow = CallLimits { fuel: AMPLE_FUEL, deadline_ms: 50 };
    let limits = Limits { condition: slow, evaluate_deadline_ms: 200, ..config().limits };
    let bench = Bench::with(SandboxConfig { limits, ..config() });
    let language = bench.load(&Language::new().pack());
    let sources = ["l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "t", "f"];
    let verdicts = bench.evaluate(&language, &tenant("ada"), &sources).await;
    let is_stopped = |verdict: &&Result<bool, ConditionError>| {
        matches!(verdict, Err(ConditionError::Failed(CallError::Deadline { .. })))
    };
    // Each takes its 50 ms at least, and none begins after 200.
    let stopped = verdicts.iter().filter(is_stopped).count();
    assert!(stopped <= 4, "{verdicts:?}");
    for verdict in &verdicts[..8] {
        assert!(
            matches!(
                verdict,
                Err(ConditionError::NotReached { deadline_ms: 200 }
                    | ConditionError::Failed(CallError::Deadline { .. }))
            ),
            "{verdict:?}"
        );
    }
    assert!(matches!(&verdicts[7], Err(ConditionError::NotReached { .. })), "{verdicts:?}");
}

#[tokio::test]
async fn many_conditions_that_use_up_their_fuel_do_not_keep_the_others_from_theirs() {
    // All sixty of them to the end of their fuel would take longer than that.
    let fuel = CallLimits { fuel: 40_000_000, deadline_ms: 2_000 };
    let limits = Limits { condition: fuel, evaluate_deadline_ms: 2_000, ..config().limits };
    let bench = Bench::with(SandboxConfig { limits, ..config() });
    let language = bench.load(&Language::new().pack());
    let endless: Vec<String> = (0..60).map(|index| format!("l{index}")).collect();
    let mut sources: Vec<&str> = endless.iter().map(String::as_str).collect();
    sources.extend(["t", "f"]);
    let verdicts = bench.evaluate(&language, &tenant("ada"), &sources).await;
    assert_eq!(verdicts[60..], [Ok(true), Ok(false)]);
    for verdict in &verdicts[..60] {
        assert!(
            matches!(
                verdict,
                Err(ConditionError::NotReached { .. }
                    | ConditionError::Failed(CallError::OutOfFuel { fuel: 40_000_000, .. }))
            ),
            "{verdict:?}"
        );
    }
}

#[tokio::test]
async fn an_event_reaches_the_language_whole() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    // Larger than the guest's first memory, so it must make room; and empty.
    for event in [Bytes::from(vec![b' '; 1 << 20]), Bytes::new()] {
        let verdicts = bench.evaluate_on(event, &language, &tenant("ada"), &["t"]).await;
        assert_eq!(verdicts, [Ok(true)]);
    }
}
