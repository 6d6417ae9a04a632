//! A plugin that was admitted: its manifest, its code, its limits, and what has
//! become of its calls.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use alerts_domain::Timestamp;
use alerts_domain::plugin_limits::PluginLimits;
use alerts_package::{Digest, Kind, Manifest};

use crate::breaker::{Change, CircuitBreaker};
use crate::contract::{Adapter, Language, Session};
use crate::error::{CallError, PluginName};
use crate::fault::Fault;
use crate::guest::Guest;
use crate::limits::{DecidedLimit, Limits};
use crate::plugin_key::PluginKey;
use crate::stats::{self, Counts, PluginStats};
use crate::suspects::Suspects;
use crate::uses::{CallUse, Uses};
use crate::warm::WarmSessions;

/// A plugin ready to be called through the [`Sandbox`](crate::Sandbox) that
/// loaded it. Once nobody holds it, its instances are gone too.
pub struct Plugin {
    pub(crate) name: PluginName,
    pub(crate) manifest: Manifest,
    /// The host's, for what no operator has set.
    pub(crate) host_limits: Limits,
    pub(crate) terms: RwLock<Terms>,
    pub(crate) guest: Guest,
    pub(crate) breaker: CircuitBreaker,
    pub(crate) suspects: Suspects,
    pub(crate) counts: Counts,
    pub(crate) uses: Arc<Uses>,
    pub(crate) warm: Arc<WarmSessions>,
}

/// Under what a call is made. An operator may change it between two calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Of the warm instances that have these limits.
    pub(crate) key: PluginKey,
    pub(crate) granted: PluginLimits,
    pub(crate) limits: Limits,
}

/// A plugin that is left alone for a while, because it failed too often in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCircuit {
    /// When it was opened.
    pub since: Timestamp,
    /// Until when no call is made; none when the next call will try it.
    pub until: Option<Timestamp>,
    /// Its last failure.
    pub reason: CallError,
}

impl Plugin {
    /// The name by which rules and endpoints refer to it.
    pub fn id(&self) -> &str {
        &self.name.id
    }

    /// Which world of the contract it implements.
    pub fn kind(&self) -> Kind {
        self.manifest.kind
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Of its file; recorded with everything that it decides.
    pub fn digest(&self) -> &Digest {
        &self.name.digest
    }

    /// What its calls may use.
    pub fn limits(&self) -> Limits {
        self.terms().limits
    }

    /// What the operator has granted it.
    pub fn granted(&self) -> PluginLimits {
        self.terms().granted
    }

    /// The limits that an operator can set, as they are, and who decided them.
    pub fn decided_limits(&self) -> [DecidedLimit; 5] {
        let granted = self.granted();
        self.host_limits.decide(self.kind(), &self.manifest.limits, &granted)
    }

    /// Has it called with these limits from now on. Calls that run end with
    /// those that they began with; warm instances are made anew.
    pub fn grant(&self, granted: PluginLimits) {
        let kind = self.kind();
        let limits = self.host_limits.for_plugin(kind, &self.manifest.limits, &granted);
        let key = PluginKey::next();
        let before = {
            let mut terms = self.terms.write().unwrap_or_else(PoisonError::into_inner);
            if terms.granted == granted {
                return;
            }
            std::mem::replace(&mut *terms, Terms { key, granted, limits })
        };
        self.warm.forget(before.key);
    }

    pub(crate) fn terms(&self) -> Terms {
        *self.terms.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What became of its calls.
    pub fn stats(&self) -> PluginStats {
        self.counts.get(&self.uses)
    }

    /// Whether it is left alone for a while, and why.
    pub fn circuit(&self) -> Option<OpenCircuit> {
        let open = self.breaker.open(Instant::now())?;
        let until = open.rest.and_then(|rest| Timestamp::now().checked_add(rest).ok());
        Some(OpenCircuit { since: open.since, until, reason: self.error(open.fault) })
    }

    /// What its last call used. Means little while others call it too.
    pub fn last_use(&self) -> CallUse {
        self.uses.last()
    }

    pub(crate) fn error(&self, fault: Fault) -> CallError {
        CallError::new(self.name.clone(), fault)
    }

    /// Counts a fault and names its plugin.
    pub(crate) fn faulted(&self, fault: Fault) -> CallError {
        let error = self.error(fault);
        self.counts.faulted(self.id(), &error);
        error
    }

    /// Tells the breaker how a call ended.
    pub(crate) fn judge(&self, ended: Result<(), &Fault>) {
        let change = self.breaker.record(ended, Instant::now());
        let (plugin, digest) = (self.id(), self.digest());
        match (change, ended) {
            (Some(Change::Opened), Err(fault)) => {
                let error = self.error(fault.clone());
                tracing::warn!(
                    plugin, %digest, %error,
                    "circuit opened: the plugin failed too often in a row and is left alone for a while"
                );
                stats::circuit(plugin, true);
            }
            (Some(Change::Closed), _) => {
                tracing::info!(plugin, %digest, "circuit closed: the plugin works again");
                stats::circuit(plugin, false);
            }
            _ => {}
        }
    }

    pub(crate) fn language(&self) -> Result<&dyn Language, CallError> {
        match &self.guest {
            Guest::Language(language) => Ok(language.as_ref()),
            Guest::Adapter(_) => Err(self.wrong_kind(Kind::Condition)),
        }
    }

    /// A fresh instance of a language.
    pub(crate) fn start_session(&self, limits: &Limits) -> Result<Box<dyn Session>, CallError> {
        let started = self.language()?.start(limits);
        // Only this tells a broken plugin from a bad condition.
        self.judge(started.as_ref().map(drop));
        started.map_err(|fault| self.faulted(fault))
    }

    pub(crate) fn adapter(&self) -> Result<&dyn Adapter, CallError> {
        match &self.guest {
            Guest::Adapter(adapter) => Ok(adapter.as_ref()),
            Guest::Language(_) => Err(self.wrong_kind(Kind::Target)),
        }
    }

    fn wrong_kind(&self, wanted: Kind) -> CallError {
        self.error(Fault::contract(format!(
            "it is a {}, and was called as a {}",
            self.kind().word(),
            wanted.word()
        )))
    }

    /// Whether it may be called now.
    pub(crate) fn admit_call(&self) -> Result<(), CallError> {
        match self.breaker.rest(Instant::now()) {
            None => Ok(()),
            Some(rest) => Err(CallError::Suspended {
                plugin: self.name.clone(),
                rest_ms: u64::try_from(rest.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.warm.forget(self.terms().key);
        if self.breaker.open(Instant::now()).is_some() {
            stats::circuit(self.id(), false);
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("id", &self.name.id)
            .field("digest", &self.name.digest)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
