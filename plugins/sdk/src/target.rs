//! Target adapters: the trait an author implements, and what makes writing one
//! short. What answers mean is in `verdict`.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::target::exports::exosphere::alerts::adapter;
use crate::settings::read;
use crate::{Delivery, Endpoint, Exchange, Problem, Request, Settings, Step, Verdict};

/// A target adapter: how an alert becomes requests to one vendor's API.
///
/// There is no state: each call gets a fresh instance, and all that it may know
/// is in its arguments. The crate's front page has a whole example.
pub trait Target {
    /// Called when an endpoint is saved; the settings already fit the
    /// manifest's JSON Schema. Say here what a schema cannot.
    fn check(settings: Settings) -> Result<(), Vec<Problem>>;

    /// What next? `exchanges` holds what this attempt did so far, oldest first,
    /// and is empty at first. Answer with a request to be shown its outcome, with
    /// a last request to leave the verdict to the host, or with a verdict.
    fn next(delivery: Delivery, exchanges: Vec<Exchange>) -> Step;
}

/// Makes a type that implements [`Target`] the plugin's export.
///
/// Does nothing outside WebAssembly, so that the crate can be tested natively.
#[macro_export]
macro_rules! export_target {
    ($target:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type __Adapter = $crate::glue::Adapter<$target>;
    $crate::bindings::target::export!(__Adapter with_types_in $crate::bindings::target);
        };
    };
}

/// A [`Target`] as the generated bindings want it.
pub struct Adapter<T>(PhantomData<T>);

impl<T: Target> adapter::Guest for Adapter<T> {
    fn check(settings: Vec<u8>) -> Result<(), Vec<Problem>> {
        T::check(Settings::new(settings))
    }

    fn next(delivery: Delivery, exchanges: Vec<Exchange>) -> Step {
        T::next(delivery, exchanges)
    }
}

impl Delivery {
    /// The alert, as [`Alert`](crate::Alert) or the author's own type.
    pub fn read_alert<T: DeserializeOwned>(&self) -> Result<T, Verdict> {
        serde_json::from_slice(&self.alert)
            .map_err(|error| Verdict::Rejected(format!("the alert does not read: {error}")))
    }
}

impl Endpoint {
    /// The settings, as the author's type. In a function that answers
    /// `Result<_, Verdict>`, `?` turns the problems into a rejection.
    pub fn read_settings<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        read(&self.settings)
    }

    /// The reference that stands for the secret held under `name`, if there is
    /// one. Write it where the value belongs: URL, header or body.
    pub fn secret(&self, name: &str) -> Option<&str> {
        let mut secrets = self.secrets.iter();
        secrets.find(|secret| secret.name == name).map(|secret| secret.reference.as_str())
    }

    /// As [`secret`](Self::secret), for one that the adapter cannot do without.
    pub fn require_secret(&self, name: &str) -> Result<&str, Verdict> {
        self.secret(name).ok_or_else(|| {
            Verdict::Rejected(format!(
                "the endpoint holds no secret named `{name}`; add it to the endpoint's `secrets`"
            ))
        })
    }
}

impl Request {
    /// An unsigned request without headers and body.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            sign: false,
            extensions: Vec::new(),
        }
    }

    /// An unsigned POST of a JSON text.
    pub fn post_json(url: impl Into<String>, json: impl Into<Vec<u8>>) -> Self {
        let mut request = Self::new("POST", url).header("content-type", "application/json");
        request.body = json.into();
        request
    }

    /// Adds a header at the end.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds the headers that the tenant asked for, but none that the request
    /// has already: those the adapter needs.
    #[must_use]
    pub fn headers_of(mut self, endpoint: &Endpoint) -> Self {
        for (name, value) in &endpoint.headers {
            if !self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                self.headers.push((name.clone(), value.clone()));
            }
        }
        self
    }

    /// Asks the host to sign the final bytes with the endpoint's secret.
    #[must_use]
    pub fn signed(mut self) -> Self {
        self.sign = true;
        self
    }
}
