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
