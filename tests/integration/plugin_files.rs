//! Files that are no plugin, or not one of this host's: each is refused with what
//! is wrong with it, and the host goes on as before.

use alerts_package::{Kind, pack};
use serde_json::json;

use crate::guest::{Language, Target, component_of, manifest, packed};
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::plugins::{builtin, renamed};
use crate::support::receiver::Receiver;

const CONTRACT: &str = include_str!("../../host/sandbox/tests/behaviour/contract-1.0.0.wit");

/// A component with this text where its manifest should be, which no tool of
/// ours would write.
fn with_manifest(text: &str) -> Vec<u8> {
    let mut payload = vec![u8::try_from(alerts_package::MANIFEST_SECTION.len()).unwrap()];
    payload.extend_from_slice(alerts_package::MANIFEST_SECTION.as_bytes());
    payload.extend_from_slice(text.as_bytes());
    let mut wasm = Target::new().component();
    // A custom section, and its length in LEB128.
    wasm.push(0);
    let mut left = payload.len();
    while left >= 0x80 {
        wasm.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
        left >>= 7;
    }
    wasm.push(u8::try_from(left).unwrap());
    wasm.extend_from_slice(&payload);
    wasm
}

fn manifest_json(more: &str) -> String {
    format!(r#"{{"id":"mine","kind":"target","version":"1.0.0","summary":"x"{more}}}"#)
}

#[tokio::test]
async fn what_can_be_seen_in_the_file_is_told_at_once() {
    let host = TestHost::start().await;
    let whole = renamed("mine", "1.0.0");
    // Code that some host's compiler has made: the built-in plugins' own, here.
    let cache = std::env::current_exe().unwrap().with_file_name("test-plugin-cache");
    let files = std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    let compiled = files.filter(|path| path.is_file()).find_map(|path| std::fs::read(path).ok());
    let compiled = compiled.expect("the host has compiled its plugins");
    for (wasm, words) in [
        (b"hello".to_vec(), "not a WebAssembly binary"),
        (Vec::new(), "not a WebAssembly binary"),
        (b"(component)".to_vec(), "text form and precompiled files are not accepted"),
        (compiled, "text form and precompiled files are not accepted"),
        (wat::parse_str("(module)").unwrap(), "this is a core WebAssembly module"),
        (whole[..whole.len() / 2].to_vec(), "truncated or malformed"),
        (Target::new().component(), "has no `exosphere:manifest` section"),
        (with_manifest("no JSON"), "the manifest is not valid"),
        (with_manifest(r#"{"id":"mine"}"#), "missing field `kind`"),
        (with_manifest(&manifest_json(r#","colour":"red""#)), "unknown field `colour`"),
        (with_manifest(&manifest_json(r#","settings":{"type":"array"}"#)), "`settings` must be"),
        (
            with_manifest(&manifest_json(
                r#","settings":{"type":"object","properties":{"a":{"type":7}}}"#,
            )),
            "must be a valid JSON Schema; at `/properties/a/type`",
        ),
        (
            with_manifest(&manifest_json(
                r#","settings":{"type":"object","properties":{"a":{"$ref":"https://a.example/s"}}}"#,
            )),
            "at `/properties/a/$ref`: `$ref` is not taken here",
        ),
        (
            with_manifest(&manifest_json(
                r#","settings":{"type":"object","properties":{"a":{"pattern":"(a)\\1"}}}"#,
            )),
            "at `/properties/a/pattern`",
        ),
    ] {
        let answer = host.api.upload("", wasm).await;
        let text = answer.text();
        answer.problem(400);
        assert!(text.contains(words), "{words}: {text}");
    }
    let large = host.api.upload("", vec![0; (32 << 20) + 1]).await;
    let text = large.text();
    large.problem(413);
    assert!(text.contains("at most 33554432 bytes"), "{text}");
    assert_eq!(host.api.get("/v1/plugins/mine").await.status, 404);
}

#[tokio::test]
async fn what_only_its_code_shows_is_told_on_the_plugin_and_the_last_good_one_goes_on() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let good = host.api.install(renamed("guest", "1.0.0")).await;
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({"target": "guest"})).await;
    host.api.rule(&endpoint, json!({})).await;
    let version_2 = component_of(
        &CONTRACT.replace("@1.0.0;", "@2.0.0;"),
        "target",
        &Target::new().core().replace("@1.0.0", "@2.0.0"),
    );
    let wasi = r#"(component (import "wasi:clocks/monotonic-clock@0.2.0"
        (instance (export "now" (func (result u64))))))"#;
    let wasi = wat::parse_str(wasi).unwrap();
    let cases = [
        (
            packed(&Language::new().component(), Kind::Target, ""),
            "says it is a target but does not",
        ),
        (
            packed(&Target::new().component(), Kind::Condition, ""),
            "does not export `exosphere:alerts/language@1.0.0`",
        ),
        (
            packed(&version_2, Kind::Target, ""),
            "exports `exosphere:alerts/adapter@2.0.0`, and this host speaks",
        ),
        (
            pack(&wasi, &manifest(Kind::Target, "")).unwrap(),
            "imports `wasi:clocks/monotonic-clock@0.2.0`, but plugins get nothing from the host",
        ),
        (Target::new().check("unreachable").pack(), "the first call of the plugin failed"),
        (
            Target::new().memory("(memory (export \"memory\") 1600)").pack(),
            "grant more `memory_bytes` by `PUT /v1/plugins/guest/limits`",
        ),
    ];
    for (number, (wasm, words)) in cases.into_iter().enumerate() {
        host.api.upload("?replace=true", wasm).await.expect(202);
        let refused = host.api.plugin_with("guest", "refused").await;
        assert!(refused["reason"].as_str().unwrap().contains(words), "{words}: {refused}");
        assert_ne!(refused["digest"], good["digest"]);
        host.api.event(failed(&format!("evt-{number}"))).await;
        receiver.wait_for(number + 1).await;
    }
    let deliveries = eventually("all are written down", async || {
        let deliveries = host.api.deliveries().await;
        deliveries.iter().all(|d| d["status"] == "delivered").then_some(deliveries)
    })
    .await;
    for delivery in deliveries {
        let id = delivery["id"].as_str().unwrap();
        let shown = host.api.get(&format!("/v1/deliveries/{id}")).await.expect(200);
        assert_eq!(shown["attempts"][0]["plugin_digest"], good["digest"]);
    }
}

#[tokio::test]
async fn settings_and_secrets_that_an_adapter_does_not_take_are_pointed_to() {
    let host = TestHost::start().await;
    let picky = Target::new().id("picky").checking(|image| {
        let problem = [image.bytes(b"/channel"), image.bytes(b"is not a channel of ours")];
        let problems = image.words(problem.as_flattened());
        image.words(&[1, problems, 1])
    });
    host.api.install(picky.pack()).await;
    let url = "https://example.com/";
    for (more, pointers, words) in [
        (
            json!({"target": "http", "settings": {"method": "GET"}}),
            vec!["/settings/method"],
            "POST",
        ),
        (
            json!({"target": "http", "settings": {"x": 1, "method": 7}}),
            vec!["/settings", "/settings/method"],
            "x",
        ),
        (json!({"target": "picky"}), vec!["/settings/channel"], "is not a channel of ours"),
        (
            json!({"target": "pagerduty"}),
            vec!["/secrets/routing_key"],
            "target `pagerduty` needs it",
        ),
        (
            json!({"target": "http", "settings": {"query": {"q": "x".repeat(40_000)}}}),
            vec!["/settings"],
            "at most 32768 bytes",
        ),
    ] {
        let mut body = json!({"name": "x", "target_url": url});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = host.api.post("/v1/webhooks", body).await;
        let text = answer.text();
        let mut told = answer.problem(400);
        told.sort();
        assert_eq!(told, pointers, "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn an_id_that_another_file_has_is_taken_only_with_replace() {
    let host = TestHost::start().await;
    host.api.install(renamed("mine", "1.0.0")).await;
    for wasm in [renamed("mine", "1.0.1"), renamed("http", "9.0.0")] {
        let answer = host.api.upload("", wasm).await;
        let text = answer.text();
        answer.problem(409);
        assert!(text.contains("add `?replace=true` to replace it"), "{text}");
    }
    // The same file again is no other one.
    host.api.upload("", renamed("mine", "1.0.0")).await.expect(202);
    host.api.upload("", builtin("http")).await.expect(202);
}
