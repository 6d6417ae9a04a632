//! What plugins say to people, however much of it there is: bounded, and fit for
//! any database, before anyone else sees it.

use alerts_domain::exchange::{Step, Verdict};
use alerts_sandbox::{ConditionError, MAX_MESSAGES, MAX_TEXT_BYTES};
use bytes::Bytes;

use crate::bench::{Bench, tenant};
use crate::guest::{Language, Target, step};

fn is_kept(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TEXT_BYTES && !text.contains('\0')
}

#[tokio::test]
async fn a_verdicts_text_is_cut_and_has_no_nul_whichever_verdict_it_is() {
    let bench = Bench::new();
    let text = "a\0b".to_owned() + &"x".repeat(20_000);
    for verdict in [
        Verdict::Delivered(Some(text.clone())),
        Verdict::Retry { after_ms: Some(7), reason: text.clone() },
        Verdict::Rejected(text.clone()),
        Verdict::Gone(text.clone()),
    ] {
        let word = verdict.word();
        let adapter = Target::new().answering(|image| step::area(image, &Step::Done(verdict)));
        let Step::Done(told) = bench.next(&bench.load(&adapter.pack())).await.unwrap() else {
            panic!("{word} was the verdict")
        };
        assert_eq!(told.word(), word);
        let (Verdict::Delivered(Some(told))
        | Verdict::Retry { reason: told, .. }
        | Verdict::Rejected(told)
        | Verdict::Gone(told)) = told
        else {
            panic!("{word} had a text")
        };
        assert!(is_kept(&told) && told.starts_with("a\u{fffd}bxx"), "{word}: {told}");
    }
}

#[tokio::test]
async fn a_reason_of_900_kilobytes_is_cut() {
    let adapter = Target::new()
        .memory("(memory (export \"memory\") 20)")
        .answering(|image| image.words(&step::rejected([196_608, 900_000])));
    let bench = Bench::new();
    let step = bench.next(&bench.load(&adapter.pack())).await.unwrap();
    assert!(matches!(&step, Step::Done(Verdict::Rejected(reason)) if is_kept(reason)), "{step:?}");
}

#[tokio::test]
async fn a_conditions_error_of_half_a_megabyte_is_cut() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let verdicts = bench.evaluate(&language, &tenant("ada"), &["t", "o"]).await;
    let [Ok(true), Err(ConditionError::Evaluation { message })] = &verdicts[..] else {
        panic!("{verdicts:?}")
    };
    assert!(is_kept(message), "{} bytes", message.len());
}

#[tokio::test]
async fn of_thousands_of_diagnostics_some_tens_are_kept() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let diagnostics = bench.compile(&language, "M").await.unwrap().unwrap_err();
    assert_eq!(diagnostics.len(), MAX_MESSAGES + 1);
    assert_eq!(diagnostics[MAX_MESSAGES].message, "and 19968 more, which are not shown");
    // A rule that was saved before says the same on every event.
    let verdicts = bench.evaluate(&language, &tenant("ada"), &["M"]).await;
    assert_eq!(verdicts, [Err(ConditionError::Uncompilable(diagnostics))]);
}

#[tokio::test]
async fn a_language_that_refuses_without_a_reason_is_blamed_for_it() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let diagnostics = bench.compile(&language, "N").await.unwrap().unwrap_err();
    assert!(diagnostics[0].message.contains("a fault of the plugin"), "{diagnostics:?}");
    let verdicts = bench.evaluate(&language, &tenant("ada"), &["t", "N"]).await;
    assert_eq!(verdicts, [Ok(true), Err(ConditionError::Uncompilable(diagnostics))]);
}

#[tokio::test]
async fn of_thousands_of_problems_some_tens_are_kept() {
    // Each of two thousand has the pointer and the message that stand at 98304.
    let adapter = Target::new()
        .memory("(memory (export \"memory\") 4)")
        .with("(data (i32.const 98304) \"/a\\00\")")
        .check(
            "(local $i i32)
             (if (i32.eq (local.get $settings_len) (i32.const 2)) (then (return (i32.const 1024))))
             (loop $each
               (i32.store (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 16)))
                 (i32.const 98304))
               (i32.store offset=4
                 (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 16)))
                 (i32.const 2))
               (i32.store offset=8
                 (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 16)))
                 (i32.const 98304))
               (i32.store offset=12
                 (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 16)))
                 (i32.const 3))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $each (i32.lt_u (local.get $i) (i32.const 2000))))
             (i32.store (i32.const 512) (i32.const 1))
             (i32.store (i32.const 516) (i32.const 131072))
             (i32.store (i32.const 520) (i32.const 2000))
             (i32.const 512)",
        );
    let bench = Bench::new();
    let settings = Bytes::from_static(b"{\"a\":1}");
    let plugin = bench.load(&adapter.pack());
    let problems = bench.check(&plugin, settings).await.unwrap().unwrap_err();
    assert_eq!(problems.len(), MAX_MESSAGES + 1);
    assert_eq!((&*problems[0].pointer, &*problems[0].detail), ("/a", "/a\u{fffd}"));
    assert_eq!(problems[MAX_MESSAGES].detail, "and 1968 more, which are not shown");
}
