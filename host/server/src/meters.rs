//! Figures for Prometheus: the recorder of this process, and what this floor
//! itself counts. What the engine and the store count comes out here too.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Bounds of the request times, in seconds: from an event accepted in memory
/// to a test alert that waits for its target.
const REQUEST_SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 15.0];

/// Bounds of the writes that share a commit; the store takes up to 256.
const COMMIT_OPERATIONS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Bounds of plugins' times, in seconds: from a warm condition to a deadline that
/// an operator has raised.
const PLUGIN_SECONDS: [f64; 10] =
    [0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.025, 0.1, 0.5, 5.0];

/// The process's recorder. `None` where some other program that links this
/// library has installed its own.
pub(crate) fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let commits = Matcher::Full("alerts_commit_operations".to_owned());
        let built = PrometheusBuilder::new().set_buckets(&REQUEST_SECONDS);
        let plugins = Matcher::Full("alerts_plugin_call_seconds".to_owned());
        built
            .and_then(|builder| builder.set_buckets_for_metric(commits, &COMMIT_OPERATIONS))
            .and_then(|builder| builder.set_buckets_for_metric(plugins, &PLUGIN_SECONDS))
            .and_then(PrometheusBuilder::install_recorder)
            .ok()
    };
    HANDLE.get_or_init(install).as_ref()
}

/// What is counted of each answer. Handles, so that counting is an addition and
/// not a lookup by name.
#[derive(Debug)]
pub(crate) struct Meters {
    by_class: [Counter; 5],
    seconds: Histogram,
}

impl Meters {
    /// Registers them; after [`recorder`].
    pub(crate) fn new() -> Self {
        metrics::describe_counter!(
            "alerts_http_responses_total",
            "Answers of the API, by the first digit of their status."
        );
        metrics::describe_histogram!(
            "alerts_http_request_seconds",
            "From a request's head to its answer."
        );
        let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        Self {
            by_class: classes
                .map(|class| metrics::counter!("alerts_http_responses_total", "class" => class)),
            seconds: metrics::histogram!("alerts_http_request_seconds"),
        }
    }

    /// Counts one answer.
    pub(crate) fn answered(&self, status: http::StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.by_class.get(class) {
            counter.increment(1);
        }
        self.seconds.record(took);
    }
}
