//! What an operator grants a plugin while it is loaded: in force for the next
//! call, and for nobody else.

use std::sync::Arc;

use alerts_domain::exchange::{Exchange, Outcome, Step, TransportError};
use alerts_domain::plugin_limits::PluginLimits;
use alerts_sandbox::{
    CallError, CallLimits, ConditionError, LimitSource, Limits, LoadError, Plugin, SandboxConfig,
};

use crate::bench::{AMPLE_FUEL, Bench, config, tenant};
use crate::guest::{Language, Target, step};

fn none() -> PluginLimits {
    PluginLimits::default()
}

/// Trips with what the host gives, works with more, trips with less; and its
/// double, to which nothing is granted, goes on as it did.
async fn is_set_by_the_operator(
    bench: &Bench,
    adapter: &Target,
    more: PluginLimits,
    less: PluginLimits,
    error: &str,
) {
    let wasm = adapter.pack();
    let (plugin, double) = (bench.load(&wasm), bench.load(&wasm));
    let name = async |plugin: &Arc<Plugin>| {
        bench.next(plugin).await.map_err(|error| {
            assert!(error.to_string().contains("`PUT /v1/plugins/guest/limits`"), "{error}");
            error.name()
        })
    };
    assert_eq!(name(&plugin).await, Err(error));
    plugin.grant(more);
    name(&plugin).await.expect("it works with more");
    assert_eq!(name(&double).await, Err(error), "nothing was granted to this one");
    plugin.grant(less);
    assert_eq!(name(&plugin).await, Err(error));
    plugin.grant(more);
    name(&plugin).await.expect("it works again");
    plugin.grant(none());
    assert_eq!(name(&plugin).await, Err(error), "the host's again");
    bench.serves().await;
}

fn rounds(count: u32) -> Target {
    Target::new().before_answering(&format!(
        "(loop $on
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $on (i32.lt_u (local.get $i) (i32.const {count}))))"
    ))
}

#[tokio::test]
async fn fuel() {
    let more = PluginLimits { fuel: Some(100_000_000), ..none() };
    let less = PluginLimits { fuel: Some(1_000), ..none() };
    is_set_by_the_operator(&Bench::new(), &rounds(1_000_000), more, less, "out_of_fuel").await;
}

#[tokio::test]
async fn time() {
    let target = CallLimits { fuel: AMPLE_FUEL, deadline_ms: 10 };
    let limits = Limits { target, ..config().limits };
    let bench = Bench::with(SandboxConfig { limits, ..config() });
    let more = PluginLimits { deadline_ms: Some(30_000), ..none() };
    let less = PluginLimits { deadline_ms: Some(1), ..none() };
    // A fifth of a second and more.
    is_set_by_the_operator(&bench, &rounds(400_000_000), more, less, "deadline").await;
}

#[tokio::test]
async fn memory() {
    // A hundred MiB in all.
    let grows = Target::new().before_answering(
        "(if (i32.eq (memory.grow (i32.const 1598)) (i32.const -1)) (then unreachable))",
    );
    let more = PluginLimits { memory_bytes: Some(100 << 20), ..none() };
    let less = PluginLimits { memory_bytes: Some((100 << 20) - 1), ..none() };
    is_set_by_the_operator(&Bench::new(), &grows, more, less, "memory").await;
}

#[tokio::test]
async fn output() {
    let limit = Limits::default().output_bytes as u64;
    let text = Target::new()
        .answering(|image| {
            let len = u32::try_from(limit).unwrap() + 1;
            image.words(&step::rejected([1 << 20, len]))
        })
        .memory("(memory (export \"memory\") 600)");
    let more = PluginLimits { output_bytes: Some(limit + 1), ..none() };
    let less = PluginLimits { output_bytes: Some(1), ..none() };
    is_set_by_the_operator(&Bench::new(), &text, more, less, "output_too_large").await;
}

