//! A rehearsal of an endpoint that is about to be saved: its adapter is asked for its
//! first request, and what could never be delivered is told while somebody looks.
//!
//! Only what the tenant can mend by other settings, headers or secrets counts. What an
//! adapter does wrong shows in its deliveries, as with any version that comes later.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::alert;
use alerts_domain::delivery::attempt_seed;
use alerts_domain::endpoint::{EndpointSecrets, EndpointSpec, WebhookEndpoint};
use alerts_domain::exchange::{Step, Verdict};
use alerts_domain::header;
use alerts_domain::id::{DeliveryId, EndpointId, EventId};
use alerts_domain::keyring::Sealed;
use alerts_domain::origin::Origin;
use alerts_domain::problem::FieldError;
use alerts_domain::run_url::LinkTemplate;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_sandbox::{Plugin, Sandbox, TargetDelivery};
use serde_json::{Map, Value};

use crate::egress::Egress;
use crate::live::{LiveEndpoint, target_endpoint};
use crate::sample;

/// What a missing secret is, for a moment, to see whether the adapter misses it.
const SAMPLE_SECRET: &str = "a-sample-of-a-secret";

/// Who plays.
pub(crate) struct Rehearsal<'r> {
    pub(crate) sandbox: &'r Sandbox,
    pub(crate) egress: &'r Egress,
    pub(crate) plugin: &'r Arc<Plugin>,
    pub(crate) granted: &'r [Origin],
    pub(crate) tenant: &'r TenantId,
    pub(crate) spec: &'r EndpointSpec,
    pub(crate) run_link: Option<&'r LinkTemplate>,
    pub(crate) now: Timestamp,
}

impl Rehearsal<'_> {
    /// What would keep every delivery of this endpoint from being sent, with pointers
    /// into the endpoint.
    pub(crate) async fn problems(&self, secrets: &EndpointSecrets) -> Vec<FieldError> {
        let endpoint = self.endpoint(secrets);
        let request = match self.first_step(&endpoint).await {
            Some(Step::Send(request) | Step::SendLast(request)) => request,
            Some(Step::Done(Verdict::Rejected(reason))) => {
                return self.missing_secret(secrets, &reason).await.into_iter().collect();
            }
            Some(Step::Done(_)) | None => return Vec::new(),
        };
        if let Some(name) = header::repeated(&request.headers, &self.spec.headers) {
            let detail = format!(
                "header `{name}` would be sent twice: target `{}` sets it itself; remove one of the two",
                self.plugin.id()
            );
            return vec![FieldError::new(self.pointer_to(name), detail)];
        }
        let refused = self.egress.refused_header(&request, &endpoint, self.granted, self.now);
        refused
            .map(|refused| {
                let pointer = self.pointer_to(&refused.header.unwrap_or_default());
                FieldError::new(pointer, refused.detail)
            })
            .into_iter()
            .collect()
    }

    /// The secret without which the adapter rejects every delivery, if that is why.
    async fn missing_secret(&self, secrets: &EndpointSecrets, reason: &str) -> Option<FieldError> {
        let slots = self.plugin.manifest().secrets.iter();
        for slot in slots.filter(|slot| !secrets.named.contains_key(&slot.name)) {
            let mut with_it = secrets.clone();
            with_it.named.insert(slot.name.clone(), Secret::new(SAMPLE_SECRET));
            let step = self.first_step(&self.endpoint(&with_it)).await;
            if matches!(step, Some(Step::Send(_) | Step::SendLast(_))) {
                let detail = format!("every delivery would be rejected: {reason}");
                return Some(FieldError::new(format!("/secrets/{}", slot.name), detail));
            }
        }
        None
    }

    fn endpoint(&self, secrets: &EndpointSecrets) -> LiveEndpoint {
        let stored = WebhookEndpoint {
            id: EndpointId::new(self.now, 0),
            tenant: self.tenant.clone(),
            spec: self.spec.clone(),
            sealed_secrets: Sealed::from_stored(String::new()),
            version: 1,
            managed_by: None,
            created_by: String::new(),
            created_at: self.now,
            updated_at: self.now,
            deleted_at: None,
        };
        // The spec has the whole URL, which is all that a request is made of.
        LiveEndpoint::new(stored, EndpointSecrets { url: None, ..secrets.clone() })
    }

    async fn first_step(&self, endpoint: &LiveEndpoint) -> Option<Step> {
        let stored = endpoint.stored();
        let (id, event) = (DeliveryId::new(self.now, 0), EventId::new(self.now, 0));
        let delivery = sample::delivery(self.tenant, id, event, stored.id, self.now);
        let event = sample::event(&delivery).ok()?;
        let include_data = self.spec.include_event_data;
        let alert =
            alert::build(&delivery, &event.body, self.now, include_data, self.run_link).ok()?;
        let told = TargetDelivery {
            id: id.to_string(),
            attempt: 1,
            now_ms: u64::try_from(self.now.as_millisecond()).unwrap_or(0),
            seed: attempt_seed(id, 1),
            alert,
            endpoint: target_endpoint(endpoint),
        };
        // A broken adapter does not keep anybody from saving an endpoint.
        self.sandbox.next(self.plugin, self.tenant, &told, &[]).await.ok()
    }

    /// Where the tenant wrote this header's name: among the headers, or as a setting.
    fn pointer_to(&self, header: &str) -> String {
        let mut headers = self.spec.headers.iter();
        if let Some((name, _)) = headers.find(|(name, _)| name.eq_ignore_ascii_case(header)) {
            return format!("/headers/{}", escaped(name));
        }
        let found = find_in(&self.spec.settings, header).unwrap_or_default();
        format!("/settings{found}")
    }
}

/// The pointer to a setting that is this text, whatever the case of its letters.
fn find_in(settings: &Map<String, Value>, text: &str) -> Option<String> {
    settings.iter().find_map(|(key, value)| {
        let below = match value {
            Value::String(value) => value.eq_ignore_ascii_case(text).then(String::new)?,
            Value::Object(inner) => find_in(inner, text)?,
            _ => return None,
        };
        Some(format!("/{}{below}", escaped(key)))
    })
}

/// A JSON pointer's token (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_header_is_found_among_nested_settings() {
        let settings = json!({"query": {"a": "b"}, "au/th": {"type": "api_key", "header": "Host"}});
        let settings = settings.as_object().unwrap();
        assert_eq!(find_in(settings, "host").as_deref(), Some("/au~1th/header"));
        assert_eq!(find_in(settings, "x-key"), None);
    }
}
