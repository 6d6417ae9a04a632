//! Version 1 of the contract is frozen: what was built against 1.0.0 loads and
//! works whatever 1.x adds, and what was built against a later 1.x than the
//! host's is told so.

use std::sync::Arc;

use alerts_domain::exchange::{Step, Verdict};
use alerts_package::Kind;
use alerts_sandbox::{LoadError, Plugin};

use crate::bench::{Bench, tenant};
use crate::guest::{Language, Target, component_of, packed};

/// The contract of 1.0.0, to the letter. If a test here fails after a change to
/// `wit/`, then that change breaks every plugin that is out there.
const CONTRACT: &str = include_str!("contract-1.0.0.wit");

async fn delivers(bench: &Bench, plugin: &Arc<Plugin>) {
    assert_eq!(bench.next(plugin).await, Ok(Step::Done(Verdict::Delivered(None))));
}

async fn decides(bench: &Bench, plugin: &Arc<Plugin>) {
    assert_eq!(bench.evaluate(plugin, &tenant("ada"), &["t", "f"]).await, [Ok(true), Ok(false)]);
}

#[tokio::test]
async fn plugins_built_against_1_0_0_work() {
    let bench = Bench::new();
    let adapter = component_of(CONTRACT, "target", &Target::new().core());
    delivers(&bench, &bench.load(&packed(&adapter, Kind::Target, ""))).await;
    let language = component_of(CONTRACT, "condition", Language::new().core());
    decides(&bench, &bench.load(&packed(&language, Kind::Condition, ""))).await;
}

/// The contract as a later minor version may be: one interface more, which both
/// worlds export.
fn grown(version: &str) -> String {
    let mut wit = CONTRACT.replace("@1.0.0;", &format!("@{version};"));
    for world in ["export language;", "export adapter;"] {
        wit = wit.replace(world, &format!("{world}\n    export digest;"));
    }
    wit + "interface digest { due: func(now: u64) -> bool; }"
}

fn with_digest(core: &str, version: &str) -> String {
    let end = core.rfind(')').expect("the module ends");
    let digest = r#"(func (export "exosphere:alerts/digest@1.0.0#due") (param i64) (result i32)
        (i32.const 1)))"#;
    format!("{}{digest}", &core[..end]).replace("@1.0.0", &format!("@{version}"))
}

#[tokio::test]
async fn a_plugin_that_exports_more_than_the_host_knows_works() {
    let bench = Bench::new();
    // Also built against a later patch of the package: the interfaces that the
    // host knows are then exported under that version.
    for version in ["1.0.0", "1.0.9"] {
        let wit = grown(version);
        let core = with_digest(&Target::new().core(), version);
        let adapter = packed(&component_of(&wit, "target", &core), Kind::Target, "");
        delivers(&bench, &bench.load(&adapter)).await;
        let core = with_digest(Language::new().core(), version);
        let language = packed(&component_of(&wit, "condition", &core), Kind::Condition, "");
        decides(&bench, &bench.load(&language)).await;
    }
}

#[tokio::test]
async fn a_plugin_of_a_version_that_the_host_does_not_know_is_refused_with_both_versions() {
    let bench = Bench::new();
    // It may rely on what came with a later minor version, and would find out late.
    for version in ["1.1.0", "2.0.0", "0.9.0"] {
        let core = with_digest(&Target::new().core(), version);
        let adapter = packed(&component_of(&grown(version), "target", &core), Kind::Target, "");
        let error = bench.refused(&adapter).await;
        assert!(matches!(error, LoadError::Version { .. }), "{error}");
        let error = error.to_string();
        let exported = format!("exports `exosphere:alerts/adapter@{version}`");
        assert!(error.contains(&exported), "{error}");
        assert!(error.contains("speaks `exosphere:alerts/adapter@1.0.0`"), "{error}");
    }
}

#[tokio::test]
async fn a_record_that_grew_makes_another_contract() {
    // Which is why records have room for extensions, and 1.x adds interfaces only.
    let wit = CONTRACT.replace("attempt: u32,", "attempt: u32, priority: u8,");
    let adapter = component_of(&wit, "target", &Target::new().core());
    let error = Bench::new().refused(&packed(&adapter, Kind::Target, "")).await.to_string();
    assert!(error.contains("type mismatch") && error.contains("wit"), "{error}");
}
