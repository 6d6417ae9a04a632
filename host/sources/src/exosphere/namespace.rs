//! One namespace: which pages of its runs are read, and what is remembered of it.
//!
//! The list has the newest runs first, so its first page has what is new; but for runs
//! that were made after the platform's clock was set back, which sort below older ones.
//! That there are more than are known gives them away, and the walk goes on. Runs that
//! are under way are looked up where they were, and of the old ones one page after
//! another, since any of them may be opened again.

mod memory;
mod pages;

use std::collections::HashSet;

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Clock, EngineError, Pulse};
use alerts_store::{Looked, SourceLease, Store, StoreError, WatchedRun};

use self::memory::NamespaceMemory;
use super::SOURCE;
use super::details::FailedRuns;
use super::placing;
use super::platform::{Failure, PAGE_SIZE, Platform};

/// Most pages that are read of one namespace in a walk from the newest runs. It goes on
/// there in the next look.
const MAX_WALK_PAGES: u64 = 100;
/// Most pages on which runs are looked up that are under way. Others have their turn in
/// the next look.
const MAX_OPEN_PAGES: usize = 20;
/// Most runs that are looked up in one look.
const MAX_OPEN_RUNS: u32 = 2_000;
/// How many looks go by before old runs are forgotten again, and how many are at once.
const LOOKS_TO_FORGET: u64 = 100;
const FORGET: u32 = 1_000;
/// Most remarks that are kept of one look.
const MAX_REMARKS: usize = 10;

/// Why a look has ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error("it is another host's turn")]
    Lost,
    #[error(transparent)]
    Failed(#[from] Failure),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Intake(#[from] EngineError),
}

/// What a look at a namespace needs, and what it leaves.
pub(super) struct Look<'a> {
    pub(super) store: &'a Store,
    pub(super) lease: &'a SourceLease,
    pub(super) platform: &'a Platform,
    pub(super) pulse: &'a Pulse,
    pub(super) clock: &'a dyn Clock,
    /// When all was answered last, by the platform's clock.
    pub(super) last_success: Option<Timestamp>,
    /// How many more requests for details there may be.
    pub(super) details_left: &'a mut u32,
    pub(super) failed_runs: &'a mut FailedRuns,
    pub(super) remarks: &'a mut Vec<String>,
    /// What time it was for the platform at its last answer.
    pub(super) platform_time: &'a mut Option<Timestamp>,
}

impl Look<'_> {
    fn remark(&mut self, remark: impl FnOnce() -> String) {
        if self.remarks.len() < MAX_REMARKS {
            self.remarks.push(remark());
        }
    }

    async fn save(&self, namespace: &TenantId, looked: &Looked) -> Result<(), Stop> {
        let is_ours = self.store.save_looked(self.lease, namespace.as_str(), looked).await?;
        if is_ours { Ok(()) } else { Err(Stop::Lost) }
    }
}

/// What was read in one look.
#[derive(Debug, Default)]
struct Read {
    pages: HashSet<u64>,
    runs: HashSet<String>,
}

/// The watch over one namespace. What it keeps in memory is only where to go on; all
/// else is in the database.
#[derive(Debug)]
pub(super) struct NamespaceWatch {
    namespace: TenantId,
    /// Runs that were made before then were there before anybody watched it; none when
    /// that is so of all that are there at the first look.
    since: Option<Timestamp>,
    /// As it is stored; none before it was read.
    memory: Option<NamespaceMemory>,
    /// The next page of old runs.
    audit_page: u64,
    /// Up to which number runs that are under way are looked up next.
    open_up_to: i64,
    looks: u64,
}

impl NamespaceWatch {
    pub(super) fn new(namespace: TenantId, since: Option<Timestamp>) -> Self {
        Self { namespace, since, memory: None, audit_page: 2, open_up_to: i64::MAX, looks: 0 }
    }

