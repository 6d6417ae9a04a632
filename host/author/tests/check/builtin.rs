//! The built-in plugins.

use std::path::{Path, PathBuf};

use crate::checked_file;

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
