//! What a target costs its host in each language that plugins are written in:
//! the examples, each asked for its first request.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use alerts_domain::header::Headers;
use alerts_domain::tenant::TenantId;
use alerts_sandbox::{Sandbox, SandboxConfig, TargetDelivery, TargetEndpoint};
use bytes::Bytes;

use crate::Outcome;
use crate::events::failed_run;
use crate::report::Report;

/// Language, example, and the secret that it needs to send anything.
const EXAMPLES: [(&str, &str, &str); 4] = [
    ("C", "ntfy", "token"),
    ("Rust", "opsgenie", "api_key"),
    ("JavaScript", "discord", "token"),
    ("Python", "teams", "token"),
];

/// Calls of each; the slowest takes some milliseconds.
const CALLS: u32 = 1_000;

const ALERT: &str = r#"{
    "version": "1", "id": "dlv_00000000000000000000000000", "type": "workflow.failed",
    "occurred_at": "2026-01-01T00:00:00Z", "namespace": "bench",
    "rule": {"id": "rule_00000000000000000000000000", "name": "Failed runs"},
    "trigger": {"type": "event"},
    "workflow": {"graph_name": "nightly-etl", "run_id": "run-1", "status": "FAILED", "errored_count": 4},
    "event": {"id": "run-1-failed", "source": "/v0/namespace/bench", "subject": "graph/nightly-etl"}
}"#;

pub(crate) async fn measure(report: &mut Report) -> Outcome {
    for (language, id, secret) in EXAMPLES {
        let file = format!("plugins/examples/dist/{id}.wasm");
        if Path::new(&file).exists() {
            target(language, id, secret, &std::fs::read(&file)?, report).await?;
        } else {
            println!("bench: {file} is not there: `cargo xtask examples` builds it");
        }
    }
    condition(report).await
}

async fn target(
    language: &str,
    id: &str,
    secret: &str,
    wasm: &[u8],
    report: &mut Report,
) -> Outcome {
    let cache = tempfile::tempdir()?;
    let sandbox = || {
        let cache_dir = Some(cache.path().to_owned());
        Sandbox::new(SandboxConfig { cache_dir, ..SandboxConfig::default() })
    };
    // The first finds nothing in the folder, the second what the first left.
    let started = Instant::now();
    sandbox()?.load(wasm)?;
    let compile_ms = started.elapsed().as_secs_f64() * 1e3;
    let sandbox = sandbox()?;
    let started = Instant::now();
    let plugin = sandbox.load(wasm)?;
    let load_ms = started.elapsed().as_secs_f64() * 1e3;
    let tenant = TenantId::new("bench").map_err(|error| error.detail)?;
    let delivery = TargetDelivery {
        id: "dlv_00000000000000000000000000".into(),
        attempt: 1,
        now_ms: 1_800_000_000_000,
        seed: 7,
        alert: Bytes::from_static(ALERT.as_bytes()),
        endpoint: TargetEndpoint {
            url: "https://example.com/hook".into(),
            settings: Bytes::from_static(b"{}"),
            headers: Headers::default(),
            secrets: vec![(
                secret.to_owned(),
                format!("exosphere-secret-{secret}-00000000000000000000"),
            )],
        },
    };
    for _ in 0..20 {
        sandbox.next(&plugin, &tenant, &delivery, &[]).await?;
    }
    let started = Instant::now();
    for _ in 0..CALLS {
        sandbox.next(&plugin, &tenant, &delivery, &[]).await?;
    }
    let call_us = started.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS);
    report.add(
        &format!("one `next` of a target in {language} (`{id}`), fresh instance"),
        format!("{call_us:.0} µs"),
        format!(
            "{compile_ms:.0} ms to compile, {load_ms:.1} ms to load what is compiled; {} KiB of memory \
             for an instance; file {} KiB",
            plugin.last_use().memory_bytes / 1024,
            wasm.len().div_ceil(1024)
        ),
        "",
        "",
    );
    Ok(())
}

/// Targets have no warm calls: each has an instance of its own. Conditions do.
async fn condition(report: &mut Report) -> Outcome {
    const SOURCE: &str = "event.data.status == 'FAILED' && event.data.errored_count > 3";
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let plugin = sandbox.load(&std::fs::read("plugins/dist/cel.wasm")?)?;
    let tenant = TenantId::new("bench").map_err(|error| error.detail)?;
    let event = Bytes::from(failed_run(1, "workflow.failed"));
    let sources: Arc<[Arc<str>]> = [Arc::from(SOURCE)].into_iter().collect();
    let started = Instant::now();
    for _ in 0..CALLS {
        sandbox
            .compile(&plugin, &tenant, SOURCE)
            .await?
            .map_err(|_| "the condition does not compile")?;
    }
    let fresh_us = started.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS);
    sandbox.evaluate(&plugin, &tenant, sources.clone(), event.clone()).await?;
    let started = Instant::now();
    for _ in 0..CALLS {
        sandbox.evaluate(&plugin, &tenant, sources.clone(), event.clone()).await?;
    }
    let warm_us = started.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS);
    report.add(
        "one condition in CEL on one event, warm instance",
        format!("{warm_us:.0} µs"),
        format!(
            "{fresh_us:.0} µs for a fresh instance that compiles it; {} KiB of memory",
            plugin.last_use().memory_bytes / 1024
        ),
        "",
        "",
    );
    Ok(())
}
