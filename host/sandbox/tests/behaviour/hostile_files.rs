//! Files that must not become plugins: each is refused with the one error that
//! says why, before its code is called on anyone's behalf.

use alerts_package::{Kind, MANIFEST_SECTION, ManifestError};
use alerts_sandbox::{CallError, CallLimits, Limits, LoadError, SandboxConfig};

use crate::bench::{AMPLE_FUEL, Bench, FUEL, config};
use crate::guest::{Language, Target, component_of, manifest, packed};

#[tokio::test]
async fn what_is_no_component_says_what_it_is() {
    let bench = Bench::new();
    let component = Target::new().component();
    let module = wat::parse_str(Target::new().core()).unwrap();
    let text = wat::parse_str("(component)").map(|_| b"(component)".to_vec()).unwrap();
    let precompiled = wasmtime::Engine::default().precompile_component(&component).unwrap();

    assert!(matches!(bench.refused(&module).await, LoadError::Manifest(ManifestError::CoreModule)));
    for other in [text, precompiled, Vec::new(), b"\0as".to_vec(), b"#!/bin/sh\n".to_vec()] {
        let error = bench.refused(&other).await;
        assert!(matches!(error, LoadError::Manifest(ManifestError::NotWasm)), "{error}");
    }
}

#[tokio::test]
async fn a_file_cut_short_anywhere_is_refused() {
    let bench = Bench::new();
    let whole = Target::new().pack();
    for end in (0..whole.len()).step_by(29).chain([whole.len() - 1]) {
        let error = bench.sandbox.load(&whole[..end]).unwrap_err();
        assert!(matches!(error, LoadError::Manifest(_)), "cut at {end}: {error}");
    }
    bench.serves().await;
}

#[tokio::test]
async fn a_file_with_any_byte_changed_never_brings_the_host_down() {
    let bench = Bench::new();
    let whole = Target::new().pack();
    for at in (8..whole.len()).step_by(37) {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        // It may load: a byte of a text or of a name that nobody reads.
        if let Ok(plugin) = bench.sandbox.load(&changed) {
            let _ = bench.next(&plugin).await;
        }
    }
    bench.serves().await;
}

#[tokio::test]
async fn a_file_over_the_size_cap_is_not_even_looked_at() {
    let bench = Bench::with(SandboxConfig { wasm_bytes: 20_000, ..config() });
    let error = bench.refused(&[0; 20_001]).await;
    assert!(matches!(error, LoadError::TooLarge { bytes: 20_001, limit_bytes: 20_000 }), "{error}");
}

/// A component with this manifest section, as nothing of ours would write it.
fn with_section(component: &[u8], json: &[u8]) -> Vec<u8> {
    let leb = |mut value: usize| {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(0x80 | (value & 0x7f) as u8);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    };
    let name = MANIFEST_SECTION.as_bytes();
    let content = [&leb(name.len())[..], name, json].concat();
    [component, &[0], &leb(content.len()), &content].concat()
}

