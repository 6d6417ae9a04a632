//! A hundred conditions on one event: in the sandbox, and as the same code
//! compiled for this machine.

use std::sync::Arc;
use std::time::Instant;

use alerts_domain::tenant::TenantId;
use alerts_sandbox::{Plugin, Sandbox, SandboxConfig};
use bytes::Bytes;
use exosphere_alerts_sdk::Language as _;

use crate::Outcome;
use crate::events::failed_run;
use crate::report::{Report, times};

const CONDITIONS: usize = 100;
/// Events in a turn, and turns.
const EVENTS: u32 = 500;
const TURNS: usize = 11;

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
    let (library, native) = (Library::new()?, Native::new()?);
    let sandboxed = Sandboxed::new().await?;
    // In turns, so that a machine which is faster at one moment than at another is
    // so for all three.
    let (mut of_library, mut of_native, mut of_sandbox) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        of_library.push(library.turn(&event)?);
        of_native.push(native.turn(&event)?);
        of_sandbox.push(sandboxed.turn(&event).await?);
    }
    let [library, native, sandboxed] = [of_library, of_native, of_sandbox].map(median);
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

fn median(mut turns: Vec<f64>) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns[turns.len() / 2]
}

/// Microseconds for one event, of a turn that began then.
fn per_event(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / f64::from(EVENTS)
}

/// What a host that has the `cel` crate inside would do, the parsing of each event
/// included.
struct Library(Vec<cel::Program>);

impl Library {
    fn new() -> Outcome<Self> {
        let compiled = sources().into_iter().map(|source| {
            cel::Program::compile(&source).map_err(|error| format!("{source}: {error}"))
        });
        Ok(Self(compiled.collect::<Result<_, _>>()?))
    }

    fn turn(&self, event: &[u8]) -> Outcome<f64> {
        let mut fired = 0_usize;
        let started = Instant::now();
        for _ in 0..EVENTS {
            let parsed: serde_json::Value = serde_json::from_slice(std::hint::black_box(event))?;
            let mut context = cel::Context::default();
            context.add_variable("event", parsed).map_err(|error| error.to_string())?;
            let verdicts = self.0.iter().map(|program| program.execute(&context));
            fired +=
                verdicts.filter(|verdict| matches!(verdict, Ok(cel::Value::Bool(true)))).count();
        }
        std::hint::black_box(fired);
        Ok(per_event(started))
    }
}

/// The plugin's own code, the parsing of each event included.
struct Native(Vec<alerts_cel::Cel>);

impl Native {
    fn new() -> Outcome<Self> {
        let compiled = sources().into_iter().map(|source| {
            alerts_cel::Cel::compile(&source).map_err(|_| format!("{source}: no CEL"))
        });
        Ok(Self(compiled.collect::<Result<_, _>>()?))
    }

    fn turn(&self, event: &[u8]) -> Outcome<f64> {
        let mut fired = 0_usize;
        let started = Instant::now();
        for _ in 0..EVENTS {
            let parsed = alerts_cel::Cel::parse_event(std::hint::black_box(event))
                .map_err(|error| error.message)?;
            let verdicts = self.0.iter().map(|program| program.evaluate(&parsed));
            fired += verdicts.filter(|verdict| matches!(verdict, Ok(true))).count();
        }
        std::hint::black_box(fired);
        Ok(per_event(started))
    }
}

/// The plugin, the way there and back included.
struct Sandboxed {
    sandbox: Sandbox,
    plugin: Arc<Plugin>,
    tenant: TenantId,
    sources: Arc<[Arc<str>]>,
}

impl Sandboxed {
    async fn new() -> Outcome<Self> {
        let sandbox = Sandbox::new(SandboxConfig::default())?;
        let plugin = sandbox.load(&std::fs::read("plugins/dist/cel.wasm")?)?;
        let tenant = TenantId::new("bench").map_err(|error| error.detail)?;
        let sources = sources().into_iter().map(Arc::from).collect();
        let this = Self { sandbox, plugin, tenant, sources };
        // Conditions are compiled, and the instance is warm, when a turn begins.
        this.turn(failed_run(1, "workflow.failed").as_bytes()).await?;
        Ok(this)
    }

    async fn turn(&self, event: &[u8]) -> Outcome<f64> {
        let event = Bytes::copy_from_slice(event);
        let started = Instant::now();
        for _ in 0..EVENTS {
            let sources = self.sources.clone();
            self.sandbox.evaluate(&self.plugin, &self.tenant, sources, event.clone()).await?;
        }
        Ok(per_event(started))
    }
}
