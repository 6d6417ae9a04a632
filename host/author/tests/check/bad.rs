//! Components that break a promise, each in its own way, written by hand.

use std::path::Path;

use alerts_author::check::{Args, Score};
use alerts_package::{Manifest, pack};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::{checked, checked_file};

/// A target whose `check` takes everything and whose `next` is this body. The
/// answer is a step at address 1024, in the canonical ABI's layout.
fn target(next: &str, data: &str) -> Vec<u8> {
    let wat = include_str!("target.wat").replace(";;NEXT", next).replace(";;DATA", data);
    let mut module = wat::parse_str(wat).expect("the module reads");
    let mut wit = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = wit.push_dir(folder).expect("the contract reads");
    let world = wit.select_world(&[package], Some("target")).expect("the world exists");
    embed_component_metadata(&mut module, &wit, world, StringEncoding::UTF8, false)
        .expect("the metadata encodes");
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).expect("the module fits the world");
    encoder.encode().expect("the component encodes")
}

fn packed(component: &[u8], manifest: &str) -> Vec<u8> {
    let manifest = Manifest::from_toml(manifest).expect("the manifest reads");
    pack(component, &manifest).expect("the component packs")
}

const MANIFEST: &str = "id = 'bad'\nkind = 'target'\nversion = '1.0.0'\nsummary = 'Bad.'\n";

fn check(plugin: &[u8]) -> (String, Score) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("bad.wasm");
    std::fs::write(&file, plugin).expect("the file can be written");
    checked_file(&file)
}

/// Whether the promise that begins so was broken, for this reason.
#[track_caller]
fn assert_broken(lines: &str, promise: &str, reason: &str) {
    let mut rest =
        lines.lines().skip_while(|line| !line.starts_with(&format!("FAILED  {promise}")));
    assert!(rest.next().is_some(), "`{promise}` is not among what failed:\n{lines}");
    let why: Vec<_> = rest.take_while(|line| line.starts_with("        ")).collect();
    assert!(why.iter().any(|line| line.contains(reason)), "not because of `{reason}`:\n{why:?}");
}

#[test]
fn a_file_that_is_no_plugin_is_told_so() {
    let (lines, score) = check(b"not wasm");
    assert_eq!(score, Score { passed: 0, failed: 1 });
    assert_broken(&lines, "the file is a component", "not a WebAssembly binary");

    let (lines, _) = check(&wat::parse_str("(module)").expect("the component reads"));
    assert_broken(&lines, "the file is a component", "plugin pack");
}

#[test]
fn a_component_that_wants_something_from_the_host_is_not_admitted() {
    let component =
        wat::parse_str(r#"(component (import "wasi:cli/run@0.2.0" (func)))"#).expect("it reads");
    let (lines, _) = check(&packed(&component, MANIFEST));
    assert_broken(&lines, "the sandbox admits it", "wasi:cli/run@0.2.0");
}

#[test]
fn a_component_of_another_world_is_not_admitted() {
    let component = wat::parse_str("(component)").expect("the component reads");
    let (lines, _) = check(&packed(&component, MANIFEST));
    assert_broken(&lines, "the sandbox admits it", "does not export");
}

#[test]
fn a_target_that_crashes_is_found_out() {
    let (lines, score) = check(&packed(&target("unreachable", ""), MANIFEST));
    assert!(score.failed > 10, "{lines}");
    assert_broken(&lines, "the first step is a request", "unreachable");
}

#[test]
fn a_target_that_says_delivered_to_everything_is_found_out() {
    // done(delivered(none))
    let next = "(i32.store8 (i32.const 1024) (i32.const 2)) (i32.const 1024)";
    let (lines, _) = check(&packed(&target(next, ""), MANIFEST));
    assert_broken(&lines, "the first step is a request", "not sent");
    assert_broken(&lines, "answered 500", "the alert would be lost");
    assert_broken(&lines, "no answer: timed out", "answer retry");
}

#[test]
fn a_target_that_never_finishes_is_found_out() {
    let (lines, _) = check(&packed(&target(&send(0), URLS), MANIFEST));
    assert_broken(&lines, "answered 200", "more than 8 requests in one attempt");
}

#[test]
fn a_target_that_sends_elsewhere_is_found_out() {
    let elsewhere = URLS.replace("https://target.example/", "https://attack.example/");
    let (lines, _) = check(&packed(&target(&send(1), &elsewhere), MANIFEST));
    assert_broken(&lines, "the first step is a request", "attack.example");
}

#[test]
fn a_required_secret_that_is_not_used_is_found_out() {
    let manifest =
        format!("{MANIFEST}[[secrets]]\nname = 'token'\nsummary = 'The token.'\nrequired = true\n");
    let (lines, _) = check(&packed(&target(&send(1), URLS), &manifest));
    assert_broken(&lines, "secrets are where", "no request has its reference");
    assert_broken(&lines, "the tenant's own headers", "in no request");
}

#[test]
fn settings_that_the_schema_refuses_are_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (plugin, settings) = (folder.path().join("p.wasm"), folder.path().join("s.json"));
    std::fs::write(&plugin, packed(&target(&send(1), URLS), MANIFEST))
        .expect("the file can be written");
    std::fs::write(&settings, r#"{"unknown": 1}"#).expect("the file can be written");
    let args = Args { settings: Some(settings), ..Args::of(plugin) };
    let (lines, _) = checked(&args);
    assert_broken(&lines, "the settings schema takes", "unknown");
}

/// A method and a URL, for [`send`].
const URLS: &str =
    r#"(data (i32.const 2048) "POST") (data (i32.const 2064) "https://target.example/")"#;

/// send (0) or send-last (1) of that request, without headers and body.
fn send(case: u32) -> String {
    let words = [
        // method, url, headers, body
        (1032, 2048),
        (1036, 4),
        (1040, 2064),
        (1044, 23),
    ];
    let mut body = format!("(i32.store8 (i32.const 1024) (i32.const {case}))");
    for (at, value) in words {
        body.push_str(&format!("(i32.store (i32.const {at}) (i32.const {value}))"));
    }
    body + "(i32.const 1024)"
}
