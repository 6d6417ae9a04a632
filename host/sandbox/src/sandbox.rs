//! The sandbox as its callers see it: load a plugin, then call it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use alerts_domain::exchange::{Exchange, Step};
use alerts_domain::plugin_limits::PluginLimits;
use alerts_domain::problem::FieldError;
use alerts_domain::tenant::TenantId;
use alerts_package::Digest;
use bytes::Bytes;
use serde_json::Value;

use crate::admission::Admission;
use crate::config::SandboxConfig;
use crate::delivery::TargetDelivery;
use crate::diagnostic::Diagnostic;
use crate::error::{CallError, ConditionError, LoadError, SandboxError};
use crate::evaluation::Evaluation;
use crate::fault::Fault;
use crate::plugin::Plugin;
use crate::queue::Full;
use crate::workers::{Undone, Workers};

/// Runs plugins. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    admission: Admission,
    workers: Workers,
}

impl Sandbox {
    /// Starts the engine, its ticker and the threads.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let queue_bounds = config.queue_bounds();
        let admission = Admission::start(config)?;
        let workers = Workers::start(queue_bounds).map_err(SandboxError::Threads)?;
        Ok(Self(Arc::new(Inner { admission, workers })))
    }

    /// Largest plugin file that is looked at.
    pub fn max_file_bytes(&self) -> usize {
        self.0.admission.config.wasm_bytes
    }

    /// Whether the compiled form of a file is in the cache, so that loading it is
    /// a matter of milliseconds.
    pub fn has_compiled(&self, digest: &Digest) -> bool {
        self.0.admission.has_compiled(digest)
    }

    /// Admits a plugin file: checks it, compiles it or takes the compiled form
    /// from the cache, and calls it once. Blocks for as long as compiling
    /// takes, which is seconds for large files.
    pub fn load(&self, wasm: &[u8]) -> Result<Arc<Plugin>, LoadError> {
        self.load_with(wasm, PluginLimits::default())
    }

    /// The same, with what the operator grants this plugin.
    pub fn load_with(&self, wasm: &[u8], granted: PluginLimits) -> Result<Arc<Plugin>, LoadError> {
        self.0.admission.admit(wasm, granted).map(Arc::new)
    }

    /// Whether a condition compiles, and if not, what to tell its author. In
    /// an instance of its own: a text that nobody has looked at yet does not
    /// come near a tenant's warm instance.
    pub async fn compile(
        &self,
        plugin: &Arc<Plugin>,
        tenant: &TenantId,
        source: &str,
    ) -> Result<Result<(), Vec<Diagnostic>>, CallError> {
        let source = Arc::from(source);
        self.call(plugin, tenant, move |plugin| {
            let limits = plugin.limits();
            let mut session = plugin.start_session(&limits)?;
            let answer = session.compile(&source, limits.compile);
            answer.map_err(|fault| plugin.faulted(fault))
        })
        .await
    }

    /// A tenant's conditions on one event: an answer for each source, in
    /// order. An error for the whole says nothing about any condition; the
    /// event can be evaluated again later.
    pub async fn evaluate(
        &self,
        plugin: &Arc<Plugin>,
        tenant: &TenantId,
        sources: Arc<[Arc<str>]>,
        event: Bytes,
    ) -> Result<Vec<Result<bool, ConditionError>>, CallError> {
        let whose = tenant.clone();
        let evaluate =
            move |plugin: &Plugin| Evaluation::new(plugin, &whose, &sources, &event).run();
        self.call(plugin, tenant, evaluate).await
    }

    /// What is wrong with each expression of a mapping that can use the variables
    /// `names`, in order; nothing of those that are good.
    pub async fn check_mapping(
        &self,
        plugin: &Arc<Plugin>,
        tenant: &TenantId,
        expressions: Vec<String>,
        names: Vec<String>,
    ) -> Result<Vec<Vec<Diagnostic>>, CallError> {
        self.call(plugin, tenant, move |plugin| {
            let found = plugin.language()?.check_mapping(&expressions, &names, &plugin.limits());
            // Whose expression it is that a plugin fails at is not known to be the
            // plugin's fault, so no circuit is opened for it.
            found.map_err(|fault| plugin.faulted(fault))
        })
        .await
    }

    /// What each expression of a mapping makes of the input, in order. The input is a JSON
    /// object with one member for each variable.
    pub async fn map(
        &self,
        plugin: &Arc<Plugin>,
        tenant: &TenantId,
        expressions: Vec<String>,
        input: Bytes,
    ) -> Result<Vec<Result<Value, String>>, CallError> {
        self.call(plugin, tenant, move |plugin| {
            let values = plugin.language()?.map(&expressions, &input, &plugin.limits());
            values.map_err(|fault| plugin.faulted(fault))
        })
        .await
    }

    /// Whether an adapter takes these settings, and if not, what to change.
    pub async fn check(
        &self,
        plugin: &Arc<Plugin>,
        tenant: &TenantId,
        settings: Bytes,
    ) -> Result<Result<(), Vec<FieldError>>, CallError> {
        self.call(plugin, tenant, move |plugin| {
            let answer = plugin.adapter()?.check(&settings, &plugin.limits());
            plugin.judge(answer.as_ref().map(drop));
            answer.map_err(|fault| plugin.faulted(fault))
        })
        .await
    }

    /// What an adapter wants next, after these exchanges. Pure: the same
    /// arguments give the same step, so any attempt can be replayed.
    pub async fn next(
        &self,
        plugin: &Arc<Plugin>,
        tenant: &TenantId,
        delivery: &TargetDelivery,
        exchanges: &[Exchange],
    ) -> Result<Step, CallError> {
        let (delivery, exchanges) = (delivery.clone(), exchanges.to_vec());
        self.call(plugin, tenant, move |plugin| {
            let limits = plugin.limits();
            let step = plugin.adapter()?.next(&delivery, &exchanges, &limits);
            plugin.judge(step.as_ref().map(drop));
            let step = step.map_err(|fault| plugin.faulted(fault))?;
            let limit = limits.exchanges;
            if !matches!(step, Step::Done(_)) && exchanges.len() >= limit as usize {
                return Err(plugin.faulted(Fault::Exchanges { limit }));
            }
            Ok(step)
        })
        .await
    }

    /// What a delivery is about at its target, if its adapter tells and its order
    /// matters: of those with the same key to one endpoint the newest is to win.
    pub async fn ordering_key(
        &self,
        plugin: &Arc<Plugin>,
        tenant: &TenantId,
        delivery: &TargetDelivery,
    ) -> Result<Option<String>, CallError> {
        if !plugin.adapter()?.is_ordered() {
            return Ok(None);
        }
        let (alert, settings) = (delivery.alert.clone(), delivery.endpoint.settings.clone());
        self.call(plugin, tenant, move |plugin| {
            let key = plugin.adapter()?.ordering_key(&alert, &settings, &plugin.limits());
            plugin.judge(key.as_ref().map(drop));
            key.map_err(|fault| plugin.faulted(fault))
        })
        .await
    }

    /// Each call is some tenant's, and waits for that tenant's turn.
    async fn call<R: Send + 'static>(
        &self,
        plugin: &Arc<Plugin>,
        tenant: &TenantId,
        call: impl FnOnce(&Plugin) -> Result<R, CallError> + Send + 'static,
    ) -> Result<R, CallError> {
        let refused = |error: CallError| {
            plugin.counts.refused(plugin.id(), &error);
            error
        };
        plugin.admit_call().map_err(refused)?;
        let called = plugin.clone();
        let job = move || {
            called.counts.began();
            let began = Instant::now();
            let result = call(&called);
            called.counts.ended(called.id(), began.elapsed(), result.as_ref().err());
            result
        };
        let name = || plugin.name.clone();
        self.0.workers.run(tenant, job).await.unwrap_or_else(|undone| {
            Err(match undone {
                Undone::Busy(Full::All) => refused(CallError::Busy { plugin: name() }),
                Undone::Busy(Full::Tenant) => refused(CallError::TenantBusy { plugin: name() }),
                Undone::Panicked => CallError::Host { plugin: name() },
            })
        })
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("config", &self.0.admission.config).finish_non_exhaustive()
    }
}
