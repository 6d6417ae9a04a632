//! The loop that finds out what has changed, here and on other hosts, and tells those
//! who listen.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alerts_domain::Timestamp;
use alerts_domain::id::HostId;
use alerts_domain::tenant::TenantId;
use alerts_store::{NewsReader, Store};

use super::subscription::Streams;
use crate::background::POLL;
use crate::background::supervisor::{BackgroundLoop, Pulse};
use crate::clock::Clock;
use crate::error::EngineError;

/// Between two looks while somebody listens: what other hosts did is told within it.
const LOOK: Duration = Duration::from_millis(250);
/// After something was committed here: what follows at once is told with it.
const GAP: Duration = Duration::from_millis(50);
/// For how long other hosts go on telling without hearing from this one. Twice as long
/// as a database may be away without anybody noticing.
const WATCHED_FOR: Duration = Duration::from_secs(20);
/// How often they hear from it.
const RENEW: Duration = Duration::from_secs(5);
/// After so long every host knows what is watched here, and what it began to commit
/// before that is committed or undone: three seconds and five.
const SETTLES_AFTER: Duration = Duration::from_secs(8);
/// The same where there is no other host: far longer than a commit takes that began
/// before somebody listened, and so is not told.
const SETTLES_ALONE_AFTER: Duration = Duration::from_secs(2);
/// What was told is kept for as long as a host may be behind.
const KEPT_FOR: Duration = Duration::from_secs(60);
const FORGET_EVERY: Duration = Duration::from_secs(10);
/// Rows in one commit.
const PORTION: u32 = 1_000;

/// Finds out and tells.
pub(crate) struct StreamLoop {
    streams: Streams,
    store: Store,
    host: HostId,
    clock: Arc<dyn Clock>,
    reader: NewsReader,
    was_idle: bool,
    watched_at: Option<Instant>,
    followed_at: Option<Instant>,
    audited_at: Option<Instant>,
    forgot_at: Instant,
}

impl StreamLoop {
    pub(crate) fn new(streams: Streams, store: Store, host: HostId, clock: Arc<dyn Clock>) -> Self {
        Self {
            streams,
            reader: NewsReader::new(store.clone()),
            store,
            host,
            clock,
            was_idle: true,
            watched_at: None,
            followed_at: None,
            audited_at: None,
            forgot_at: Instant::now(),
        }
    }

    async fn look(&mut self, pulse: &Pulse) -> Result<(), EngineError> {
        let mut new = self.streams.new_tenants();
        let tenants = self.streams.tenants();
        if self.store.is_shared() {
            // Others may have stopped telling meanwhile.
            if self.watched_at.is_some_and(|at| at.elapsed() > WATCHED_FOR / 2) {
                new.clone_from(&tenants);
            }
            self.follow_others(&tenants, !new.is_empty()).await?;
        }
        if tenants.is_empty() {
            (self.was_idle, self.watched_at) = (true, None);
            return Ok(());
        }
        if std::mem::take(&mut self.was_idle) {
            self.reader = NewsReader::new(self.store.clone());
        }
        loop {
            pulse.beat();
            let (news, has_more) = self.reader.read().await?;
            match news {
                Some(news) => self.streams.tell(news),
                None => self.streams.lost(),
            }
            if !has_more {
                break;
            }
        }
        if is_due(&mut self.audited_at, POLL) {
            self.look_at_audit_logs().await?;
        }
        if !new.is_empty() {
            let settles_after =
                if self.store.is_shared() { SETTLES_AFTER } else { SETTLES_ALONE_AFTER };
            self.streams.begun(&new, Instant::now() + settles_after);
        }
        self.streams.settle();
        Ok(())
    }

    /// Lets other hosts know what is watched here, and learns what they watch.
    async fn follow_others(
        &mut self,
        tenants: &HashSet<TenantId>,
        is_news: bool,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        if !tenants.is_empty() && (is_news || self.watched_at.is_none_or(|at| at.elapsed() > RENEW))
        {
            let until = self.clock.after(WATCHED_FOR);
            self.store.keep_watching(self.host, tenants, until).await?;
            self.watched_at = Some(Instant::now());
        }
        if is_due(&mut self.followed_at, POLL) {
            self.store.follow_watches(now).await?;
        }
        if self.forgot_at.elapsed() > FORGET_EVERY {
            self.forgot_at = Instant::now();
            let before = now.saturating_sub(KEPT_FOR).unwrap_or(Timestamp::MIN);
            while self.store.forget_news(before, PORTION).await? == u64::from(PORTION) {}
            self.store.forget_watches(now).await?;
        }
        Ok(())
    }

    /// Rules and endpoints: all that people and targets change in them is in the log.
    async fn look_at_audit_logs(&self) -> Result<(), EngineError> {
        let entries = self.store.audited_news(&self.streams.audited()).await?;
        let looked_at: Vec<(TenantId, i64)> =
            entries.iter().map(|(tenant, seq, _)| (tenant.clone(), *seq)).collect();
        let news = entries.into_iter().filter_map(|(tenant, _, news)| Some((tenant, news?)));
        self.streams.tell(news.collect());
        self.streams.set_audited(&looked_at);
        Ok(())
    }
}

/// Whether so long has passed, and if so, from now on it is counted anew.
fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let is_due = last.is_none_or(|at| at.elapsed() >= every);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

impl BackgroundLoop for StreamLoop {
    const NAME: &'static str = "stream";
    const SILENT_AFTER: Duration = Duration::from_secs(60);

    async fn round(&mut self, pulse: &Pulse) {
        if let Err(error) = self.look(pulse).await {
            tracing::warn!(%error, "what changed could not be read; trying again");
        }
    }

    async fn rest(&mut self) {
        // By the machine's clock: people wait for it.
        let until = match (self.was_idle, self.store.is_shared()) {
            (false, _) => LOOK,
            (true, true) => POLL,
            // Nobody listens, and there is nobody to be followed.
            (true, false) => return self.streams.joined().await,
        };
        tokio::select! {
            () = self.streams.joined() => {}
            () = self.store.told(), if !self.was_idle => tokio::time::sleep(GAP).await,
            () = tokio::time::sleep(until) => {}
        }
    }
}
