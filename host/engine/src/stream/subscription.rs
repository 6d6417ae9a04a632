//! Who listens on this host: joined, told, and left again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use alerts_domain::id::HostId;
use alerts_domain::tenant::TenantId;
use alerts_store::{News, Store};
use tokio::sync::{Notify, broadcast};

use super::channel::Channel;
use super::message::{Message, Told, told_of};
use crate::error::EngineError;

/// Streams of one tenant on one host: some people with some tabs each.
const PER_TENANT: usize = 32;
/// Streams on one host: each holds a connection, of which a small host has 256.
const ON_HOST: usize = 128;
/// Tenants of which messages are kept for those who come back, at some 50 KiB each; beyond
/// it only those to whom somebody listens.
const CHANNELS: usize = 512;

/// Why a stream was not opened.
#[derive(Debug, thiserror::Error)]
pub enum TooManyStreams {
    /// Of this tenant.
    #[error("{} streams of this namespace are open on this host; close one of them", PER_TENANT)]
    OfTenant,
    /// Of all tenants.
    #[error("{} streams are open on this host; close one, or try again in a moment", ON_HOST)]
    OnHost,
}

/// Everybody who listens on this host. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Streams(Arc<Inner>);

struct Inner {
    store: Store,
    host: HostId,
    state: Mutex<State>,
    joined: Notify,
}

#[derive(Default)]
struct State {
    channels: HashMap<TenantId, Channel>,
    listeners: usize,
    /// Of the last message.
    number: u64,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("host", &self.0.host).finish_non_exhaustive()
    }
}

