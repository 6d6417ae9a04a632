//! The built-in plugins.

use std::path::{Path, PathBuf};

use alerts_author::check::Args;

use crate::{checked, checked_file};

fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dist")
}

#[test]
fn every_built_in_plugin_keeps_every_promise() {
    for name in ["cel", "http", "jsonlogic", "pagerduty", "slack"] {
        let (lines, score) = checked_file(&dist().join(format!("{name}.wasm")));
        assert_eq!(score.failed, 0, "{name}:\n{lines}");
        assert!(score.passed > 10, "{name}:\n{lines}");
        assert!(lines.ends_with(&format!("\n{} passed, 0 failed\n", score.passed)), "{lines}");
    }
}

#[test]
fn no_source_and_no_event_exhausts_a_built_in_condition_language() {
    for (name, source) in [
        ("cel", "event.data.status == 'FAILED' || event.data.name.matches('^a')"),
        ("jsonlogic", r#"{"==": [{"var": "event.data.status"}, "FAILED"]}"#),
    ] {
        let file = dist().join(format!("{name}.wasm"));
        let (lines, score) = checked(&Args { source: vec![source.to_owned()], ..Args::of(file) });
        assert_eq!(score.failed, 0, "{name}:\n{lines}");
        assert!(!lines.contains("ended by a limit"), "{name}:\n{lines}");
    }
}

#[test]
fn cases_that_do_not_hold_are_told_with_what_came_instead() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let cases = folder.path().join("cases.json");
    let case = |name: &str, condition: &str, expect: &str| {
        serde_json::json!({"suite": "numbers", "name": name, "condition": condition,
            "data": {"n": 4}, "expect": expect})
    };
    let file = serde_json::json!({
        "source": "a specification",
        "cases": [
            case("right", "event.data.n == 4", "holds"),
            case("wrong", "event.data.n == 5", "holds"),
            case("not", "event.data.n == 5", "does not hold"),
            case("refused", "1 + 'a' == 2", "fails"),
            case("failed", "event.data.missing == 2", "fails"),
            case("unfailing", "event.data.n == 4", "fails"),
            case("either", "1 + 'a' == 2", "holds or refused"),
        ],
        "left_out": {"nobody asks": 3},
    });
    std::fs::write(&cases, file.to_string()).expect("the file can be written");
    let plugin = dist().join("cel.wasm");
    let (lines, score) = checked(&Args { cases: Some(cases), ..Args::of(plugin) });
    assert_eq!(score.failed, 1, "{lines}");
    for line in [
        "note    cases of a specification",
        "FAILED  conformance: the cases of `numbers` hold",
        "        5 of 7 hold",
        "        wrong: `event.data.n == 5`: false",
        "        unfailing: `event.data.n == 4`: true",
        "note    3 left out: nobody asks",
    ] {
        assert!(lines.contains(&format!("{line}\n")), "{line} is not in\n{lines}");
    }
}
