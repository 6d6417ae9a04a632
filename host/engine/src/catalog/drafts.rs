//! A webhook endpoint that somebody is still writing: as it would be if it were saved now.
//! Checked as it would be then, and stored nowhere.

use alerts_domain::endpoint::masked_url;
use alerts_domain::id::EndpointId;
use alerts_store::AuditEntry;
use serde_json::json;

use super::endpoint_requests::{EndpointDraft, EndpointPatch};
use super::endpoints::{Changed, Endpoints};
use super::expected::Expected;
use crate::actor::Actor;
use crate::changes;
use crate::error::ChangeError;
use crate::live::LiveEndpoint;

/// What somebody is writing.
#[derive(Debug, Clone)]
pub enum Draft {
    /// A new endpoint.
    New(Box<EndpointDraft>),
    /// A change of one that is stored.
    Changed {
        /// Which.
        id: EndpointId,
        /// What is absent is as it is stored, secrets too.
        patch: Box<EndpointPatch>,
    },
}

impl Endpoints {
    /// The endpoint that a draft would make, with everything that is wrong with it told as
    /// if it were saved.
    pub(crate) async fn drafted(
        &self,
        actor: &Actor,
        draft: Draft,
    ) -> Result<LiveEndpoint, ChangeError> {
        let (endpoint, secrets) = match draft {
            Draft::New(draft) => self.made(actor, *draft).await?,
            Draft::Changed { id, patch } => {
                let changed = self.changed(actor, id, &Expected::Whatever, *patch).await?;
                let Changed { endpoint, secrets, .. } = changed;
                (endpoint, secrets)
            }
        };
        Ok(LiveEndpoint::new(endpoint, secrets))
    }

    /// What keeps a draft from being saved; or, of a change, the names of the fields that it
    /// would make different. Of secrets it says whether they are others.
    pub async fn check_draft(
        &self,
        actor: &Actor,
        draft: Draft,
    ) -> Result<Vec<String>, ChangeError> {
        match draft {
            Draft::New(draft) => self.made(actor, *draft).await.map(|_| Vec::new()),
            Draft::Changed { id, patch } => {
                let changed = self.changed(actor, id, &Expected::Whatever, *patch).await?;
                Ok(changes::names(&changed.detail))
            }
        }
    }

    /// Writes down that a draft is about to be sent to: nothing else tells of it later, and
    /// the secrets of a stored endpoint may go where its owner never sent them.
    pub(crate) async fn note_test_of(
        &self,
        actor: &Actor,
        endpoint: &LiveEndpoint,
    ) -> Result<(), ChangeError> {
        let spec = &endpoint.stored().spec;
        let detail = json!({
            "name": spec.name,
            "target": spec.target,
            "target_url": masked_url(&spec.target_url),
        });
        let entry: AuditEntry = actor.does("webhook.draft_tested", endpoint.stored().id, detail);
        Ok(self.store.note(&actor.tenant, &entry, self.clock.now()).await?)
    }
}
