//! Ordering keys: which alerts are about one thing at the target.

use std::marker::PhantomData;

use crate::bindings::ordered::exports::exosphere::alerts::ordering;
use crate::{Alert, Settings};

/// A target adapter whose alerts have an order at the target. An incident that was
/// resolved must not be opened again by an alert that is still being retried.
///
/// ```
/// use exosphere_alerts_sdk::{Alert, Ordered, Settings, export_ordering};
///
/// struct Incidents;
///
/// impl Ordered for Incidents {
///     fn key(alert: Alert, _settings: Settings) -> Option<String> {
///         // One incident a rule, whatever it fires for.
///         alert.rule.id
///     }
/// }
///
/// export_ordering!(Incidents);
/// ```
pub trait Ordered {
    /// What at the target an alert is about, in at most 512 bytes; none when it stands
    /// for itself.
    ///
    /// Of the deliveries to one endpoint with the same key, the host sends one at a
    /// time, and once a newer one was to be sent, an older one that failed is not sent
    /// again. So the newest must say all that the target should know by then.
    fn key(alert: Alert, settings: Settings) -> Option<String>;
}

/// Makes a type that implements [`Ordered`] part of the plugin, beside
/// [`export_target!`](crate::export_target).
///
/// Does nothing outside WebAssembly, so that the crate can be tested natively.
#[macro_export]
macro_rules! export_ordering {
    ($ordered:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type __Ordering = $crate::glue::Ordering<$ordered>;
    $crate::bindings::ordered::export!(__Ordering with_types_in $crate::bindings::ordered);
        };
    };
}

/// An [`Ordered`] as the generated bindings want it.
pub struct Ordering<T>(PhantomData<T>);

impl<T: Ordered> ordering::Guest for Ordering<T> {
    fn key(alert: Vec<u8>, settings: Vec<u8>) -> Option<String> {
        // An alert that does not read is the adapter's to reject.
        let alert = serde_json::from_slice(&alert).ok()?;
        T::key(alert, Settings::new(settings))
    }
}
