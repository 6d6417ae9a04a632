//! What one `next` of the HTTP adapter costs: a fresh instance each time.

use std::time::Instant;

use alerts_domain::header::Headers;
use alerts_domain::tenant::TenantId;
use alerts_sandbox::{Sandbox, SandboxConfig, TargetDelivery, TargetEndpoint};
use bytes::Bytes;

use crate::Outcome;
use crate::report::Report;

const CALLS: u32 = 20_000;

pub(crate) async fn measure(report: &mut Report) -> Outcome {
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let started = Instant::now();
    let plugin = sandbox.load(&std::fs::read("plugins/dist/http.wasm")?)?;
    let load_ms = started.elapsed().as_secs_f64() * 1e3;
    let tenant = TenantId::new("bench").map_err(|error| error.detail)?;
    let alert = format!(r#"{{"version":"1","padding":"{}"}}"#, "x".repeat(1000));
    let delivery = TargetDelivery {
        id: "dlv_00000000000000000000000000".into(),
        attempt: 1,
        now_ms: 1_800_000_000_000,
        seed: 7,
        alert: Bytes::from(alert),
        endpoint: TargetEndpoint {
            url: "https://example.com/hook".into(),
            settings: Bytes::from_static(b"{}"),
            headers: Headers::default(),
            secrets: Vec::new(),
        },
    };
    for _ in 0..100 {
        sandbox.next(&plugin, &tenant, &delivery, &[]).await?;
    }
    let started = Instant::now();
    for _ in 0..CALLS {
        sandbox.next(&plugin, &tenant, &delivery, &[]).await?;
    }
    let call_us = started.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS);
    report.add(
        "one `next` of the HTTP adapter, 1 KiB alert, fresh instance",
        format!("{call_us:.0} µs"),
        format!("{load_ms:.0} ms to compile and load it"),
        "",
        "≤ 25 µs",
    );
    Ok(())
}