#[tokio::test]
async fn requests_in_an_attempt() {
    let bench = Bench::new();
    let adapter = Target::new().answering(|image| {
        let area = step::send(step::SEND, image, [0, 0]);
        image.words(&area)
    });
    let plugin = bench.load(&adapter.pack());
    let Ok(Step::Send(request)) = bench.next(&plugin).await else { panic!("it sends") };
    let timeout = || Outcome::Failed(TransportError::Timeout("30 s".into()));
    let after = |count| vec![Exchange { request: request.clone(), outcome: timeout() }; count];
    let eighth = bench.next_after(&plugin, &after(8)).await.unwrap_err();
    assert!(eighth.to_string().contains("grant more `exchanges`"), "{eighth}");
    plugin.grant(PluginLimits { exchanges: Some(9), ..none() });
    assert!(matches!(bench.next_after(&plugin, &after(8)).await, Ok(Step::Send(_))));
    let ninth = bench.next_after(&plugin, &after(9)).await.unwrap_err();
    assert!(matches!(ninth, CallError::Exchanges { limit: 9, .. }), "{ninth}");
    plugin.grant(PluginLimits { exchanges: Some(1), ..none() });
    let first = bench.next_after(&plugin, &after(1)).await.unwrap_err();
    assert!(matches!(first, CallError::Exchanges { limit: 1, .. }), "{first}");
}

#[tokio::test]
async fn a_warm_instance_does_not_outlive_the_limits_it_was_made_with() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    let ada = tenant("ada");
    for strokes in 1..=3 {
        assert_eq!(bench.strokes(&language, &ada).await, strokes);
    }
    language.grant(PluginLimits { memory_bytes: Some(4 << 20), ..none() });
    assert_eq!(bench.strokes(&language, &ada).await, 1, "an instance of its own");
    let verdicts = bench.evaluate(&language, &ada, &["t", "g"]).await;
    assert_eq!(verdicts[0], Ok(true));
    let Err(ConditionError::Failed(failed)) = &verdicts[1] else { panic!("{verdicts:?}") };
    assert!(matches!(failed, CallError::Memory { limit_bytes: 4_194_304, .. }), "{failed}");
    language.grant(none());
    assert_eq!(bench.evaluate(&language, &ada, &["g"]).await, [Ok(true)]);
}

#[tokio::test]
async fn a_file_that_needs_more_to_begin_with_loads_once_it_is_granted() {
    let bench = Bench::new();
    // A hundred MiB from the start.
    let wasm = Target::new().id("needy").memory("(memory (export \"memory\") 1600)").pack();
    let refused = bench.refused(&wasm).await;
    assert!(matches!(refused, LoadError::Resources { .. }), "{refused}");
    let told = refused.to_string();
    assert!(told.contains("`memory_bytes` by `PUT /v1/plugins/needy/limits`"), "{told}");
    let granted = PluginLimits { memory_bytes: Some(100 << 20), ..none() };
    let plugin = bench.sandbox.load_with(&wasm, granted).expect("it loads");
    bench.next(&plugin).await.unwrap();
    let [_, _, memory, ..] = plugin.decided_limits();
    assert_eq!((memory.value, memory.decided_by), (100 << 20, LimitSource::Operator));
}

#[tokio::test]
async fn what_all_calls_used_is_counted() {
    let bench = Bench::new();
    let plugin = bench.load(&rounds(10_000).pack());
    for _ in 0..3 {
        bench.next(&plugin).await.unwrap();
    }
    let stats = plugin.stats();
    assert_eq!((stats.calls, stats.faults, stats.refused), (3, 0, 0));
    assert!(stats.max_fuel >= 10_000 && stats.fuel >= 3 * stats.max_fuel, "{stats:?}");
    assert!(!stats.max_time.is_zero() && stats.time >= stats.max_time, "{stats:?}");
    assert_eq!((stats.memory_bytes, stats.max_memory_bytes), (0, 128 << 10), "two pages, gone");

    let grows = "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        unreachable";
    let bomb = bench.load(&Target::new().before_answering(grows).pack());
    bench.next(&bomb).await.unwrap_err();
    let stats = bomb.stats();
    assert_eq!(stats.faults_by_name, [("memory", 1)]);
    assert!(stats.max_memory_bytes > 60 << 20, "also of a call that failed: {stats:?}");
    assert_eq!(stats.memory_bytes, 0);

    let language = bench.load(&Language::new().pack());
    bench.evaluate(&language, &tenant("ada"), &["t"]).await;
    assert_eq!(language.stats().memory_bytes, 128 << 10, "the warm one");
}
