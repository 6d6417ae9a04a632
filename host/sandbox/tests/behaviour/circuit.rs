//! A plugin that fails call after call is left alone for a while. When it is
//! called again is tested where time can be passed in, beside the breaker.

use alerts_sandbox::CallError;
use bytes::Bytes;

use crate::bench::{Bench, delivery, tenant};
use crate::guest::{Language, Target};

/// Failures in a row that open the circuit.
const FAILURES: u32 = 32;

/// Crashes on first attempts, and on these alone.
fn fails_at_first() -> Vec<u8> {
    let code = "(if (i32.eq (i32.load offset=8 (local.get $call)) (i32.const 1))
        (then unreachable))";
    Target::new().before_answering(code).pack()
}

#[tokio::test]
async fn a_plugin_that_crashes_on_every_call_is_suspended_and_no_other_is() {
    let bench = Bench::new();
    let wasm = fails_at_first();
    let (plugin, same_file) = (bench.load(&wasm), bench.load(&wasm));
    for _ in 0..FAILURES {
        let error = bench.next(&plugin).await.unwrap_err();
        assert!(matches!(error, CallError::Trap { .. }), "{error}");
    }
    for _ in 0..3 {
        let error = bench.next(&plugin).await.unwrap_err();
        let CallError::Suspended { rest_ms, .. } = error else { panic!("{error}") };
        assert!((1..=5_000).contains(&rest_ms), "{rest_ms}");
        assert!(error.is_passing());
    }
    let checked = bench.check(&plugin, Bytes::from_static(b"{}")).await.unwrap_err();
    assert!(matches!(checked, CallError::Suspended { .. }), "all of it: {checked}");
    let failures = u64::from(FAILURES);
    let stats = plugin.stats();
    assert_eq!((stats.calls, stats.faults), (failures, failures), "it was not called");
    assert_eq!((stats.faults_by_name, stats.refused), (vec![("trap", failures)], 4));
    let circuit = plugin.circuit().expect("it says that it is open");
    let until = circuit.until.expect("it still rests");
    assert!(circuit.since <= until, "{circuit:?}");
    assert!(matches!(circuit.reason, CallError::Trap { .. }), "{circuit:?}");

    bench.serves().await;
    let error = bench.next(&same_file).await.unwrap_err();
    assert!(matches!(error, CallError::Trap { .. }), "loaded anew, it begins anew: {error}");
}

#[tokio::test]
async fn one_success_makes_up_for_all_failures_before_it() {
    let bench = Bench::new();
    let plugin = bench.load(&fails_at_first());
    let again = {
        let mut again = delivery();
        again.attempt = 2;
        again
    };
    for _ in 0..3 {
        for _ in 0..FAILURES - 1 {
            bench.next(&plugin).await.unwrap_err();
        }
        bench.next_of(&plugin, &again, &[]).await.unwrap();
    }
    // Another function of the plugin counts as well.
    for _ in 0..FAILURES - 1 {
        bench.next(&plugin).await.unwrap_err();
    }
    bench.check(&plugin, Bytes::from_static(b"{}")).await.unwrap().unwrap();
    bench.next_of(&plugin, &again, &[]).await.unwrap();
}

#[tokio::test]
async fn conditions_that_crash_do_not_suspend_their_language() {
    let bench = Bench::new();
    let language = bench.load(&Language::new().pack());
    for index in 0..2 * FAILURES {
        let ada = tenant(&format!("ada-{index}"));
        bench.evaluate(&language, &ada, &["x", "l"]).await;
        bench.compile(&language, "X").await.unwrap_err();
    }
    assert_eq!(bench.evaluate(&language, &tenant("bob"), &["t"]).await, [Ok(true)]);
}
