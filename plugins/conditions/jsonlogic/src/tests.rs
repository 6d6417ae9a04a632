//! Verdicts, refusals with their places, and where the engine is corrected.

mod refusals;
mod verdicts;

use exosphere_alerts_sdk::{Diagnostic, Language};

use crate::JsonLogic;

const EVENT_JSON: &[u8] = br#"{
    "specversion": "1.0", "id": "run-7:1", "source": "/v0/namespace/prod",
    "type": "workflow.failed", "subject": "graph/etl/run/7", "time": "2026-01-01T00:00:00Z",
    "data": {
        "graph_name": "etl", "errored_count": 4, "total_count": 10, "ratio": 0.5,
        "big": 9007199254740993, "name": "a \"quoted\" name", "tags": ["a", "b"],
        "none": null, "ok": true, "zero": 0, "empty": "", "bare": {}, "tasks": [{"n": 1}, {"n": 5}]
    }
}"#;

fn evaluate(rule: &str) -> Result<bool, String> {
    let program = JsonLogic::compile(rule).unwrap_or_else(|errors| panic!("{rule}: {errors:?}"));
    let event = JsonLogic::parse_event(EVENT_JSON).unwrap();
    program.evaluate(&event).map_err(|error| error.message)
}

fn diagnostics(rule: &str) -> Vec<Diagnostic> {
    JsonLogic::compile(rule).err().unwrap_or_else(|| panic!("{rule} compiles"))
}
