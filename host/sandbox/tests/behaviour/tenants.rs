//! Warm instances: kept for one tenant, shared with none, and dropped in time.
//! The toy language's `n` tells how many calls its instance has answered.

use std::sync::Arc;

use alerts_domain::tenant::TenantId;
use alerts_sandbox::{CallError, CallLimits, ConditionError, Limits, Plugin, SandboxConfig};
use bytes::Bytes;

use crate::bench::{AMPLE_FUEL, Bench, EVENT, config, tenant};
use crate::guest::Language;

#[tokio::test]
async fn tenants_never_share_an_instance_and_each_keeps_its_own() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let (ada, bob) = (tenant("ada"), tenant("bob"));
    assert_eq!(bench.strokes(&language, &ada).await, 1);
    assert_eq!(bench.strokes(&language, &ada).await, 2);
    assert_eq!(bench.strokes(&language, &bob).await, 1);
    assert_eq!(bench.strokes(&language, &ada).await, 3);
    assert_eq!(bench.strokes(&language, &bob).await, 2);
}

#[tokio::test]
async fn two_plugins_never_share_an_instance_even_of_the_same_file() {
    let bench = Bench::new();
    let wasm = Language::new().pack();
    let (first, second) = (bench.load(&wasm), bench.load(&wasm));
    let ada = tenant("ada");
    assert_eq!(bench.strokes(&first, &ada).await, 1);
    assert_eq!(bench.strokes(&second, &ada).await, 1);
    drop(first);
    assert_eq!(bench.strokes(&second, &ada).await, 2);
}

#[tokio::test]
async fn a_source_that_nobody_has_vouched_for_stays_out_of_warm_instances() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    assert_eq!(bench.strokes(&language, &ada).await, 1);
    bench.compile(&language, "X").await.unwrap_err();
    bench.compile(&language, "t").await.unwrap().unwrap();
    assert_eq!(bench.strokes(&language, &ada).await, 2);
}

#[tokio::test]
async fn an_instance_is_replaced_after_so_many_calls() {
    // Compiling `n` is the first of them.
    let bench = Bench::with(SandboxConfig { warm_calls: 4, ..config() });
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    for wanted in [1, 2, 3, 1, 2, 3, 1] {
        assert_eq!(bench.strokes(&language, &ada).await, wanted);
    }
}

#[tokio::test]
async fn an_instance_that_keeps_memory_is_replaced_past_the_mark() {
    // Each `k` keeps half a megabyte.
    let bench = Bench::with(SandboxConfig { warm_growth_bytes: 1 << 20, ..config() });
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    let mut counts = Vec::new();
    for _ in 0..6 {
        assert_eq!(bench.evaluate(&language, &ada, &["k"]).await, [Ok(true)]);
        counts.push(bench.strokes(&language, &ada).await);
    }
    // Two stay within the mark, the third is over it.
    assert_eq!(counts, [2, 4, 1, 3, 5, 1]);
    assert_eq!(language.stats().faults, 0, "that is no fault");
}

#[tokio::test]
async fn an_instance_is_dropped_when_it_crashes() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let (ada, bob) = (tenant("ada"), tenant("bob"));
    for wanted in [1, 2] {
        assert_eq!(bench.strokes(&language, &ada).await, wanted);
        assert_eq!(bench.strokes(&language, &bob).await, wanted);
    }
    for source in ["x", "l", "s"] {
        let verdicts = bench.evaluate(&language, &ada, &[source]).await;
        assert!(matches!(verdicts[..], [Err(ConditionError::Failed(_))]), "{verdicts:?}");
        assert_eq!(bench.strokes(&language, &ada).await, 1, "{source}");
    }
    assert_eq!(bench.strokes(&language, &bob).await, 3);
}

#[tokio::test]
async fn the_instance_longest_unused_makes_room() {
    let bench = Bench::with(SandboxConfig { warm_instances: 2, ..config() });
    let language = bench.load(&Language::new().pack());
    let (ada, bob, eve) = (tenant("ada"), tenant("bob"), tenant("eve"));
    assert_eq!(bench.strokes(&language, &ada).await, 1);
    assert_eq!(bench.strokes(&language, &bob).await, 1);
    assert_eq!(bench.strokes(&language, &ada).await, 2);
    assert_eq!(bench.strokes(&language, &eve).await, 1);
    assert_eq!(bench.strokes(&language, &bob).await, 1, "made room for eve");
    assert_eq!(bench.strokes(&language, &eve).await, 2);
}

#[tokio::test]
async fn more_tenants_than_slots_are_all_served() {
    let bench = Bench::with(SandboxConfig { warm_instances: 1, ..config() });
    let language = bench.load(&Language::new().pack());
    for index in 0..100 {
        let tenant = tenant(&format!("tenant-{index}"));
        assert_eq!(bench.evaluate(&language, &tenant, &["t"]).await, [Ok(true)]);
    }
}

