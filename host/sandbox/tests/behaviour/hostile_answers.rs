//! Adapters whose answers are no answers: too large, beyond memory, of no known
//! case. Each is stopped with the one error that names what it did.

use alerts_sandbox::{CallError, Limits, LoadError};

use crate::bench::Bench;
use crate::guest::{Image, Target, step};

/// How the contract was broken.
async fn breach(adapter: &Target) -> String {
    match Bench::new().stopped(adapter).await {
        CallError::Contract { detail, .. } => detail,
        other => panic!("expected a breach of the contract: {other}"),
    }
}

fn answers(area: impl FnOnce(&mut Image) -> u32) -> Target {
    Target::new().answering(area)
}

#[tokio::test]
async fn an_answer_that_lies_beyond_memory_breaks_the_contract() {
    const FAR: u32 = 0x7fff_0000;
    let beyond = |detail: String| {
        let words = ["out of bounds", "out-of-bounds"];
        assert!(words.iter().any(|word| detail.contains(word)), "{detail}");
    };
    // The area itself, a text, a body, a list of headers, and a length that wraps around.
    beyond(breach(&answers(|_| FAR)).await);
    beyond(breach(&answers(|_| u32::MAX - 7)).await);
    beyond(breach(&answers(|image| image.words(&step::rejected([FAR, 4])))).await);
    beyond(breach(&answers(|image| image.words(&step::rejected([1024, FAR])))).await);
    beyond(breach(&answers(|image| image.words(&step::rejected([u32::MAX, u32::MAX])))).await);
    beyond(
        breach(&answers(|image| {
            let area = step::send(step::SEND, image, [1024, FAR]);
            image.words(&area)
        }))
        .await,
    );
    beyond(
        breach(&answers(|image| {
            let mut area = step::send(step::SEND, image, [0, 0]);
            (area[6], area[7]) = (1024, 0x0fff_ffff);
            image.words(&area)
        }))
        .await,
    );
}

#[tokio::test]
async fn an_answer_at_an_odd_address_breaks_the_contract() {
    let detail = breach(&answers(|image| image.words(&step::delivered()) + 1)).await;
    assert!(detail.contains("not aligned"), "{detail}");
}

#[tokio::test]
async fn a_text_that_is_not_utf8_breaks_the_contract() {
    for text in [&b"\xff\xfe"[..], b"caf\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"] {
        let detail = breach(&answers(|image| {
            let text = image.bytes(text);
            image.words(&step::rejected(text))
        }))
        .await;
        assert!(detail.contains("utf-8"), "{detail}");
    }
}

#[tokio::test]
async fn a_case_that_no_variant_has_breaks_the_contract() {
    for area in [
        [3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [255, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [step::DONE, 0, 4, 0, 0, 0, 0, 0, 0, 0],
        // `delivered(option)` and `retry(option)`.
        [step::DONE, 0, 0, 0, 2, 0, 0, 0, 0, 0],
        [step::DONE, 0, 1, 0, 9, 0, 0, 0, 0, 0],
    ] {
        let detail = breach(&answers(|image| image.words(&area))).await;
        assert!(detail.contains("discriminant"), "{area:?}: {detail}");
    }
}

#[tokio::test]
async fn an_answer_over_the_output_limit_is_too_large() {
    let limit = u32::try_from(Limits::default().output_bytes).unwrap();
    let memory = "(memory (export \"memory\") 600)";
    // A body and a text a little over the limit, then as large as memory.
    for len in [limit + 1, 2 * limit, 500 * 65536] {
        let body = answers(|image| {
            let area = step::send(step::SEND, image, [1 << 20, len]);
            image.words(&area)
        });
        let text = answers(|image| image.words(&step::rejected([1 << 20, len])));
        for adapter in [body, text] {
            let error = Bench::new().stopped(&adapter.memory(memory)).await;
            assert!(
                matches!(error, CallError::OutputTooLarge { limit_bytes, .. }
                    if limit_bytes == limit as usize),
                "{len}: {error}"
            );
        }
    }
    // Exactly the limit is none too many.
    let bench = Bench::new();
    let adapter = answers(|image| image.words(&step::rejected([1 << 20, limit]))).memory(memory);
    bench.next(&bench.load(&adapter.pack())).await.unwrap();
}

#[tokio::test]
async fn a_list_of_two_million_empty_headers_is_too_large() {
    let adapter = answers(|image| {
        let mut area = step::send(step::SEND, image, [0, 0]);
        (area[6], area[7]) = (65536, 2_000_000);
        image.words(&area)
    })
    .memory("(memory (export \"memory\") 600)");
    let error = Bench::new().stopped(&adapter).await;
    assert!(matches!(error, CallError::OutputTooLarge { .. }), "{error}");
}

#[tokio::test]
async fn an_allocator_that_gives_bad_addresses_breaks_the_contract() {
    // Honest for the few bytes of `check`.
    const BEYOND: &str = "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
        (select (i32.const 65536) (i32.const -4096) (i32.le_u (local.get 3) (i32.const 2))))";
    // Where bytes may lie, but nothing larger.
    const ODD: &str = "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
        (i32.const 65537))";
    for (realloc, wanted) in [(BEYOND, "beyond end of memory"), (ODD, "not aligned")] {
        let detail = breach(&Target::new().realloc(realloc)).await;
        assert!(detail.contains(wanted), "{detail}");
    }
    let nowhere = Target::new().realloc(
        "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const -1))",
    );
    let refused = Bench::new().refused(&nowhere.pack()).await;
    assert!(matches!(refused, LoadError::FirstCall(CallError::Contract { .. })), "{refused}");
}
