//! What hostile calls take, the host has back when they are over.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use alerts_sandbox::{Limits, SandboxConfig};

use crate::bench::{Bench, config, tenant};
use crate::guest::{Language, Target, step};

/// What the process may keep of some hundred calls that took up to 64 MiB each:
/// pages that the pool wipes instead of giving back, and the allocator's own.
const KEPT_BYTES: usize = 8 << 20;

/// Runs a test of this file that is ignored otherwise in a process of its own:
/// the other tests allocate at the same time.
fn alone(test: &str) {
    let this = std::env::current_exe().expect("this program is somewhere");
    let test = format!("memory::{test}");
    let output = Command::new(this)
        .args(["--exact", &test, "--ignored", "--nocapture"])
        .output()
        .expect("this program starts again");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{complaint}");
}

#[test]
fn hundreds_of_hostile_calls_leave_no_memory_behind() {
    alone("measured_over_hostile_calls");
}

#[test]
fn a_plugin_that_is_dropped_takes_its_warm_instances_along() {
    alone("measured_over_a_plugins_life");
}

fn resident_bytes() -> usize {
    // proc(5): in what it calls kB, which is 1024 bytes.
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kib.expect("the resident set is told") << 10
}

#[tokio::test]
#[ignore = "measures its process; another test runs it in one of its own"]
async fn measured_over_hostile_calls() {
    let limits = Limits { output_bytes: 8 << 20, ..config().limits };
    let bench = Bench::with(SandboxConfig { limits, ..config() });
    let touches_all_memory = "(loop $on
        (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        (memory.fill (i32.const 65536) (i32.const 255)
          (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 65536)))
        unreachable";
    let large = "(memory (export \"memory\") 600)";
    let adapters = [
        Target::new().before_answering("(loop $on (br $on))"),
        Target::new().before_answering(touches_all_memory),
        Target::new().before_answering("(call $f)").with("(func $f (call $f) (call $f))"),
        Target::new()
            .before_answering(
                "(loop $on (br_if $on (i32.ne
                   (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
                 unreachable",
            )
            .with("(table $t 1 funcref)"),
        // Nearly as much as it may return, and much more.
        Target::new().memory(large).answering(|image| {
            let area = step::send(step::SEND, image, [1 << 20, 8_000_000]);
            image.words(&area)
        }),
        Target::new().memory(large).answering(|image| {
            let mut area = step::send(step::SEND, image, [0, 0]);
            (area[6], area[7]) = (1 << 20, 2_000_000);
            image.words(&area)
        }),
    ];
    let adapters = adapters.map(|adapter| bench.load(&adapter.pack()));
    let language = bench.load(&Language::new().pack());
    let refused = Target::new().with("(start $f) (func $f (loop $on (br $on)))").pack();

    let round = async |index: usize| {
        // Of an open circuit there would be no call.
        bench.serves().await;
        for adapter in &adapters {
            let _ = bench.next(adapter).await;
            let checked = bench.check(adapter, bytes::Bytes::from_static(b"{}")).await;
            assert_eq!(checked, Ok(Ok(())));
        }
        let tenant = tenant(&format!("tenant-{}", index % 20));
        bench.evaluate(&language, &tenant, &["k", "m", "x", "h", "t", "D"]).await;
        bench.sandbox.load(&refused).unwrap_err();
        drop(bench.load(&Target::new().pack()));
    };
    for index in 0..20 {
        round(index).await;
    }
    let before = resident_bytes();
    for index in 0..40 {
        round(index).await;
    }
    let after = resident_bytes();
    println!("{} KiB before, {} KiB after", before >> 10, after >> 10);
    assert!(after <= before + KEPT_BYTES, "{before} bytes before, {after} after");
}

#[tokio::test]
#[ignore = "measures its process; another test runs it in one of its own"]
async fn measured_over_a_plugins_life() {
    let bench = Bench::with(SandboxConfig { warm_growth_bytes: 32 << 20, ..config() });
    let language = bench.load(&Language::new().pack());
    let without = resident_bytes();
    for name in ["ada", "bob", "eve"] {
        assert_eq!(bench.evaluate(&language, &tenant(name), &["g"]).await, [Ok(true)]);
    }
    let with = resident_bytes();
    assert!(with >= without + (3 << 24), "{without} bytes without, {with} with");
    drop(language);
    // The sandbox's thread lets go of a plugin just after its answer was sent.
    let most = Instant::now() + Duration::from_secs(10);
    let mut after = resident_bytes();
    while after > without + KEPT_BYTES && Instant::now() < most {
        std::thread::yield_now();
        after = resident_bytes();
    }
    assert!(after <= without + KEPT_BYTES, "{without} bytes before, {after} after");
}
