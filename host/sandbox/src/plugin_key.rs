//! What tells loaded plugins apart, for what is kept of them between calls.

use std::sync::atomic::{AtomicU64, Ordering};

/// Tells one loaded plugin from every other, also of the same file, and from
/// itself under other limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PluginKey(u64);

impl PluginKey {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