    /// One look. Whatever it has seen until it ends is stored.
    pub(super) async fn look(&mut self, look: &mut Look<'_>) -> Result<(), Stop> {
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            None => self.remembered(look).await?,
        };
        let mut read = Read::default();
        let looked = self.look_with(&mut memory, look, &mut read).await;
        // What was not stored is not remembered either.
        self.memory = looked.is_ok().then_some(memory);
        looked
    }

    async fn remembered(&self, look: &Look<'_>) -> Result<NamespaceMemory, Stop> {
        let stored = look.store.watched_namespace(SOURCE, self.namespace.as_str()).await?;
        Ok(match stored {
            None => NamespaceMemory::new(self.since),
            // What another release wrote may not read: then it begins anew, silently.
            Some(stored) => NamespaceMemory::read(&stored).unwrap_or_else(|| {
                tracing::warn!(namespace = %self.namespace, "what was remembered does not read");
                NamespaceMemory::new(None)
            }),
        })
    }

    async fn look_with(
        &mut self,
        memory: &mut NamespaceMemory,
        look: &mut Look<'_>,
        read: &mut Read,
    ) -> Result<(), Stop> {
        self.walk(memory, look, read).await?;
        self.look_up_open(memory, look, read).await?;
        self.audit(memory, look, read).await?;
        if self.looks.is_multiple_of(LOOKS_TO_FORGET) {
            self.forget_old(memory, look).await?;
        }
        self.looks = self.looks.wrapping_add(1);
        Ok(())
    }

    /// From the newest run down to where all are known.
    async fn walk(
        &self,
        memory: &mut NamespaceMemory,
        look: &mut Look<'_>,
        read: &mut Read,
    ) -> Result<(), Stop> {
        let mut page = 1;
        for left in (0..MAX_WALK_PAGES).rev() {
            let seen = self.page(memory, look, read, page).await?;
            let is_last = seen.is_empty || page >= placing::pages(seen.total);
            if memory.is_taking_in {
                if is_last || left == 0 || memory.is_beyond_horizon(seen.oldest_us) {
                    memory.taken_in(seen.oldest_us.filter(|_| !is_last));
                    return self.save_memory(memory, look).await;
                }
                page += 1;
                continue;
            }
            let before = memory.clone();
            let next = memory.go_on(page, seen.new, is_last, left == 0);
            if *memory != before {
                self.save_memory(memory, look).await?;
            }
            match next {
                Some(next) => page = next,
                None => break,
            }
        }
        Ok(())
    }

    /// The runs that are under way and were not on the pages of the walk.
    async fn look_up_open(
        &mut self,
        memory: &mut NamespaceMemory,
        look: &mut Look<'_>,
        read: &mut Read,
    ) -> Result<(), Stop> {
        let (namespace, up_to) = (self.namespace.as_str(), self.open_up_to);
        let open = look.store.open_runs(SOURCE, namespace, up_to, MAX_OPEN_RUNS).await?;
        let all = u32::try_from(open.len()).unwrap_or(u32::MAX);
        self.open_up_to = match open.last() {
            Some(last) if all == MAX_OPEN_RUNS => last.ordinal,
            _ => i64::MAX,
        };
        let (mut wanted, mut pages) = (Vec::new(), Vec::new());
        for run in open {
            if read.runs.contains(&run.run_id) {
                continue;
            }
            let its_pages = placing::pages_of(&run, memory.total);
            let new: Vec<u64> =
                its_pages.into_iter().filter(|page| !pages.contains(page)).collect();
            if pages.len() + new.len() > MAX_OPEN_PAGES {
                self.open_up_to = run.ordinal;
                break;
            }
            pages.extend(new);
            wanted.push(run);
        }
        for page in pages {
            if !read.pages.contains(&page) {
                self.page(memory, look, read, page).await?;
            }
        }
        let mut looked = Looked::default();
        for run in wanted.into_iter().filter(|run| !read.runs.contains(&run.run_id)) {
            if placing::pages_of(&run, memory.total).is_empty() {
                // Somebody has deleted it in the platform's database.
                tracing::warn!(namespace, run_id = run.run_id, "a run is not served any more");
                looked.forgotten.push(run.run_id);
            } else {
                looked.runs.push(WatchedRun { misses: run.misses.saturating_add(1), ..run });
            }
        }
        if looked != Looked::default() {
            look.save(&self.namespace, &looked).await?;
        }
        Ok(())
    }

    /// One page of old runs.
    async fn audit(
        &mut self,
        memory: &mut NamespaceMemory,
        look: &mut Look<'_>,
        read: &mut Read,
    ) -> Result<(), Stop> {
        if self.audit_page > placing::pages(memory.total) {
            self.audit_page = 2;
        }
        let page = self.audit_page;
        if page > placing::pages(memory.total) {
            return Ok(());
        }
        self.audit_page += 1;
        if !read.pages.contains(&page) {
            let seen = self.page(memory, look, read, page).await?;
            if memory.is_beyond_horizon(seen.oldest_us) {
                self.audit_page = 2;
            }
        }
        Ok(())
    }

    /// Forgets runs that are too old to be opened again, as far as anybody watches.
    async fn forget_old(
        &self,
        memory: &mut NamespaceMemory,
        look: &mut Look<'_>,
    ) -> Result<(), Stop> {
        let (namespace, before_us) = (self.namespace.as_str(), memory.horizon_us());
        let old = look.store.oldest_closed_runs(SOURCE, namespace, before_us, FORGET).await?;
        let Some((newest_us, _)) = old.last() else { return Ok(()) };
        memory.forgotten(*newest_us);
        let forgotten = old.into_iter().map(|(_, run_id)| run_id).collect();
        let memory = Some(memory.stored());
        look.save(&self.namespace, &Looked { memory, forgotten, ..Looked::default() }).await
    }

    async fn save_memory(&self, memory: &NamespaceMemory, look: &Look<'_>) -> Result<(), Stop> {
        let memory = Some(memory.stored());
        look.save(&self.namespace, &Looked { memory, ..Looked::default() }).await
    }
}

/// A page is never larger than this, whatever is served.
const MAX_ROWS: usize = PAGE_SIZE as usize;
