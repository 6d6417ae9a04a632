//! Adapters that misbehave in a call: each is stopped with the one error that
//! names what it did, and nobody else notices.

use std::time::{Duration, Instant};

use alerts_domain::exchange::{Exchange, Outcome, Request, Step, TransportError};
use alerts_domain::header::Headers;
use alerts_sandbox::{CallError, CallLimits, Limits, SandboxConfig};
use bytes::Bytes;

use crate::bench::{AMPLE_FUEL, Bench, DEADLINE_MS, FUEL, config};
use crate::guest::{Image, Target, step};

/// The cause of a trap.
async fn trap(adapter: &Target) -> String {
    match Bench::new().stopped(adapter).await {
        CallError::Trap { cause, .. } => cause,
        other => panic!("expected a trap: {other}"),
    }
}

fn does(code: &str) -> Target {
    Target::new().before_answering(code)
}

fn answers(area: impl FnOnce(&mut Image) -> u32) -> Target {
    Target::new().answering(area)
}

const ENDLESS: &str = "(loop $on (br $on))";

#[tokio::test]
async fn an_endless_loop_runs_out_of_fuel() {
    let error = Bench::new().stopped(&does(ENDLESS)).await;
    assert!(matches!(error, CallError::OutOfFuel { fuel: FUEL, .. }), "{error}");
}

#[tokio::test]
async fn a_plugin_that_asks_for_less_fuel_gets_less() {
    let error = Bench::new().stopped(&does(ENDLESS).manifest("limits.fuel = 50000")).await;
    assert!(matches!(error, CallError::OutOfFuel { fuel: 50_000, .. }), "{error}");
}

fn with_ample_fuel(deadline_ms: u64) -> Bench {
    let limits = Limits { target: CallLimits { fuel: AMPLE_FUEL, deadline_ms }, ..config().limits };
    Bench::with(SandboxConfig { limits, ..config() })
}

#[tokio::test]
async fn an_endless_loop_with_ample_fuel_is_stopped_at_the_deadline_and_not_before() {
    const SHORT: u64 = 150;
    let bench = with_ample_fuel(SHORT);
    let error = bench.stopped(&does(ENDLESS)).await;
    assert!(matches!(error, CallError::Deadline { deadline_ms: SHORT, .. }), "{error}");

    let plugin = bench.load(&does(ENDLESS).pack());
    let begun = Instant::now();
    bench.next(&plugin).await.unwrap_err();
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(SHORT), "{took:?}");
}

#[tokio::test]
async fn a_loop_of_few_and_slow_instructions_is_stopped_at_the_deadline() {
    let fills = "(loop $on
        (memory.fill (i32.const 65536) (i32.const 1) (i32.const 62914560)) (br $on))";
    let adapter = does(fills).memory("(memory (export \"memory\") 961)");
    let error = with_ample_fuel(150).stopped(&adapter).await;
    assert!(matches!(error, CallError::Deadline { deadline_ms: 150, .. }), "{error}");
}

#[tokio::test]
async fn a_memory_bomb_is_refused_the_memory() {
    let grows = "(loop $on
        (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let error = Bench::new().stopped(&does(grows)).await;
    let granted = Limits::default().memory_bytes;
    assert!(
        matches!(error, CallError::Memory { limit_bytes, .. } if limit_bytes == granted),
        "{error}"
    );
    let error = Bench::new().stopped(&does(grows).manifest("limits.memory_bytes = 1048576")).await;
    assert!(matches!(error, CallError::Memory { limit_bytes: 1_048_576, .. }), "{error}");
}

#[tokio::test]
async fn several_memories_share_one_limit() {
    let adapter = does(
        "(drop (memory.grow $second (i32.const 600)))
         (if (i32.eq (memory.grow (i32.const 600)) (i32.const -1)) (then unreachable))",
    )
    .with("(memory $second 1)");
    let error = Bench::new().stopped(&adapter).await;
    assert!(matches!(error, CallError::Memory { .. }), "{error}");
}

#[tokio::test]
async fn growth_that_a_memorys_own_maximum_forbids_is_not_counted() {
    // Asks a hundred times for what its own type rules out, then for what it may have.
    let adapter = does(
        "(loop $on
           (drop (memory.grow $small (i32.const 1000)))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $on (i32.lt_u (local.get $i) (i32.const 100))))
         (if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))",
    )
    .with("(memory $small 1 1)");
    let bench = Bench::new();
    let plugin = bench.load(&adapter.pack());
    bench.next(&plugin).await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_takes_no_for_an_answer_goes_on() {
    let asks = "(drop (memory.grow (i32.const 65000)))";
    let bench = Bench::new();
    let plugin = bench.load(&does(asks).pack());
    bench.next(&plugin).await.unwrap();
    assert_eq!(plugin.stats().faults, 0);
}

