//! Compiling in a child process: what the child says is passed on, what becomes
//! of it is reported, and what it may use is bounded.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use alerts_domain::exchange::{Step, Verdict};
use alerts_package::Kind;
use alerts_sandbox::{Compiler, LoadError, SandboxConfig};

use crate::bench::{Bench, config, tenant};
use crate::guest::{Language, Target, packed};

/// A program that does nothing but call `compile_child_main`.
const CHILD: &str = env!("CARGO_BIN_EXE_compile-child");

fn child() -> Compiler {
    Compiler::Child { program: CHILD.into(), args: Vec::new() }
}

/// A child that does this instead of compiling.
fn shell(script: &str) -> Compiler {
    Compiler::Child { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] }
}

fn load_with(compiler: Compiler, wasm: &[u8]) -> LoadError {
    let sandbox = alerts_sandbox::Sandbox::new(SandboxConfig { compiler, ..config() })
        .expect("the sandbox starts");
    sandbox.load(wasm).expect_err("the file is refused")
}

#[tokio::test]
async fn what_the_child_compiles_runs_here() {
    let bench = Bench::with(SandboxConfig { compiler: child(), ..config() });
    let adapter = bench.load(&Target::new().pack());
    assert_eq!(bench.next(&adapter).await, Ok(Step::Done(Verdict::Delivered(None))));
    let language = bench.load(&Language::new().pack());
    assert_eq!(bench.evaluate(&language, &tenant("ada"), &["t", "f"]).await, [Ok(true), Ok(false)]);
}

#[test]
fn what_the_child_compiles_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let cache_dir = Some(dir.path().join("cache"));
    let wasm = Target::new().pack();
    let with = |compiler| {
        let config = SandboxConfig { compiler, cache_dir: cache_dir.clone(), ..config() };
        alerts_sandbox::Sandbox::new(config).unwrap()
    };
    with(child()).load(&wasm).unwrap();
    with(shell("exit 1")).load(&wasm).unwrap();
}

#[test]
fn a_file_that_does_not_compile_is_the_plugins_fault() {
    let broken = Target::new().with("(func (result i32) (i64.const 0))").pack();
    let error = load_with(child(), &broken);
    let LoadError::Compile { detail, .. } = &error else { panic!("{error}") };
    assert!(detail.contains("type mismatch"), "{detail}");
}

#[test]
fn a_child_that_comes_to_grief_is_not_the_plugins_fault() {
    let wasm = Target::new().pack();
    for (compiler, wanted) in [
        (shell("kill -KILL $$"), "signal: 9"),
        (shell("kill -SEGV $$"), "signal: 11"),
        (shell("echo out of memory >&2; exit 101"), "out of memory"),
        (shell("exit 0"), "gave code that does not load"),
        (shell("echo not code"), "gave code that does not load"),
        (shell("exec <&-; sleep 0; exit 7"), "exit status: 7"),
        (Compiler::Child { program: "/nonexistent".into(), args: Vec::new() }, "did not start"),
    ] {
        let error = load_with(compiler, &wasm);
        let LoadError::Compiler { detail, .. } = &error else { panic!("{wanted}: {error}") };
        assert!(detail.contains(wanted), "{wanted}: {detail}");
    }
}

/// A component of some thousand bytes that makes two instances of a component
/// that makes two instances, and so on: 2³⁰ at the end.
fn bomb() -> Vec<u8> {
    let mut text =
        "(component (component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for level in 1..=30 {
        text += &format!(
            "(component $c{level} (alias outer 1 $c{} (component $inner))
               (instance (instantiate $inner)) (instance (instantiate $inner)))",
            level - 1
        );
    }
    let component = wat::parse_str(text + "(instance (instantiate $c30)))").expect("it reads");
    packed(&component, Kind::Target, "")
}

#[test]
fn a_file_that_explodes_as_it_is_compiled_costs_the_child_and_nobody_else() {
    let wasm = bomb();
    assert!(wasm.len() < 5_000);
    // Less memory than the child would be content with, so that the test takes less too.
    let mut compiler = shell("ulimit -v 500000; exec \"$0\"");
    if let Compiler::Child { args, .. } = &mut compiler {
        args.push(CHILD.into());
    }
    let bench = Bench::with(SandboxConfig { compiler, ..config() });
    let error = bench.sandbox.load(&wasm).unwrap_err();
    let LoadError::Compiler { detail, .. } = &error else { panic!("{error}") };
    assert!(detail.contains("memory allocation"), "{detail}");
    // The next file compiles within the same bounds.
    bench.load(&Language::new().pack());
}

#[test]
fn a_child_that_talks_too_much_is_not_listened_to() {
    let error = load_with(shell("head -c 1000000 /dev/zero >&2; exit 3"), &Target::new().pack());
    assert!(matches!(error, LoadError::Compile { .. }), "{error}");
    assert!(error.to_string().len() < 6_000);
}

#[test]
fn the_child_sees_nothing_of_the_hosts_environment() {
    let error = load_with(shell("env >&2; exit 3"), &Target::new().pack());
    let LoadError::Compile { detail, .. } = &error else { panic!("{error}") };
    // What a shell sets by itself.
    let own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let names = detail.lines().filter_map(|line| line.split('=').next());
    assert!(names.clone().all(|name| own.contains(&name)), "{detail}");
    assert!(names.count() > 0, "something was printed");
}

#[test]
fn the_child_has_bounds_on_time_and_memory_before_it_reads_a_byte() {
    let mut child = Command::new(CHILD)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let path = format!("/proc/{}/limits", child.id());
    // The core file's limit is set last; by then it waits for its input.
    let most = Instant::now() + Duration::from_secs(20);
    let limits = loop {
        let limits = fs::read_to_string(&path).unwrap();
        if values(&limits, "Max core file size") == ["0", "0"] || Instant::now() > most {
            break limits;
        }
        std::thread::yield_now();
    };
    assert_eq!(values(&limits, "Max cpu time"), ["60", "60"], "{limits}");
    assert_eq!(values(&limits, "Max address space"), ["4294967296", "4294967296"], "{limits}");

    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(3), "an empty file is the plugin's fault");
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert!(complaint.contains("not a WebAssembly binary"), "{complaint}");
}

/// The soft and the hard limit of this name, as in proc(5).
fn values<'a>(limits: &'a str, name: &str) -> Vec<&'a str> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name));
    line.map(|values| values.split_whitespace().take(2).collect()).unwrap_or_default()
}
