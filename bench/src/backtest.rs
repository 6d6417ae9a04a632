//! A backtest over a hundred thousand stored events, beside the speed at which the
//! same condition is evaluated on one event after another.

use std::sync::Arc;
use std::time::Instant;

use alerts_domain::tenant::TenantId;
use alerts_sandbox::{Sandbox, SandboxConfig};
use bytes::Bytes;
use serde_json::json;

use crate::Outcome;
use crate::events::failed_run;
use crate::host::Host;
use crate::load::{self, Load};
use crate::report::{Report, per_second, percent};

const EVENTS: usize = 100_000;
const ROUNDS: usize = 20_000;
const TYPE: &str = "workflow.failed";
const CONDITION: &str = "event.data.errored_count > 3 && event.data.graph_name == 'nightly-etl'";

pub(crate) async fn measure(report: &mut Report) -> Outcome {
    let host = Host::start().await?;
    let types: Arc<[String]> = Arc::from([TYPE.to_owned()]);
    let load = Load {
        address: host.address.clone(),
        post: Host::post(),
        first: 0,
        events: EVENTS,
        types,
        batch: 1,
        rate: None,
    };
    load::run(load).await?;
    // Nothing is sent to it.
    let endpoint = json!({"name": "Bench", "target_url": "http://127.0.0.1:9/"});
    let endpoint = host.create("webhooks", endpoint).await?;
    let rule = json!({"name": "Draft", "event_type": TYPE, "condition": CONDITION,
        "webhook_endpoint_id": endpoint["id"]});
    let started = Instant::now();
    let body = json!({"from": "2020-01-01T00:00:00Z", "rule": rule});
    let answer = host.create("alert-rules/backtest", body).await?;
    let rate = EVENTS as f64 / started.elapsed().as_secs_f64();
    if answer["scanned"] != EVENTS {
        return Err(format!("the backtest looked at {} events", answer["scanned"]).into());
    }
    drop(host);
    let alone = evaluated_alone().await?;
    report.add(
        "a backtest over 100,000 stored events",
        per_second(rate, "events"),
        format!("{}, one condition on one event at a time", per_second(alone, "evaluations")),
        percent(rate, alone),
        "≥ 50%",
    );
    Ok(())
}

async fn evaluated_alone() -> Outcome<f64> {
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let plugin = sandbox.load(&std::fs::read("plugins/dist/cel.wasm")?)?;
    let tenant = TenantId::new("bench").map_err(|error| error.detail)?;
    let sources: Arc<[Arc<str>]> = Arc::from([Arc::from(CONDITION)]);
    let event = Bytes::from(failed_run(1, TYPE));
    let started = Instant::now();
    for _ in 0..ROUNDS {
        sandbox.evaluate(&plugin, &tenant, sources.clone(), event.clone()).await?;
    }
    Ok(ROUNDS as f64 / started.elapsed().as_secs_f64())
}
