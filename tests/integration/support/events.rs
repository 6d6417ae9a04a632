//! Events as the platform posts them.

use serde_json::{Value, json};

/// A failed run; `id` is the emitter's.
pub(crate) fn failed(id: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "/v0/namespace/payments",
        "type": "workflow.failed",
        "subject": "graph/nightly-etl/run/5f0c1e1e-4b1e-4f5e-9a52-7a1d3b8f0c11",
        "time": "2026-01-31T02:12:34Z",
        "data": {
            "namespace": "payments",
            "graph_name": "nightly-etl",
            "run_id": "5f0c1e1e-4b1e-4f5e-9a52-7a1d3b8f0c11",
            "status": "FAILED",
            "created_at": "2026-01-31T02:00:00Z",
            "finished_at": "2026-01-31T02:12:34Z",
            "duration_ms": 754000,
            "success_count": 41,
            "pending_count": 0,
            "errored_count": 3,
            "retried_count": 2,
            "total_count": 46,
            "failed_state_id": "65a1b2c3d4e5f60718293a4b",
            "node_name": "load-warehouse",
            "identifier": "load",
            "error": "psycopg.OperationalError: password=hunter2",
        },
    })
}

/// The same with one top-level attribute replaced.
pub(crate) fn failed_with(id: &str, name: &str, value: Value) -> Value {
    let mut event = failed(id);
    event[name] = value;
    event
}