#[tokio::test]
async fn a_table_bomb_is_refused_the_elements() {
    let adapter = does(
        "(loop $on (br_if $on
           (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
         unreachable",
    )
    .with("(table $t 1 funcref)");
    let error = Bench::new().stopped(&adapter).await;
    let granted = Limits::default().table_elements;
    assert!(
        matches!(error, CallError::Table { limit_elements, .. } if limit_elements == granted),
        "{error}"
    );
}

#[tokio::test]
async fn each_way_to_crash_is_a_trap_with_its_cause() {
    for (code, cause) in [
        ("unreachable", "unreachable"),
        ("(drop (i32.load (i32.const -4)))", "out of bounds memory access"),
        ("(i32.store (i32.const 131072) (i32.const 1))", "out of bounds memory access"),
        (
            "(memory.copy (i32.const 0) (i32.const 131000) (i32.const 1000))",
            "out of bounds memory access",
        ),
        ("(drop (i32.div_u (i32.const 1) (local.get $i)))", "divide by zero"),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "integer overflow"),
        ("(drop (i32.trunc_f64_s (f64.const nan)))", "invalid conversion to integer"),
        ("(call_indirect $t (type $f) (i32.const 1))", "uninitialized element"),
        ("(call_indirect $t (type $f) (i32.const 9))", "undefined element"),
        ("(drop (call_indirect $t (result i32) (i32.const 0)))", "indirect call type mismatch"),
    ] {
        let adapter = does(code).with(
            "(type $f (func)) (table $t 2 funcref) (elem (i32.const 0) $nothing)
             (func $nothing)",
        );
        let trap = trap(&adapter).await;
        assert!(trap.contains(cause), "{code}: {trap}");
    }
}

#[tokio::test]
async fn endless_recursion_exhausts_the_stack_and_nothing_else() {
    let deep = does("(call $deeper (i32.const 0))")
        .with("(func $deeper (param i32) (call $deeper (i32.add (local.get 0) (i32.const 1))))");
    assert!(trap(&deep).await.contains("call stack exhausted"));
    // The largest frame there is: fifty thousand values that live across the call.
    let locals = "(local i64)".repeat(2_000);
    let reads: String = (1..=2_000)
        .map(|index| format!("(local.set 0 (i64.xor (local.get 0) (local.get {index})))"))
        .collect();
    let sets: String = (1..=2_000)
        .map(|index| format!("(local.set {index} (i64.load (i32.const {})))", index * 8))
        .collect();
    let wide = does("(drop (call $wide (i64.const 0)))").with(&format!(
        "(func $wide (param i64) (result i64) {locals} {sets}
           (local.set 0 (call $wide (local.get 0))) {reads} (local.get 0))"
    ));
    assert!(trap(&wide).await.contains("call stack exhausted"));
}

#[tokio::test]
async fn an_allocator_that_never_returns_runs_out_of_fuel() {
    // Honest for the few bytes of `check`.
    const STUCK: &str = "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
        (if (i32.gt_u (local.get 3) (i32.const 2)) (then (loop $on (br $on))))
        (i32.const 65536))";
    let error = Bench::new().stopped(&Target::new().realloc(STUCK)).await;
    assert!(matches!(error, CallError::OutOfFuel { .. }), "{error}");
}

#[tokio::test]
async fn what_a_plugin_does_after_its_answer_is_part_of_the_call() {
    let after = |code: &str| {
        Target::new().with(&format!(
            "(func (export \"cabi_post_exosphere:alerts/adapter@1.0.0#next\") (param i32) {code})"
        ))
    };
    let error = Bench::new().stopped(&after(ENDLESS)).await;
    assert!(matches!(error, CallError::OutOfFuel { .. }), "{error}");
    assert!(trap(&after("unreachable")).await.contains("unreachable"));
}

