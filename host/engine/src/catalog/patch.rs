//! A change in part: what is absent stays, what is there is noted for the audit log.

/// Sets a field and notes it, if there is a value for it.
pub(super) fn set<T>(field: &mut T, value: Option<T>, note: impl FnOnce()) {
    if let Some(value) = value {
        *field = value;
        note();
    }
}
