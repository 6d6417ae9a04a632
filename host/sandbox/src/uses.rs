//! How much a plugin uses: counted as it happens, by additions alone.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a plugin's last call used. For the tools of its author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallUse {
    /// Units of fuel; for a target, making its instance is among them.
    pub fuel: u64,
    /// Linear memory of the instance at the end of the call.
    pub memory_bytes: usize,
}

/// What all calls and instances of a plugin use.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    last_fuel: AtomicU64,
    last_memory_bytes: AtomicUsize,
    fuel: AtomicU64,
    max_fuel: AtomicU64,
    memory_bytes: AtomicUsize,
    max_memory_bytes: AtomicUsize,
}

impl Uses {
    /// A call of the guest ended.
    pub(crate) fn called(&self, fuel: u64, memory_bytes: usize) {
        self.last_fuel.store(fuel, Ordering::Relaxed);
        self.last_memory_bytes.store(memory_bytes, Ordering::Relaxed);
        self.fuel.fetch_add(fuel, Ordering::Relaxed);
        self.max_fuel.fetch_max(fuel, Ordering::Relaxed);
    }

    /// An instance has so much more memory, and so much in all.
    pub(crate) fn grew(&self, by: usize, to: usize) {
        self.memory_bytes.fetch_add(by, Ordering::Relaxed);
        self.max_memory_bytes.fetch_max(to, Ordering::Relaxed);
    }

    /// An instance that had so much memory is gone.
    pub(crate) fn shrank(&self, by: usize) {
        self.memory_bytes.fetch_sub(by, Ordering::Relaxed);
    }

    pub(crate) fn last(&self) -> CallUse {
        CallUse {
            fuel: self.last_fuel.load(Ordering::Relaxed),
            memory_bytes: self.last_memory_bytes.load(Ordering::Relaxed),
        }
    }

    /// Fuel of all calls, and of the one that used most.
    pub(crate) fn fuel(&self) -> (u64, u64) {
        (self.fuel.load(Ordering::Relaxed), self.max_fuel.load(Ordering::Relaxed))
    }

    /// Memory of all instances there are now, and the most that one ever had.
    pub(crate) fn memory_bytes(&self) -> (usize, usize) {
        let now = self.memory_bytes.load(Ordering::Relaxed);
        (now, self.max_memory_bytes.load(Ordering::Relaxed))
    }
}