#[tokio::test]
async fn an_adapter_that_always_wants_another_request_is_stopped() {
    let bench = Bench::new();
    let limit = Limits::default().exchanges;
    let insatiable = |limits: &str| {
        let adapter = answers(|image| {
            let area = step::send(step::SEND, image, [0, 0]);
            image.words(&area)
        });
        adapter.manifest(limits).pack()
    };
    for (plugin, limit) in [
        (bench.load(&insatiable("")), limit),
        (bench.load(&insatiable("limits.exchanges = 2")), 2),
        (bench.load(&insatiable("limits.exchanges = 1000")), limit),
    ] {
        let mut exchanges = Vec::new();
        let error = loop {
            match bench.next_after(&plugin, &exchanges).await {
                Ok(Step::Send(request)) => exchanges.push(Exchange {
                    request,
                    outcome: Outcome::Failed(TransportError::Timeout("30 s".into())),
                }),
                Ok(other) => panic!("{other:?}"),
                Err(error) => break error,
            }
        };
        assert_eq!(exchanges.len(), limit as usize);
        assert!(matches!(error, CallError::Exchanges { limit: l, .. } if l == limit), "{error}");
        assert_eq!(plugin.stats().faults, 1);
        bench.serves().await;
    }
}

#[tokio::test]
async fn an_exchange_too_many_is_refused_as_the_last_one_too() {
    let bench = Bench::new();
    let adapter = answers(|image| {
        let area = step::send(step::SEND_LAST, image, [0, 0]);
        image.words(&area)
    });
    let plugin = bench.load(&adapter.manifest("limits.exchanges = 1").pack());
    assert!(matches!(bench.next(&plugin).await, Ok(Step::SendLast(_))));
    let request = Request {
        method: "POST".into(),
        url: "https://example.com/".into(),
        headers: Headers::default(),
        body: Bytes::new(),
        sign: false,
    };
    let exchange = Exchange { request, outcome: Outcome::Failed(TransportError::Dns("".into())) };
    let error = bench.next_after(&plugin, &[exchange]).await.unwrap_err();
    assert!(matches!(error, CallError::Exchanges { limit: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_hostile_check_is_stopped_as_a_hostile_delivery_is() {
    // Settings other than the `{}` of the first call set it off.
    let hostile = |code: &str| {
        Target::new().check(&format!(
            "(if (i32.ne (local.get $settings_len) (i32.const 2)) (then {code}))
             (i32.const 1024)"
        ))
    };
    let bench = Bench::new();
    let settings = || Bytes::from_static(b"{\"a\":1}");
    let plugin = bench.load(&hostile(ENDLESS).pack());
    let error = bench.check(&plugin, settings()).await.unwrap_err();
    assert!(matches!(error, CallError::OutOfFuel { .. }), "{error}");
    let plugin = bench.load(&hostile("unreachable").pack());
    let error = bench.check(&plugin, settings()).await.unwrap_err();
    assert!(matches!(error, CallError::Trap { .. }), "{error}");

    let talkative = Target::new().check(
        "(if (i32.ne (local.get $settings_len) (i32.const 2)) (then
           (i32.store (i32.const 512) (i32.const 1))
           (i32.store (i32.const 516) (i32.const 65536))
           (i32.store (i32.const 520) (i32.const 1000000))
           (return (i32.const 512))))
         (i32.const 1024)",
    );
    let plugin = bench.load(&talkative.memory("(memory (export \"memory\") 600)").pack());
    let error = bench.check(&plugin, settings()).await.unwrap_err();
    assert!(matches!(error, CallError::OutputTooLarge { .. }), "{error}");
    bench.serves().await;
}

#[tokio::test]
async fn a_plugin_called_as_what_it_is_not_says_so() {
    let bench = Bench::new();
    let plugin = bench.load(&Target::new().pack());
    let error = bench.compile(&plugin, "t").await.unwrap_err();
    assert!(error.to_string().contains("it is a target, and was called as a condition"), "{error}");
}

#[tokio::test]
async fn every_error_names_the_plugin_and_its_file() {
    let bench = Bench::new();
    let wasm = does("unreachable").pack();
    let plugin = bench.load(&wasm);
    let message = bench.next(&plugin).await.unwrap_err().to_string();
    assert!(message.contains("plugin `guest`"), "{message}");
    assert!(message.contains(&alerts_package::digest(&wasm).to_string()), "{message}");
    assert_eq!(plugin.digest(), &alerts_package::digest(&wasm));
    assert_eq!(plugin.limits().target.deadline_ms, DEADLINE_MS);
}
