//! A sandbox to try guests in, and what must hold whenever one of them is
//! stopped or refused.

use std::sync::Arc;

use alerts_domain::exchange::{Exchange, Step, Verdict};
use alerts_domain::header::Headers;
use alerts_domain::problem::FieldError;
use alerts_domain::tenant::TenantId;
use alerts_sandbox::{
    CallError, CallLimits, ConditionError, Diagnostic, Limits, LoadError, Plugin, Sandbox,
    SandboxConfig, TargetDelivery, TargetEndpoint,
};
use bytes::Bytes;

use crate::guest::Target;

/// Fuel of every call here: enough for any honest guest, and used up within
/// milliseconds, so that a test of fuel never meets the deadline instead.
pub(crate) const FUEL: u64 = 2_000_000;
/// Fuel that no guest uses up: one that is not stopped at its deadline never ends,
/// and its test with it. So no test has to say how late a stop may come, which is
/// the machine's affair.
pub(crate) const AMPLE_FUEL: u64 = 10_000_000_000;
/// Deadline of every call here: an honest guest meets it on a busy machine.
pub(crate) const DEADLINE_MS: u64 = 1_000;

pub(crate) fn config() -> SandboxConfig {
    SandboxConfig {
        threads: 2,
        warm_instances: 8,
        limits: Limits {
            condition: CallLimits { fuel: FUEL, deadline_ms: DEADLINE_MS },
            compile: CallLimits { fuel: FUEL, deadline_ms: DEADLINE_MS },
            target: CallLimits { fuel: FUEL, deadline_ms: DEADLINE_MS },
            evaluate_deadline_ms: 10 * DEADLINE_MS,
            ..Limits::default()
        },
        ..SandboxConfig::default()
    }
}

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    healthy: Arc<Plugin>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: SandboxConfig) -> Self {
        let sandbox = Sandbox::new(config).expect("the sandbox starts");
        let healthy = sandbox.load(&Target::new().pack()).expect("a healthy plugin loads");
        Self { sandbox, healthy }
    }

    pub(crate) fn load(&self, wasm: &[u8]) -> Arc<Plugin> {
        self.sandbox.load(wasm).expect("the plugin loads")
    }

    pub(crate) async fn next(&self, plugin: &Arc<Plugin>) -> Result<Step, CallError> {
        self.next_after(plugin, &[]).await
    }

    pub(crate) async fn next_after(
        &self,
        plugin: &Arc<Plugin>,
        exchanges: &[Exchange],
    ) -> Result<Step, CallError> {
        self.next_of(plugin, &delivery(), exchanges).await
    }

    pub(crate) async fn next_of(
        &self,
        plugin: &Arc<Plugin>,
        delivery: &TargetDelivery,
        exchanges: &[Exchange],
    ) -> Result<Step, CallError> {
        self.sandbox.next(plugin, &tenant("ada"), delivery, exchanges).await
    }

    pub(crate) async fn check(
        &self,
        plugin: &Arc<Plugin>,
        settings: Bytes,
    ) -> Result<Result<(), Vec<FieldError>>, CallError> {
        self.sandbox.check(plugin, &tenant("ada"), settings).await
    }

    pub(crate) async fn compile(
        &self,
        plugin: &Arc<Plugin>,
        source: &str,
    ) -> Result<Result<(), Vec<Diagnostic>>, CallError> {
        self.sandbox.compile(plugin, &tenant("ada"), source).await
    }

    /// Everyone else is served as before.
    pub(crate) async fn serves(&self) {
        let step = self.next(&self.healthy).await;
        assert_eq!(step, Ok(Step::Done(Verdict::Delivered(None))), "the next call works");
    }

    /// The error that `next` of this adapter is stopped with: each time the same,
    /// and of no consequence for anyone, its own `check` included.
    pub(crate) async fn stopped(&self, adapter: &Target) -> CallError {
        let plugin = self.load(&adapter.pack());
        let mut errors = Vec::new();
        for _ in 0..2 {
            errors.push(self.next(&plugin).await.expect_err("the call is stopped"));
            self.serves().await;
            let checked = self.check(&plugin, Bytes::from_static(b"{}")).await;
            assert_eq!(checked, Ok(Ok(())), "the same plugin's other call works");
        }
        assert_eq!(errors[0], errors[1], "it ends the same way each time");
        assert_eq!((plugin.stats().calls, plugin.stats().faults), (4, 2));
        errors.remove(0)
    }

    /// Why this file is refused. Others load and are served as before.
    pub(crate) async fn refused(&self, wasm: &[u8]) -> LoadError {
        let error = self.sandbox.load(wasm).expect_err("the file is refused");
        let message = error.to_string();
        assert!(!message.is_empty() && message.len() < 2_000, "{message}");
        self.load(&Target::new().pack());
        self.serves().await;
        error
    }

    /// A tenant's verdicts on an ordinary event.
    pub(crate) async fn evaluate(
        &self,
        language: &Arc<Plugin>,
        tenant: &TenantId,
        sources: &[&str],
    ) -> Vec<Result<bool, ConditionError>> {
        self.evaluate_on(Bytes::from_static(EVENT), language, tenant, sources).await
    }

    pub(crate) async fn evaluate_on(
        &self,
        event: Bytes,
        language: &Arc<Plugin>,
        tenant: &TenantId,
        sources: &[&str],
    ) -> Vec<Result<bool, ConditionError>> {
        let sources: Arc<[Arc<str>]> = sources.iter().map(|source| Arc::from(*source)).collect();
        self.sandbox
            .evaluate(language, tenant, sources, event)
            .await
            .expect("the evaluation as a whole gives an answer")
    }

    /// How many calls the tenant's instance of the toy language has answered,
    /// this one included.
    pub(crate) async fn strokes(&self, language: &Arc<Plugin>, tenant: &TenantId) -> usize {
        match &self.evaluate(language, tenant, &["n"]).await[..] {
            [Err(ConditionError::Evaluation { message })] => message.len(),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) const EVENT: &[u8] = br#"{"id":"evt_1"}"#;

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("the name is a tenant's")
}

pub(crate) fn delivery() -> TargetDelivery {
    TargetDelivery {
        id: "dlv_1".into(),
        attempt: 1,
        now_ms: 1_767_225_600_000,
        seed: 7,
        alert: Bytes::from_static(br#"{"id":"dlv_1"}"#),
        endpoint: TargetEndpoint {
            url: "https://example.com/in".into(),
            settings: Bytes::from_static(b"{}"),
            headers: Headers::from_iter([("x-team", "ops")]),
            secrets: vec![("token".into(), "{{secret:token}}".into())],
        },
    }
}
