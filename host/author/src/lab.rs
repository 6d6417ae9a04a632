//! One plugin in a production sandbox of its own, called from plain code.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alerts_domain::exchange::{Exchange, Step};
use alerts_domain::problem::FieldError;
use alerts_domain::tenant::TenantId;
use alerts_package::Manifest;
use alerts_sandbox::{
    CallError, CallUse, ConditionError, Diagnostic, Limits, Plugin, Sandbox, SandboxConfig,
    TargetDelivery,
};
use bytes::Bytes;
use tokio::runtime::Runtime;

use crate::AuthorError;

/// A plugin that was admitted, and what it takes to call it.
pub(crate) struct Lab {
    runtime: Runtime,
    sandbox: Sandbox,
    plugin: Arc<Plugin>,
    tenant: TenantId,
    /// How long admitting it took; compiling is nearly all of it.
    pub(crate) loaded_in: Duration,
}

impl Lab {
    /// Admits a plugin file under the limits that a host has when its operator
    /// changed nothing.
    pub(crate) fn open(wasm: &[u8]) -> Result<Self, AuthorError> {
        // The author's own file: what it does to the compiler it does to the author.
        Self::open_in(Sandbox::new(SandboxConfig::default())?, wasm)
    }

    pub(crate) fn open_in(sandbox: Sandbox, wasm: &[u8]) -> Result<Self, AuthorError> {
        let runtime = runtime()?;
        let began = Instant::now();
        let plugin = sandbox.load(wasm)?;
        let loaded_in = began.elapsed();
        let tenant = TenantId::new(crate::sample::TENANT)
            .map_err(|error| AuthorError::Arguments(error.detail))?;
        Ok(Self { runtime, sandbox, plugin, tenant, loaded_in })
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        self.plugin.manifest()
    }

    pub(crate) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    pub(crate) fn limits(&self) -> Limits {
        self.plugin.limits()
    }

    pub(crate) fn last_use(&self) -> CallUse {
        self.plugin.last_use()
    }

    /// For what is not a call of the plugin.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(crate) fn check(
        &self,
        settings: impl Into<Bytes>,
    ) -> Result<Result<(), Vec<FieldError>>, CallError> {
        self.wait(self.sandbox.check(&self.plugin, &self.tenant, settings.into()))
    }

    pub(crate) fn next(
        &self,
        delivery: &TargetDelivery,
        exchanges: &[Exchange],
    ) -> Result<Step, CallError> {
        self.wait(self.sandbox.next(&self.plugin, &self.tenant, delivery, exchanges))
    }

    pub(crate) fn ordering_key(&self, told: &TargetDelivery) -> Result<Option<String>, CallError> {
        self.wait(self.sandbox.ordering_key(&self.plugin, &self.tenant, told))
    }

    pub(crate) fn compile(&self, source: &str) -> Result<Result<(), Vec<Diagnostic>>, CallError> {
        self.wait(self.sandbox.compile(&self.plugin, &self.tenant, source))
    }

    pub(crate) fn evaluate(
        &self,
        sources: &[&str],
        event: impl Into<Bytes>,
    ) -> Result<Vec<Result<bool, ConditionError>>, CallError> {
        let sources: Arc<[Arc<str>]> = sources.iter().map(|source| Arc::from(*source)).collect();
        self.wait(self.sandbox.evaluate(&self.plugin, &self.tenant, sources, event.into()))
    }
}

/// One thread is enough: guests have threads of their own.
pub(crate) fn runtime() -> Result<Runtime, AuthorError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(AuthorError::Threads)
}
