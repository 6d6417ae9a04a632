//! The events that are posted: a failed run of about a KiB, each with its own id
//! and the moment of its posting as its time.

use jiff::Timestamp;

/// A CloudEvent as JSON text. `number` makes its id.
#[must_use]
pub fn failed_run(number: usize, event_type: &str) -> String {
    let (now, filler) = (Timestamp::now(), "x".repeat(300));
    format!(
        r#"{{"specversion":"1.0","id":"evt-{number:012}","source":"/v0/namespace/bench","type":"{event_type}","subject":"graph/nightly-etl/run/5f0c1e1e-4b1e-4f5e-9a52-{number:012}","time":"{now:.6}","datacontenttype":"application/json","data":{{"namespace":"bench","graph_name":"nightly-etl","run_id":"5f0c1e1e-4b1e-4f5e-9a52-{number:012}","status":"FAILED","created_at":"2026-01-01T00:00:00Z","finished_at":"2026-01-01T00:12:34Z","duration_ms":754000,"success_count":41,"pending_count":0,"errored_count":3,"retried_count":2,"total_count":46,"failed_state_id":"65a1b2c3d4e5f60718293a4b","node_name":"load-warehouse","identifier":"load","labels":{{"team":"data","tier":"gold","region":"eu-1"}},"note":"{filler}"}}}}"#
    )
}
