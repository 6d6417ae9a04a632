//! The types of alerts that are not like the others.

/// The type of the alert that a tenant sends to see whether an endpoint works.
pub(crate) const TEST: &str = "exosphere.alerts.test";

/// The one type that resolves; every other one triggers.
pub(crate) const RESOLVES: &str = "workflow.succeeded";
