//! A hundred conditions on one event: in the sandbox, and as the same code
//! compiled for this machine.

use std::sync::Arc;
use std::time::Instant;

use alerts_domain::tenant::TenantId;
use alerts_sandbox::{Sandbox, SandboxConfig};
use bytes::Bytes;
use exosphere_alerts_sdk::Language as _;

use crate::Outcome;
use crate::events::failed_run;
use crate::report::{Report, times};

const CONDITIONS: usize = 100;
const ROUNDS: u32 = 2_000;

/// What tenants write: comparisons, membership, text, a function or two.
fn sources() -> Vec<String> {
    let kinds = [
        "event.data.errored_count > {n}",
        "event.data.graph_name == 'graph-{n}' && event.data.status == 'FAILED'",
        "event.data.duration_ms > {n} * 1000 || event.data.retried_count >= 5",
        "event.data.node_name in ['load-warehouse', 'node-{n}']",
        "event.data.graph_name.startsWith('nightly') && event.data.total_count != {n}",
        "has(event.data.labels.team) && event.data.labels.team == 'team-{n}'",
        "event.data.errored_count * 100 > event.data.total_count * {n}",
        "event.subject.contains('run/{n}')",
        "!(event.data.status == 'SUCCESS') && size(event.data.graph_name) > {n}",
        "event.data.labels.region.endsWith('-1') ? event.data.errored_count > {n} : false",
    ];
    (0..CONDITIONS).map(|n| kinds[n % kinds.len()].replace("{n}", &n.to_string())).collect()
}

pub(crate) async fn measure(report: &mut Report) -> Outcome {
    let event = Bytes::from(failed_run(1, "workflow.failed"));
    let (library, native) = (library(&event)?, native(&event)?);
    let sandboxed = sandboxed(&event).await?;
    report.add(
        "100 conditions on one event, in the sandbox",
        format!("{sandboxed:.0} µs"),
        format!("{library:.0} µs, the `cel` crate in native code"),
        times(sandboxed, library),
        "≤ 1.5×",
    );
    report.add(
        "the same, beside the plugin's own code",
        format!("{sandboxed:.0} µs"),
        format!("{native:.0} µs, with its shortcuts, in native code"),
        times(sandboxed, native),
        "",
    );
    Ok(())
}

/// What a host that has the `cel` crate inside would do. Microseconds for one
/// event, its parsing included.
fn library(event: &[u8]) -> Outcome<f64> {
    let programs: Vec<cel::Program> = sources()
        .iter()
        .map(|source| cel::Program::compile(source).map_err(|error| format!("{source}: {error}")))
        .collect::<Result<_, _>>()?;
    let mut fired = 0_usize;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        let parsed: serde_json::Value = serde_json::from_slice(std::hint::black_box(event))?;
        let mut context = cel::Context::default();
        context.add_variable("event", parsed).map_err(|error| error.to_string())?;
        let verdicts = programs.iter().map(|program| program.execute(&context));
        fired += verdicts.filter(|verdict| matches!(verdict, Ok(cel::Value::Bool(true)))).count();
    }
    std::hint::black_box(fired);
    Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS))
}

/// The plugin's own code. Microseconds for one event, its parsing included.
fn native(event: &[u8]) -> Outcome<f64> {
    let programs: Vec<alerts_cel::Cel> = sources()
        .iter()
        .map(|source| alerts_cel::Cel::compile(source).map_err(|_| format!("{source}: no CEL")))
        .collect::<Result<_, _>>()?;
    let mut fired = 0_usize;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        let parsed = alerts_cel::Cel::parse_event(std::hint::black_box(event))
            .map_err(|error| error.message)?;
        let verdicts = programs.iter().map(|program| program.evaluate(&parsed));
        fired += verdicts.filter(|verdict| matches!(verdict, Ok(true))).count();
    }
    std::hint::black_box(fired);
    Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS))
}

async fn sandboxed(event: &Bytes) -> Outcome<f64> {
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let plugin = sandbox.load(&std::fs::read("plugins/dist/cel.wasm")?)?;
    let tenant = TenantId::new("bench").map_err(|error| error.detail)?;
    let sources: Arc<[Arc<str>]> = sources().into_iter().map(Arc::from).collect();
    for _ in 0..20 {
        sandbox.evaluate(&plugin, &tenant, sources.clone(), event.clone()).await?;
    }
    let started = Instant::now();
    for _ in 0..ROUNDS {
        sandbox.evaluate(&plugin, &tenant, sources.clone(), event.clone()).await?;
    }
    Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS))
}
