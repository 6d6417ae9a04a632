//! Mappings: what expressions make of an input, and what becomes of languages that misbehave
//! while they are asked.

use std::sync::Arc;

use alerts_package::Kind;
use alerts_sandbox::{CallError, Diagnostic, Plugin};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::bench::{Bench, FUEL, tenant};
use crate::guest::{Language, component_of_both, packed};

/// The mapping of a toy language: the first letter of the first expression says what it does.
///
///   j  an object          c  not JSON            z  no answer at all
///   e  an error           l  never ends          x  crashes
///
/// Checked, `w` has a diagnostic, `z` no answer at all, and every other letter nothing wrong.
const MAPPING: &str = r#"
  (data (i32.const 3000) "{\"a\":1}")
  (data (i32.const 3016) "not JSON")
  (data (i32.const 3032) "no such field")
  (func $first (param $list i32) (result i32) (i32.load8_u (i32.load (local.get $list))))
  (func $answer (param $case i32) (param $text i32) (param $len i32) (result i32)
    (i32.store (i32.const 3200) (local.get $case))
    (i32.store (i32.const 3204) (local.get $text))
    (i32.store (i32.const 3208) (local.get $len))
    (i32.store (i32.const 3100) (i32.const 3200))
    (i32.store (i32.const 3104) (i32.const 1))
    (i32.const 3100))
  (func (export "exosphere:alerts/mapping@1.1.0#evaluate")
    (param $list i32) (param $count i32) (param $input i32) (param $input_len i32) (result i32)
    (local $letter i32)
    (local.set $letter (call $first (local.get $list)))
    (if (i32.eq (local.get $letter) (i32.const 0x6c)) (then (loop $on (br $on))))
    (if (i32.eq (local.get $letter) (i32.const 0x78)) (then unreachable))
    (if (i32.eq (local.get $letter) (i32.const 0x63)) (then
      (return (call $answer (i32.const 0) (i32.const 3016) (i32.const 8)))))
    (if (i32.eq (local.get $letter) (i32.const 0x65)) (then
      (return (call $answer (i32.const 1) (i32.const 3032) (i32.const 13)))))
    (if (i32.eq (local.get $letter) (i32.const 0x7a)) (then
      (i64.store (i32.const 3100) (i64.const 0))
      (return (i32.const 3100))))
    (call $answer (i32.const 0) (i32.const 3000) (i32.const 7)))
  (func (export "exosphere:alerts/mapping@1.1.0#check")
    (param $list i32) (param $count i32) (param $names i32) (param $names_len i32) (result i32)
    (local $letter i32)
    (local.set $letter (call $first (local.get $list)))
    (i32.store (i32.const 3100) (i32.const 3200))
    (i32.store (i32.const 3104) (i32.ne (local.get $letter) (i32.const 0x7a)))
    (i32.store (i32.const 3200) (i32.const 3300))
    (i32.store (i32.const 3204) (i32.eq (local.get $letter) (i32.const 0x77)))
    (i32.store (i32.const 3300) (i32.const 3032))
    (i32.store (i32.const 3304) (i32.const 13))
    (i32.store (i32.const 3308) (i32.const 4))
    (i32.store (i32.const 3312) (i32.const 2))
    (i32.const 3100))"#;

fn toy(bench: &Bench) -> Arc<Plugin> {
    let language = Language::new().with(MAPPING);
    bench.load(&packed(&component_of_both(language.core()), Kind::Condition, ""))
}

async fn map(
    bench: &Bench,
    plugin: &Arc<Plugin>,
    expression: &str,
) -> Result<Vec<Result<Value, String>>, CallError> {
    let (expressions, input) = (vec![expression.to_owned()], Bytes::from_static(b"{}"));
    bench.sandbox.map(plugin, &tenant("ada"), expressions, input).await
}

async fn check(
    bench: &Bench,
    plugin: &Arc<Plugin>,
    expression: &str,
) -> Result<Vec<Vec<Diagnostic>>, CallError> {
    let expressions = vec![expression.to_owned()];
    bench.sandbox.check_mapping(plugin, &tenant("ada"), expressions, vec!["request".into()]).await
}

#[tokio::test]
async fn an_expression_makes_a_value_or_says_why_not_or_where_it_is_wrong() {
    let bench = Bench::new();
    let toy = toy(&bench);
    assert_eq!(map(&bench, &toy, "j").await, Ok(vec![Ok(json!({"a": 1}))]));
    assert_eq!(map(&bench, &toy, "e").await, Ok(vec![Err("no such field".into())]));
    assert_eq!(check(&bench, &toy, "j").await, Ok(vec![vec![]]));
    let wrong = Diagnostic { message: "no such field".into(), offset: 4, length: 2 };
    assert_eq!(check(&bench, &toy, "w").await, Ok(vec![vec![wrong]]));
}

#[tokio::test]
async fn what_the_contract_rules_out_is_an_error_that_says_so() {
    let bench = Bench::new();
    let toy = toy(&bench);
    let said = |error: CallError| match error {
        CallError::Contract { detail, .. } => detail,
        other => panic!("{other}"),
    };
    let none = said(map(&bench, &toy, "z").await.unwrap_err());
    assert!(none.contains("gave 0 answers for 1 expressions"), "{none}");
    let none = said(check(&bench, &toy, "z").await.unwrap_err());
    assert!(none.contains("gave 0 answers for 1 expressions"), "{none}");
    let broken = said(map(&bench, &toy, "c").await.unwrap_err());
    assert!(broken.contains("not JSON"), "{broken}");
}

#[tokio::test]
async fn a_hostile_expression_is_stopped_and_costs_nobody_the_language() {
    let bench = Bench::new();
    let toy = toy(&bench);
    // Often enough to open a circuit, were the plugin blamed for one tenant's expression.
    for _ in 0..20 {
        let error = map(&bench, &toy, "l").await.unwrap_err();
        assert!(matches!(error, CallError::OutOfFuel { fuel: FUEL, .. }), "{error}");
        let error = map(&bench, &toy, "x").await.unwrap_err();
        assert!(matches!(error, CallError::Trap { .. }), "{error}");
    }
    assert_eq!(toy.circuit(), None);
    assert_eq!(map(&bench, &toy, "j").await, Ok(vec![Ok(json!({"a": 1}))]));
    assert_eq!(bench.evaluate(&toy, &tenant("bob"), &["t"]).await, [Ok(true)]);
}

#[tokio::test]
async fn a_language_of_1_0_has_no_mappings_and_says_which_version_does() {
    let bench = Bench::new();
    let old = bench.load(&Language::new().pack());
    let error = map(&bench, &old, "j").await.unwrap_err().to_string();
    assert!(error.contains("does not export `exosphere:alerts/mapping@1.1.0`"), "{error}");
    assert_eq!(bench.evaluate(&old, &tenant("ada"), &["t"]).await, [Ok(true)]);
}