impl Streams {
    pub(crate) fn new(store: Store, host: HostId) -> Self {
        Self(Arc::new(Inner { store, host, state: Mutex::default(), joined: Notify::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to what happens to a tenant from now on, or after a message that this
    /// host has told. The first message is a [`Told::Reset`] where something between
    /// then and now may have been missed.
    ///
    /// # Errors
    /// Too many listen, as the inner result; the database as the outer one.
    pub async fn subscribe(
        &self,
        tenant: &TenantId,
        after: Option<&str>,
    ) -> Result<Result<Subscription, TooManyStreams>, EngineError> {
        // Read before anything is told of what comes after it.
        let audited = self.0.store.newest_audit_entry(tenant).await?;
        let mut state = self.state();
        let State { channels, listeners, number } = &mut *state;
        if *listeners >= ON_HOST {
            return Ok(Err(TooManyStreams::OnHost));
        }
        if channels.len() >= CHANNELS && !channels.contains_key(tenant) {
            channels.retain(|_, channel| channel.listeners() > 0);
        }
        let is_new = !channels.contains_key(tenant);
        let channel =
            channels.entry(tenant.clone()).or_insert_with(|| Channel::new(audited, *number));
        if channel.listeners() >= PER_TENANT {
            return Ok(Err(TooManyStreams::OfTenant));
        }
        let asked = after.and_then(|id| self.number_of(id));
        let backlog = match asked.and_then(|number| channel.since(number)) {
            Some(backlog) => backlog,
            // The loop tells it, once nothing is missed any more.
            None if channel.is_new => VecDeque::new(),
            None => VecDeque::from([self.message(channel.newest(), Told::Reset)]),
        };
        let receiver = channel.join();
        *listeners += 1;
        if is_new {
            self.0.store.watch(channels.keys().cloned().collect());
            self.0.joined.notify_one();
        }
        metrics::gauge!("alerts_streams_open").set(*listeners as f64);
        let left = Left { streams: self.clone(), tenant: tenant.clone() };
        Ok(Ok(Subscription { backlog, receiver, _left: left }))
    }

    /// Ends when somebody listens to a tenant to whom nobody did.
    pub(super) async fn joined(&self) {
        self.0.joined.notified().await;
    }

    /// The tenants to whom somebody listens, or did a moment ago.
    pub(super) fn tenants(&self) -> HashSet<TenantId> {
        let mut state = self.state();
        let before = state.channels.len();
        state.channels.retain(|_, channel| !channel.is_left());
        let tenants: HashSet<TenantId> = state.channels.keys().cloned().collect();
        if tenants.len() != before {
            self.0.store.watch(tenants.clone());
        }
        tenants
    }

    /// Those of which nobody was told yet that nothing is missed any more.
    pub(super) fn new_tenants(&self) -> HashSet<TenantId> {
        let state = self.state();
        let new = state.channels.iter().filter(|(_, channel)| channel.is_new);
        new.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// From now on nothing is missed of what this host begins to do. At `settles_at` it is
    /// told again: by then that is true of all hosts, and of what had begun before.
    pub(super) fn begun(&self, tenants: &HashSet<TenantId>, settles_at: Instant) {
        let mut state = self.state();
        for tenant in tenants {
            if let Some(channel) = state.channels.get_mut(tenant) {
                (channel.is_new, channel.settles_at) = (false, Some(settles_at));
            }
        }
        self.reset(&mut state, |tenant, _| tenants.contains(tenant));
    }

    /// Tells it again where it is true without exception by now.
    pub(super) fn settle(&self) {
        let now = Instant::now();
        self.reset(&mut self.state(), |_, channel| {
            channel.settles_at.take_if(|at| *at <= now).is_some()
        });
    }

    /// Something is lost, it is not known of whom.
    pub(super) fn lost(&self) {
        self.reset(&mut self.state(), |_, _| true);
    }

    /// Tells the changes of a moment.
    pub(super) fn tell(&self, news: Vec<(TenantId, News)>) {
        let mut by_tenant: HashMap<TenantId, Vec<News>> = HashMap::new();
        let mut state = self.state();
        for (tenant, news) in news {
            if state.channels.contains_key(&tenant) {
                by_tenant.entry(tenant).or_default().push(news);
            }
        }
        let State { channels, number, .. } = &mut *state;
        for (tenant, news) in by_tenant {
            let Some(channel) = channels.get_mut(&tenant) else { continue };
            for told in told_of(news) {
                *number += 1;
                channel.tell(self.message(*number, told));
            }
        }
    }

    /// How far each tenant's audit log was looked at.
    pub(super) fn audited(&self) -> Vec<(TenantId, i64)> {
        let state = self.state();
        state.channels.iter().map(|(tenant, channel)| (tenant.clone(), channel.audited)).collect()
    }

    /// These entries were looked at.
    pub(super) fn set_audited(&self, looked_at: &[(TenantId, i64)]) {
        let mut state = self.state();
        for (tenant, seq) in looked_at {
            if let Some(channel) = state.channels.get_mut(tenant) {
                channel.audited = channel.audited.max(*seq);
            }
        }
    }

    fn reset(&self, state: &mut State, mut which: impl FnMut(&TenantId, &mut Channel) -> bool) {
        let State { channels, number, .. } = state;
        for (tenant, channel) in channels {
            if which(tenant, channel) {
                *number += 1;
                channel.tell(self.message(*number, Told::Reset));
            }
        }
    }

    fn message(&self, number: u64, told: Told) -> Message {
        Message { number, id: format!("{}-{number}", self.0.host).into(), told }
    }

    /// None when another host has told it, or nobody.
    fn number_of(&self, id: &str) -> Option<u64> {
        let (host, number) = id.rsplit_once('-')?;
        if host != self.0.host.to_string() {
            return None;
        }
        number.parse().ok()
    }

    fn leave(&self, tenant: &TenantId) {
        let mut state = self.state();
        state.listeners = state.listeners.saturating_sub(1);
        metrics::gauge!("alerts_streams_open").set(state.listeners as f64);
        if let Some(channel) = state.channels.get_mut(tenant) {
            channel.leave();
        }
    }
}

/// One who listens, until it is dropped.
pub struct Subscription {
    backlog: VecDeque<Message>,
    receiver: broadcast::Receiver<Message>,
    _left: Left,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("backlog", &self.backlog.len()).finish_non_exhaustive()
    }
}

impl Subscription {
    /// The next message, once there is one; none when this one is too far behind, and
    /// should come back to be told what it missed.
    pub async fn next(&mut self) -> Option<Message> {
        match self.backlog.pop_front() {
            Some(message) => Some(message),
            None => self.receiver.recv().await.ok(),
        }
    }
}

struct Left {
    streams: Streams,
    tenant: TenantId,
}

impl Drop for Left {
    fn drop(&mut self) {
        self.streams.leave(&self.tenant);
    }
}

#[cfg(test)]
mod tests {
    use alerts_domain::Timestamp;
    use alerts_domain::id::EventId;

    use super::*;

    /// Streams over an empty database, which is kept for as long as the folder.
    async fn streams() -> (Streams, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("alerts.db").display());
        let host = HostId::new(Timestamp::UNIX_EPOCH, 1);
        (Streams::new(Store::open(&url).await.unwrap(), host), folder)
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn event(number: u128) -> News {
        let id = EventId::new(Timestamp::UNIX_EPOCH, number);
        News::Event { id, event_type: "t".into(), received_at: Timestamp::UNIX_EPOCH }
    }

    #[tokio::test]
    async fn who_does_not_keep_up_is_cut_and_told_to_look_again() {
        let (streams, _folder) = streams().await;
        let ada = tenant("ada");
        let mut slow = streams.subscribe(&ada, None).await.unwrap().unwrap();
        streams.begun(&streams.new_tenants(), Instant::now());
        let first = slow.next().await.unwrap();
        assert_eq!(first.told, Told::Reset);
        for number in 0..600 {
            streams.tell(vec![(ada.clone(), event(number))]);
        }
        assert_eq!(slow.next().await, None, "what it missed is no longer kept");
        let mut back = streams.subscribe(&ada, Some(&first.id)).await.unwrap().unwrap();
        assert_eq!(back.next().await.unwrap().told, Told::Reset);
        streams.tell(vec![(ada.clone(), event(1000))]);
        let next = back.next().await.unwrap();
        assert_eq!(next.told, Told::News(event(1000).into()));
        let mut again = streams.subscribe(&ada, Some(&next.id)).await.unwrap().unwrap();
        streams.tell(vec![(ada.clone(), event(1001)), (tenant("bob"), event(1002))]);
        assert_eq!(again.next().await.unwrap().told, Told::News(event(1001).into()));
    }

    #[tokio::test]
    async fn a_host_has_so_many_places_and_whoever_leaves_frees_one() {
        let (streams, _folder) = streams().await;
        let mut open = Vec::new();
        for number in 0..ON_HOST {
            let tenant = tenant(&format!("tenant-{}", number / PER_TENANT));
            open.push(streams.subscribe(&tenant, None).await.unwrap().unwrap());
        }
        let refused = streams.subscribe(&tenant("another"), None).await.unwrap();
        assert!(matches!(refused, Err(TooManyStreams::OnHost)));
        open.pop();
        let refused = streams.subscribe(&tenant("tenant-0"), None).await.unwrap();
        assert!(matches!(refused, Err(TooManyStreams::OfTenant)));
        assert!(streams.subscribe(&tenant("another"), None).await.unwrap().is_ok());
        // Kept for a while: whoever left may come back.
        assert_eq!(streams.tenants().len(), ON_HOST / PER_TENANT + 1);
    }

    #[tokio::test]
    async fn what_is_kept_for_those_who_left_has_a_bound() {
        let (streams, _folder) = streams().await;
        let stays = streams.subscribe(&tenant("stays"), None).await.unwrap().unwrap();
        for number in 0..CHANNELS - 1 {
            drop(streams.subscribe(&tenant(&format!("tenant-{number}")), None).await.unwrap());
        }
        assert_eq!(streams.tenants().len(), CHANNELS);
        let comes = streams.subscribe(&tenant("comes"), None).await.unwrap().unwrap();
        assert_eq!(streams.tenants(), HashSet::from([tenant("stays"), tenant("comes")]));
        drop((stays, comes));
    }
}
