//! The keeper: claims what is due, keeps this host's lease alive, and takes
//! over from hosts that died.

use std::sync::PoisonError;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_store::Claimed;

use super::Job;
use crate::deferred;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::plugins::PluginFolder;
use crate::recording::TROUBLE;

/// How long a host's lease lasts without a heartbeat, and how often it beats.
/// Six beats to a lease, so that a slow database does not cost us our work.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
const BEAT: Duration = Duration::from_secs(5);
/// How often other hosts' changes and due work are looked for. Bounds how long
/// another host's change of a rule stays unseen here.
const POLL: Duration = Duration::from_secs(1);
/// Least time between two claims: under a storm of retries, claims batch.
const CLAIM_GAP: Duration = Duration::from_millis(2);
/// Most deliveries claimed at once, in all and for one endpoint. Few for one: what
/// is claimed waits in memory, and what waits in the database can be canceled.
const CLAIM: u32 = 512;
const CLAIM_PER_ENDPOINT: u32 = 64;
/// Most deliveries given up at once because they are too old.
const EXPIRE: u32 = 1000;

impl Engine {
    /// Runs until the engine is shut down.
    pub(crate) async fn keep_claims(self) {
        loop {
            let wait_until = match self.claim_round().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "due deliveries could not be claimed; trying again");
                    Some(self.after(TROUBLE))
                }
            };
            self.pump();
            self.rest(wait_until).await;
        }
    }

    /// Claims what is due now and says when something is due next.
    pub(crate) async fn claim_round(&self) -> Result<Option<Timestamp>, EngineError> {
        let now = self.clock().now();
        *self.dispatcher().wake_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let (leave_out, probes) = self.dispatcher().lanes().claim_plan(now);
        let (store, host) = (self.store(), self.host_id());
        let mut claimed = store.claim_due(now, host, &leave_out, CLAIM_PER_ENDPOINT, CLAIM).await?;
        if !probes.is_empty() {
            claimed.extend(store.claim_due_to(now, host, &probes, 1, CLAIM).await?);
        }
        if claimed.is_empty() {
            // What is due but has no room wakes us when its lane moves.
            return Ok(store.next_due(now).await?);
        }
        let mut in_doubt = Vec::new();
        let mut lanes = self.dispatcher().lanes();
        for claimed in claimed {
            let Claimed { delivery, lease, event_body, received_at, .. } = claimed;
            let job = Job { delivery, lease, event_body, received_at };
            match claimed.in_doubt {
                true => in_doubt.push(job),
                false => lanes.push(job, false),
            }
        }
        drop(lanes);
        self.give_back(in_doubt);
        Ok(Some(now))
    }

    async fn rest(&self, until: Option<Timestamp>) {
        tokio::time::sleep(CLAIM_GAP).await;
        let poll = self.store().is_shared().then(|| self.after(POLL));
        let dispatcher = self.dispatcher();
        loop {
            let earlier = dispatcher.earlier.notified();
            let asked = *dispatcher.wake_at.lock().unwrap_or_else(PoisonError::into_inner);
            let until = [until, asked, poll].into_iter().flatten().min();
            let sleep = async {
                match until {
                    Some(until) => self.clock().sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => return,
                () = earlier => {}
            }
        }
    }

    /// Keeps this host's lease alive, and frees what dead hosts held.
    pub(crate) async fn keep_lease(self) {
        loop {
            self.clock().sleep_until(self.after(BEAT)).await;
            if let Err(error) = self.beat().await {
                tracing::error!(%error, host = %self.host_id(), "heartbeat failed; trying again");
            }
            self.tidy_lanes();
        }
    }

    /// Forgets lanes that nobody uses, and has the keeper claim for those that
    /// have room again.
    pub(crate) fn tidy_lanes(&self) {
        let now = self.clock().now();
        let (waiting, should_claim) = {
            let mut lanes = self.dispatcher().lanes();
            lanes.forget_idle(now);
            (lanes.waiting(), lanes.should_claim())
        };
        if should_claim {
            self.dispatcher().wake_at(now);
        }
        self.dispatcher().tell_circuits();
        metrics::gauge!("alerts_deliveries_in_memory").set(waiting as f64);
    }

    /// One heartbeat.
    pub(crate) async fn beat(&self) -> Result<(), EngineError> {
        let now = self.clock().now();
        self.store().heartbeat(self.host_id(), self.after(LEASE)).await?;
        let freed = self.store().release_dead_hosts(now).await?;
        if freed > 0 {
            tracing::warn!(freed, "took over deliveries of a host that stopped");
            self.dispatcher().wake_at(now);
        }
        let expired = self.store().expire_due(now, EXPIRE).await?;
        if expired > 0 {
            tracing::warn!(expired, "gave up deliveries that were due for over a week");
        }
        Ok(())
    }

    /// Follows other hosts' changes of rules and endpoints.
    pub(crate) async fn keep_catalog(self) {
        while self.store().is_shared() {
            self.clock().sleep_until(self.after(POLL)).await;
            if let Err(error) = self.catalog().follow().await {
                tracing::error!(%error, "other hosts' changes could not be read; trying again");
            }
        }
    }

    /// Follows the plugin folder, and what other hosts do to plugins.
    pub(crate) async fn keep_plugins(self, mut folder: Option<PluginFolder>) {
        while folder.is_some() || self.store().is_shared() {
            // By the machine's clock: files do not follow one that tests move.
            tokio::time::sleep(POLL).await;
            if let Some(folder) = &mut folder
                && let Err(error) = self.look_at_folder(folder, false).await
            {
                tracing::error!(%error, "the plugin folder cannot be read; trying again");
            }
            if self.store().is_shared()
                && let Err(error) = self.follow_plugins().await
            {
                tracing::error!(%error, "other hosts' plugins could not be read; trying again");
            }
        }
    }

    async fn follow_plugins(&self) -> Result<(), EngineError> {
        self.follow_grants().await?;
        self.follow_limits().await?;
        Ok(self.follow_uploads().await?)
    }

    /// Asks condition plugins again that could not answer.
    pub(crate) async fn keep_deferred(self) {
        loop {
            let began = self.clock().now();
            let left = self.match_deferred().await.unwrap_or_else(|error| {
                tracing::error!(%error, "deferred matching failed; trying again");
                true
            });
            if left {
                // Where very much waits, looking at it is not all that is done.
                let took = Duration::try_from(self.clock().now().duration_since(began));
                let pause = deferred::PAUSE.max(took.unwrap_or_default());
                self.clock().sleep_until(self.after(pause)).await;
            } else {
                self.deferred_work().await;
            }
        }
    }

    /// Fires timers of runs that take too long.
    pub(crate) async fn keep_timers(self) {
        loop {
            let next = self.settle_due_timers().await.unwrap_or_else(|error| {
                tracing::error!(%error, "due timers could not be settled; trying again");
                Some(self.after(TROUBLE))
            });
            let poll = self.store().is_shared().then(|| self.after(POLL));
            let sleep = async {
                match [next, poll].into_iter().flatten().min() {
                    Some(until) => self.clock().sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                () = self.timers_changed() => {}
            }
        }
    }

    pub(crate) fn after(&self, wait: Duration) -> Timestamp {
        self.clock().now().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}
