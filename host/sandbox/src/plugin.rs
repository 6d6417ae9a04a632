//! A plugin that was admitted: its manifest, its code, its limits, and what has
//! become of its calls.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use alerts_package::{Digest, Kind, Manifest};

use crate::breaker::Breaker;
use crate::budget::{CallUse, Fault};
use crate::contract::{Adapter, Guest, Language, Session};
use crate::error::{CallError, PluginName};
use crate::limits::Limits;
use crate::suspects::Suspects;
use crate::warm::WarmSessions;

/// Tells one loaded plugin from every other, also of the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PluginKey(u64);

impl PluginKey {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A plugin ready to be called through the [`Sandbox`](crate::Sandbox) that
/// loaded it. Once nobody holds it, its instances are gone too.
pub struct Plugin {
    pub(crate) key: PluginKey,
    pub(crate) name: PluginName,
    pub(crate) manifest: Manifest,
    pub(crate) limits: Limits,
    pub(crate) guest: Guest,
    pub(crate) breaker: Breaker,
    pub(crate) suspects: Suspects,
    pub(crate) counts: Counts,
    pub(crate) warm: Arc<WarmSessions>,
}

/// Counted since the plugin was loaded.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    calls: AtomicU64,
    faults: AtomicU64,
}

/// What became of a plugin's calls since it was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginStats {
    /// Calls that a thread took up.
    pub calls: u64,
    /// Times that a limit was hit, a trap happened or the contract was broken.
    pub faults: u64,
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
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What became of its calls.
    pub fn stats(&self) -> PluginStats {
        PluginStats {
            calls: self.counts.calls.load(Ordering::Relaxed),
            faults: self.counts.faults.load(Ordering::Relaxed),
        }
    }

    /// What its last call used. Means little while others call it too.
    pub fn last_use(&self) -> CallUse {
        match &self.guest {
            Guest::Language(language) => language.last_use(),
            Guest::Adapter(adapter) => adapter.last_use(),
        }
    }

    pub(crate) fn error(&self, fault: Fault) -> CallError {
        CallError::new(self.name.clone(), fault)
    }

    pub(crate) fn count_call(&self) {
        self.counts.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a fault and names its plugin.
    pub(crate) fn faulted(&self, fault: Fault) -> CallError {
        self.counts.faults.fetch_add(1, Ordering::Relaxed);
        self.error(fault)
    }

    fn language(&self) -> Result<&dyn Language, CallError> {
        match &self.guest {
            Guest::Language(language) => Ok(language.as_ref()),
            Guest::Adapter(_) => Err(self.wrong_kind(Kind::Condition)),
        }
    }

    /// A fresh instance of a language.
    pub(crate) fn start_session(&self) -> Result<Box<dyn Session>, CallError> {
        let started = self.language()?.start();
        // Only this tells a broken plugin from a bad condition.
        self.breaker.record(started.is_ok(), Instant::now());
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
        self.warm.forget(self.key);
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