#[tokio::test]
async fn a_manifest_that_is_missing_repeated_or_broken_is_told_apart() {
    let bench = Bench::new();
    let component = Target::new().component();
    let json = manifest(Kind::Target, "").to_json().unwrap();

    let error = bench.refused(&component).await;
    assert!(matches!(error, LoadError::Manifest(ManifestError::Missing)), "{error}");
    let error = bench.refused(&with_section(&Target::new().pack(), &json)).await;
    assert!(matches!(error, LoadError::Manifest(ManifestError::Repeated)), "{error}");

    let field = |more: &str| {
        format!(
            r#"{{"id":"guest","kind":"target","version":"1.0.0","summary":"Made for a test.",{more}}}"#
        )
    };
    for (json, problem) in [
        ("".to_owned(), "EOF"),
        ("{".to_owned(), "EOF"),
        ("[]".to_owned(), "invalid length"),
        (r#"{"id":"guest"}"#.to_owned(), "missing field `kind`"),
        (field(r#""id":"other""#), "duplicate field `id`"),
        (field(r#""authority":"all""#), "unknown field `authority`"),
        (field(r#""settings":true"#), "expected a map"),
        (field(r#""settings":{"type":"array"}"#), "`settings` must be a JSON Schema"),
        (field(r#""settings":{"type":"object","properties":{"a":{"type":7}}}"#), "`settings`"),
        (field(r#""settings":{"type":"object","$ref":"https://example.com/s"}"#), "`settings`"),
        (field(r#""hosts":["*"]"#), "`hosts[0]` must be"),
        (field(r#""limits":{"fuel":0}"#), "`limits.fuel` must be above zero"),
        (field(r#""limits":{"fuel":-1}"#), "invalid value"),
        (field(r#""limits":{"threads":8}"#), "unknown field `threads`"),
        (
            field(&format!(r#""settings":{{"type":"object","title":"{}"}}"#, "x".repeat(70_000))),
            "at most 65536",
        ),
        (
            field(&format!(
                r#""settings":{{"type":"object","default":{}{}}}"#,
                "[".repeat(30_000),
                "]".repeat(30_000)
            )),
            "recursion limit",
        ),
    ] {
        let error = bench.refused(&with_section(&component, json.as_bytes())).await;
        assert!(
            matches!(error, LoadError::Manifest(ManifestError::Invalid(_)))
                && error.to_string().contains(problem),
            "{problem}: {error}"
        );
    }
}

#[tokio::test]
async fn a_manifest_that_lies_about_the_kind_is_found_out() {
    let bench = Bench::new();
    for (component, kind, interface, has) in [
        (Target::new().component(), Kind::Condition, "language@1.0.0", "adapter@1.0.0"),
        (Language::new().component(), Kind::Target, "adapter@1.0.0", "language@1.0.0"),
        (wat::parse_str("(component)").unwrap(), Kind::Target, "adapter@1.0.0", "exports nothing"),
    ] {
        let error = bench.refused(&packed(&component, kind, "")).await;
        let LoadError::World { kind: said, interface: missing, exports, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((*said, missing.contains(interface)), (kind, true), "{missing}");
        assert!(error.to_string().contains(has), "{exports}: {error}");
    }
}

#[tokio::test]
async fn an_interface_of_the_right_name_and_other_types_is_refused() {
    let wit = "package exosphere:alerts@1.0.0;
        interface adapter {
            check: func(settings: list<u8>) -> bool;
            next: func(delivery: string) -> string;
        }
        world target { export adapter; }";
    let core = r#"(module
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
        (func (export "exosphere:alerts/adapter@1.0.0#check") (param i32 i32) (result i32)
          (i32.const 0))
        (func (export "exosphere:alerts/adapter@1.0.0#next") (param i32 i32) (result i32)
          (i32.const 0)))"#;
    let wasm = packed(&component_of(wit, "target", core), Kind::Target, "");
    let error = Bench::new().refused(&wasm).await;
    assert!(matches!(error, LoadError::World { kind: Kind::Target, .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("type mismatch"), "{message}");
}

#[tokio::test]
async fn an_interface_that_a_later_contract_may_have_is_refused_by_name() {
    let wit = "package exosphere:alerts@1.4.0;
        interface weather { ask: func() -> u32; }
        world target { export weather; }";
    let core = r#"(module
        (memory (export "memory") 1)
        (func (export "exosphere:alerts/weather@1.4.0#ask") (result i32) (i32.const 0)))"#;
    let wasm = packed(&component_of(wit, "target", core), Kind::Target, "");
    let error = Bench::new().refused(&wasm).await;
    assert!(matches!(error, LoadError::Version { .. }), "{error}");
    assert!(error.to_string().contains("`exosphere:alerts/weather@1.4.0`"), "{error}");
}

#[tokio::test]
async fn whatever_a_plugin_imports_it_is_refused_for_it() {
    let bench = Bench::new();
    for (import, name) in [
        (
            r#"(import "wasi:clocks/monotonic-clock@0.2.0"
                 (instance (export "now" (func (result u64)))))"#,
            "`wasi:clocks/monotonic-clock@0.2.0`",
        ),
        (
            r#"(import "wasi:filesystem/preopens@0.2.6" (instance
                 (export "descriptor" (type $d (sub resource)))
                 (export "get-directories" (func (result (list (own $d)))))))"#,
            "`wasi:filesystem/preopens@0.2.6`",
        ),
        (r#"(import "log" (func (param "text" string)))"#, "`log`"),
        (
            r#"(import "exosphere:alerts/host@1.0.0"
                 (instance (export "secret" (func (param "name" string) (result string)))))"#,
            "`exosphere:alerts/host@1.0.0`",
        ),
        (r#"(import "code" (core module))"#, "`code`"),
    ] {
        let component = wat::parse_str(format!("(component {import})")).unwrap();
        let error = bench.refused(&packed(&component, Kind::Target, "")).await;
        let LoadError::Imports { imports, .. } = &error else { panic!("{import}: {error}") };
        assert_eq!(imports, name);
        assert!(error.to_string().contains("build it without WASI"), "{error}");
    }
}

#[tokio::test]
async fn a_working_adapter_that_also_imports_is_refused() {
    let wit = "package exosphere:alerts@1.0.0;
        interface clock { now: func() -> u64; }
        interface adapter { check: func() -> bool; }
        world target { import clock; export adapter; }";
    let core = r#"(module
        (import "exosphere:alerts/clock@1.0.0" "now" (func $now (result i64)))
        (memory (export "memory") 1)
        (func (export "exosphere:alerts/adapter@1.0.0#check") (result i32)
          (i32.wrap_i64 (call $now))))"#;
    let wasm = packed(&component_of(wit, "target", core), Kind::Target, "");
    let error = Bench::new().refused(&wasm).await;
    let LoadError::Imports { imports, .. } = &error else { panic!("{error}") };
    assert_eq!(imports, "`exosphere:alerts/clock@1.0.0`");
}

#[tokio::test]
async fn a_start_function_is_held_to_the_limits_of_a_call() {
    let bench = Bench::new();
    let starts = |code: &str| format!("(func $begin (local $i i32) {code}) (start $begin)");
    let fuel = "(loop $on (br $on))";
    for wasm in
        [Target::new().with(&starts(fuel)).pack(), Language::new().with(&starts(fuel)).pack()]
    {
        let error = bench.refused(&wasm).await;
        assert!(
            matches!(error, LoadError::FirstCall(CallError::OutOfFuel { fuel: FUEL, .. })),
            "{error}"
        );
    }
    let error = bench.refused(&Target::new().with(&starts("unreachable")).pack()).await;
    assert!(matches!(error, LoadError::FirstCall(CallError::Trap { .. })), "{error}");
    let grows = "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        unreachable";
    let error = bench.refused(&Target::new().with(&starts(grows)).pack()).await;
    assert!(matches!(error, LoadError::FirstCall(CallError::Memory { .. })), "{error}");

    let short = CallLimits { fuel: AMPLE_FUEL, deadline_ms: 150 };
    let limits = Limits { target: short, compile: short, ..config().limits };
    let bench = Bench::with(SandboxConfig { limits, ..config() });
    for wasm in
        [Target::new().with(&starts(fuel)).pack(), Language::new().with(&starts(fuel)).pack()]
    {
        let error = bench.refused(&wasm).await;
        assert!(
            matches!(error, LoadError::FirstCall(CallError::Deadline { deadline_ms: 150, .. })),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_first_call_that_fails_keeps_the_plugin_out() {
    let bench = Bench::new();
    let error = bench.refused(&Target::new().check("unreachable").pack()).await;
    assert!(matches!(error, LoadError::FirstCall(CallError::Trap { .. })), "{error}");
    assert!(error.to_string().starts_with("the first call of the plugin failed"), "{error}");
    // Problems are an answer like any other.
    let picky = Target::new().checking(|image| {
        let problem = [image.bytes(b"/channel"), image.bytes(b"is missing")];
        let problems = image.words(problem.as_flattened());
        image.words(&[1, problems, 1])
    });
    bench.load(&picky.pack());
}

/// What it needs, and is granted.
async fn too_much(bench: &Bench, wasm: &[u8]) -> (&'static str, u64, u64) {
    match bench.refused(wasm).await {
        LoadError::Resources { what, needs, granted, .. } => (what, needs, granted),
        other => panic!("expected a lack of resources: {other}"),
    }
}

#[tokio::test]
async fn an_instance_that_would_not_fit_is_refused_before_it_is_made() {
    let bench = Bench::new();
    let Limits { memory_bytes, table_elements, memories, tables, core_instances, .. } =
        Limits::default();
    let granted_pages = memory_bytes as u64 >> 16;

    let memory = Target::new().memory("(memory (export \"memory\") 1025)").pack();
    let needs = (granted_pages + 1) << 16;
    assert_eq!(too_much(&bench, &memory).await, ("bytes of memory", needs, memory_bytes as u64));
    let whole = Target::new().memory("(memory (export \"memory\") 65536)").pack();
    assert_eq!(too_much(&bench, &whole).await, ("bytes of memory", 1 << 32, memory_bytes as u64));
    let asked = Target::new().manifest("limits.memory_bytes = 100000").pack();
    assert_eq!(too_much(&bench, &asked).await, ("bytes of memory", 2 << 16, 100_000));

    let table = Target::new().with("(table 20001 funcref)").pack();
    assert_eq!(too_much(&bench, &table).await, ("table elements", 20_001, table_elements as u64));
    let table = Target::new().with("(table 4294967295 funcref)").pack();
    assert_eq!(
        too_much(&bench, &table).await,
        ("table elements", u64::from(u32::MAX), table_elements as u64)
    );

    let several = Target::new().with(&"(memory 1)".repeat(memories as usize)).pack();
    let needs = u64::from(memories) + 1;
    assert_eq!(too_much(&bench, &several).await, ("memories", needs, memories.into()));
    let several = Target::new().with(&"(table 1 funcref)".repeat(tables as usize + 1)).pack();
    let needs = u64::from(tables) + 1;
    assert_eq!(too_much(&bench, &several).await, ("tables", needs, tables.into()));

    let instances = "(core instance (instantiate $empty))".repeat(core_instances as usize + 1);
    let many = wat::parse_str(format!("(component (core module $empty) {instances})")).unwrap();
    let error = bench.refused(&packed(&many, Kind::Target, "")).await;
    assert!(
        matches!(&error, LoadError::Unfit { detail, .. } if detail.contains("49 core module instances")),
        "{error}"
    );
}

#[tokio::test]
async fn memories_that_fit_alone_and_not_together_are_refused() {
    let two = Target::new().memory("(memory (export \"memory\") 600)").with("(memory 600)");
    let error = Bench::new().refused(&two.pack()).await;
    assert!(matches!(error, LoadError::FirstCall(CallError::Memory { .. })), "{error}");
}

#[tokio::test]
async fn data_that_does_not_fit_its_memory_fails_the_first_call() {
    let error =
        Bench::new().refused(&Target::new().with("(data (i32.const 131072) \"x\")").pack()).await;
    assert!(matches!(error, LoadError::FirstCall(CallError::Trap { .. })), "{error}");
}

#[tokio::test]
async fn webassembly_that_is_not_accepted_does_not_compile() {
    let bench = Bench::new();
    for (fields, feature) in [
        ("(memory $shared 1 1 shared)", "threads"),
        ("(func (drop (i32.atomic.load (i32.const 0))))", "threads"),
        ("(memory $large i64 1)", "memory64"),
        ("(table i64 1 funcref)", "memory64"),
        (
            "(func (param v128) (result v128)
               (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))",
            "relaxed SIMD",
        ),
        ("(type $s (struct (field i32))) (func (drop (struct.new_default $s)))", "gc"),
        ("(func (param i32) (drop (ref.i31 (local.get 0))))", "gc"),
        ("(tag $t) (func (throw $t))", "exceptions"),
        ("(memory $bytes 1 (pagesize 1))", "custom page sizes"),
        (
            "(func (result i64 i64) (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))",
            "wide arithmetic",
        ),
        ("(type $f (func)) (type $c (cont $f)) (func (param (ref $c)))", "stack switching"),
        // Not WebAssembly at all.
        ("(func (result i32) (i64.const 0))", "an ill-typed function"),
        ("(func (call 999))", "a function that is not there"),
    ] {
        let error = bench.sandbox.load(&Target::new().with(fields).pack());
        assert!(matches!(error, Err(LoadError::Compile { .. })), "{feature}: {error:?}");
    }
    // What ordinary toolchains make today goes through.
    let ordinary = "(memory $second 1)
        (func (param v128) (result v128) (i32x4.add (local.get 0) (local.get 0)))
        (func (param i32) (result i32 i32)
          (i32.extend8_s (local.get 0)) (i32.trunc_sat_f32_s (f32.const 1)))
        (func $tail (return_call $tail))";
    bench.load(&Target::new().with(ordinary).pack());
}

#[tokio::test]
async fn functions_of_the_component_model_that_wait_are_refused() {
    let bench = Bench::new();
    for text in [
        r#"(component (core func (canon task.cancel)))"#,
        r#"(component (core func (canon backpressure.inc)))"#,
        r#"(component (type (future u8)))"#,
        r#"(component (type (stream u8)))"#,
    ] {
        let component = wat::parse_str(text).unwrap();
        let error = bench.refused(&packed(&component, Kind::Target, "")).await;
        assert!(matches!(error, LoadError::Compile { .. }), "{text}: {error}");
    }
}
