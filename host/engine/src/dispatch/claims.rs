//! Claims: what is due in the database comes into this host's hands, endpoint by
//! endpoint, as far as there is room for it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use alerts_domain::Timestamp;
use alerts_domain::id::HostId;
use alerts_domain::tenant::TenantId;
use alerts_store::{Claimed, Store};
use futures_util::{StreamExt as _, stream};

use super::dispatcher::Dispatcher;
use super::job::{Job, JobEvent};
use super::obstacle::{obstacle, waits_for};
use super::recording::{Recorder, TROUBLE};
use super::scheduler::ClaimPlan;
use crate::catalog::{Catalog, TenantCatalog};
use crate::clock::Clock;
use crate::error::EngineError;
use crate::live::RateLimits;
use crate::plugins::Plugins;
use crate::wakes::Wakes;

/// Most deliveries claimed at once, in all and for one endpoint. Few for one: what
/// is claimed waits in memory, and what waits in the database can be canceled.
const CLAIM: u32 = 512;
const CLAIM_PER_ENDPOINT: u32 = 64;
/// Catalogs that are read at once for what was claimed: a few of the database's
/// readers, so that others get theirs.
const LOADS: usize = 8;

/// What claims. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Claims {
    pub(crate) host: HostId,
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) plugins: Plugins,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) recorder: Recorder,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wakes: Wakes,
}

impl Claims {
    /// Claims what is due now and says when something is due next.
    pub(crate) async fn round(&self) -> Result<Option<Timestamp>, EngineError> {
        let now = self.clock.now();
        self.wakes.claims.clear();
        if self.wakes.unblocked.swap(false, Ordering::AcqRel) {
            self.unblock().await;
        }
        let ClaimPlan { leave_out, probes } = self.dispatcher.claim_plan(now);
        let (store, host) = (&self.store, self.host);
        let mut claimed = store.claim_due(now, host, &leave_out, CLAIM_PER_ENDPOINT, CLAIM).await?;
        if !probes.is_empty() {
            claimed.extend(store.claim_due_to(now, host, &probes, 1, CLAIM).await?);
        }
        if claimed.is_empty() {
            // What is due but has no room wakes us when its lane moves.
            return Ok(store.next_due(now).await?);
        }
        self.take_in(claimed).await;
        Ok(Some(now))
    }

    /// Goes on with endpoints to which something can be sent again.
    async fn unblock(&self) {
        for (tenant, endpoint) in self.dispatcher.blocked() {
            match self.catalog.get(&tenant).await {
                Ok(catalog) => {
                    if obstacle(&catalog, &self.plugins, &tenant, endpoint).is_none() {
                        self.dispatcher.unblock(endpoint);
                    }
                }
                Err(error) => {
                    tracing::error!(%tenant, %error, "the tenant's endpoints could not be read");
                }
            }
        }
    }

    /// Puts what was claimed into its lanes, under the limits of its tenants.
    async fn take_in(&self, claimed: Vec<Claimed>) {
        let (mut jobs, mut in_doubt) = (Vec::new(), Vec::new());
        for claimed in claimed {
            let Claimed {
                delivery,
                lease,
                event_type,
                event_body: body,
                received_at,
                in_doubt: is_in_doubt,
            } = claimed;
            let event = JobEvent { event_type, body, received_at };
            // In hand before anything else is waited for.
            let limits = RateLimits::default();
            let job = self.dispatcher.hold(delivery, lease, event, limits);
            if is_in_doubt { in_doubt.push(job) } else { jobs.push(job) }
        }
        self.recorder.give_back(in_doubt, self.clock.now());
        let catalogs = self.catalogs_of(&jobs).await;
        let (mut ready, mut unread, mut blocked) = (Vec::new(), Vec::new(), Vec::new());
        for mut job in jobs {
            let Some(catalog) = catalogs.get(&job.delivery.tenant) else {
                // Its limits are not guessed: it waits until they can be read.
                unread.push(job);
                continue;
            };
            let (endpoint, rule) = (job.delivery.webhook_endpoint_id, job.delivery.alert_rule_id);
            let obstacle = obstacle(catalog, &self.plugins, &job.delivery.tenant, endpoint);
            if let Some(reason) = obstacle {
                blocked.push((job, reason));
                continue;
            }
            job.limits = catalog.limits(endpoint, rule);
            ready.push(job);
        }
        self.dispatcher.push_claimed(ready);
        self.give_back_blocked(blocked).await;
        self.recorder.give_back(unread, self.clock.after(TROUBLE));
    }

    /// Gives back what cannot be sent now, the first of each endpoint with the reason,
    /// and claims no more for these endpoints.
    async fn give_back_blocked(&self, blocked: Vec<(Job, String)>) {
        let (mut waiting, mut told) = (Vec::new(), HashSet::new());
        for (job, reason) in blocked {
            let endpoint = job.delivery.webhook_endpoint_id;
            let reason = told.insert(endpoint).then(|| waits_for(&reason));
            if reason.is_some() {
                let also = self.dispatcher.block(job.delivery.tenant.clone(), endpoint);
                waiting.extend(also.into_iter().map(|job| (job, None)));
            }
            waiting.push((job, reason));
        }
        self.recorder.give_back_as_they_were(waiting).await;
    }

    /// The catalogs of all tenants that something was claimed of.
    async fn catalogs_of(&self, jobs: &[Job]) -> HashMap<TenantId, Arc<TenantCatalog>> {
        let tenants = jobs.iter().map(|job| job.delivery.tenant.clone());
        let tenants: BTreeSet<TenantId> = tenants.collect();
        let loads = stream::iter(tenants).map(|tenant| {
            let catalog = self.catalog.clone();
            async move {
                match catalog.get(&tenant).await {
                    Ok(loaded) => Some((tenant, loaded)),
                    Err(error) => {
                        tracing::error!(%tenant, %error, "the tenant's endpoints could not be read");
                        None
                    }
                }
            }
        });
        loads.buffered(LOADS).filter_map(std::future::ready).collect().await
    }
}