/// Conditions that never end have this long: longer than any test takes.
const LONG: CallLimits = CallLimits { fuel: AMPLE_FUEL, deadline_ms: 5_000 };

/// Evaluations that have begun, and are not over when the test is.
fn endless(bench: &Bench, language: &Arc<Plugin>, tenant: &TenantId, count: usize) -> Vec<Endless> {
    let sources: Arc<[Arc<str>]> = Arc::from([Arc::from("l")]);
    let begin = |_| {
        let (sandbox, language, tenant) = (bench.sandbox.clone(), language.clone(), tenant.clone());
        let (sources, event) = (sources.clone(), Bytes::from_static(EVENT));
        tokio::spawn(async move { sandbox.evaluate(&language, &tenant, sources, event).await })
    };
    (0..count).map(begin).collect()
}

type Endless = tokio::task::JoinHandle<Result<Vec<Result<bool, ConditionError>>, CallError>>;

#[tokio::test]
async fn a_tenant_whose_conditions_never_end_delays_no_other_tenant() {
    let limits = Limits { condition: LONG, evaluate_deadline_ms: 5_000, ..config().limits };
    let bench = Bench::with(SandboxConfig { threads: 2, limits, ..config() });
    let language = bench.load(&Language::new().pack());
    let (ada, bob) = (tenant("ada"), tenant("bob"));
    // As many as fill every thread that she may have, and a long queue behind them.
    let loops = endless(&bench, &language, &ada, 500);
    tokio::task::yield_now().await;
    for _ in 0..50 {
        assert_eq!(bench.evaluate(&language, &bob, &["t"]).await, [Ok(true)]);
    }
    assert!(loops.iter().all(|task| !task.is_finished()), "not one of hers is over");
}

#[tokio::test]
async fn a_tenant_whose_queue_is_full_is_told_so_and_no_other_is() {
    let limits = Limits { condition: LONG, evaluate_deadline_ms: 5_000, ..config().limits };
    let bench = Bench::with(SandboxConfig { threads: 1, tenant_queue: 4, limits, ..config() });
    let language = bench.load(&Language::new().pack());
    let (ada, bob) = (tenant("ada"), tenant("bob"));
    let loops = endless(&bench, &language, &ada, 4);
    tokio::task::yield_now().await;
    let mut loops_and_more = loops;
    // One of hers runs by now or will soon; then four more wait.
    let error = loop {
        let mut more = endless(&bench, &language, &ada, 1);
        tokio::task::yield_now().await;
        match more.remove(0) {
            task if task.is_finished() => break task.await.unwrap().unwrap_err(),
            task => loops_and_more.push(task),
        }
    };
    assert!(matches!(error, CallError::TenantBusy { .. }) && error.is_passing(), "{error}");
    assert!(loops_and_more.len() <= 5, "one runs, and four wait");
    assert_eq!(language.stats().refused, 1);
    assert_eq!(bench.evaluate(&language, &bob, &["t"]).await, [Ok(true)]);
}

#[tokio::test]
async fn one_tenant_at_work_twice_at_once_has_two_instances() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    let (first, second) =
        tokio::join!(bench.strokes(&language, &ada), bench.strokes(&language, &ada));
    // Either both began afresh, or the second found the first one's instance warm.
    assert!(matches!((first, second), (1, 1) | (1, 2) | (2, 1)), "{first} {second}");
}

#[tokio::test]
async fn a_sandbox_with_a_full_queue_is_busy_and_says_that_it_passes() {
    let slow = CallLimits { fuel: AMPLE_FUEL, deadline_ms: 200 };
    let limits = Limits { condition: slow, ..config().limits };
    let bench = Bench::with(SandboxConfig { threads: 1, queue: 1, limits, ..config() });
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    let sources: Arc<[Arc<str>]> = Arc::from([Arc::from("l")]);
    let call =
        || bench.sandbox.evaluate(&language, &ada, sources.clone(), Bytes::from_static(EVENT));
    // One may be at work and one wait: of four that come at once, two or three
    // are turned away at once.
    let (a, b, c, d) = tokio::join!(call(), call(), call(), call());
    let busy = [&a, &b, &c, &d]
        .into_iter()
        .filter_map(|answer| answer.as_ref().err())
        .inspect(|error| assert!(matches!(error, CallError::Busy { .. }), "{error}"))
        .inspect(|error| assert!(error.is_passing()))
        .count();
    assert!((2..=3).contains(&busy), "{busy}");
    assert_eq!(bench.evaluate(&language, &ada, &["t"]).await, [Ok(true)]);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_behind() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    for _ in 0..20 {
        let mut call = Box::pin(bench.evaluate(&language, &ada, &["t"]));
        // Polled once, so that it is in the queue or at work.
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(call.as_mut().poll(context).is_ready())
        });
        polled.await;
    }
    assert_eq!(bench.evaluate(&language, &ada, &["t"]).await, [Ok(true)]);
    bench.serves().await;
}
