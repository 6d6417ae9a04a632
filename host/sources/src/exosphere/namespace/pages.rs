//! Reading one page: what is on it, what follows from it, and that both are stored.

use std::collections::HashMap;

use alerts_domain::Timestamp;
use alerts_store::{Looked, WatchedRun};

use super::memory::NamespaceMemory;
use super::{Look, MAX_ROWS, NamespaceWatch, Read, Stop};
use crate::exosphere::answers::{RunRow, RunStatus, RunsPage};
use crate::exosphere::details::Details;
use crate::exosphere::local_time::ClockOffset;
use crate::exosphere::platform::Answer;
use crate::exosphere::run::{self, Moment, ReadAt, RunMemory, Seen};
use crate::exosphere::{SOURCE, events, placing};

/// What a page was like.
#[derive(Debug)]
pub(super) struct PageSeen {
    pub(super) total: u64,
    /// How many of its runs were new.
    pub(super) new: usize,
    pub(super) is_empty: bool,
    /// When the oldest of its runs was made, by the platform's clock.
    pub(super) oldest_us: Option<i64>,
}

impl NamespaceWatch {
    /// Reads a page and stores what follows from it.
    pub(super) async fn page(
        &self,
        memory: &mut NamespaceMemory,
        look: &mut Look<'_>,
        read: &mut Read,
        page: u64,
    ) -> Result<PageSeen, Stop> {
        let asked_ms = look.clock.now().as_millisecond();
        let Answer { value, date } = look.platform.runs(&self.namespace, page).await?;
        let answered_at = look.clock.now();
        let read_at = ReadAt { asked_ms, answered_ms: answered_at.as_millisecond() };
        look.pulse.beat();
        *look.platform_time = date.or(*look.platform_time);
        let seen_at = date.unwrap_or(answered_at);
        let RunsPage { total, mut runs, served, unreadable } = value;
        runs.truncate(MAX_ROWS);
        if let Some(why) = unreadable {
            let namespace = &self.namespace;
            look.remark(|| format!("a run of {namespace} does not read and is left out: {why}"));
        }
        let ids: Vec<&str> = runs.iter().map(|(_, row)| row.run_id.as_str()).collect();
        let known = look.store.watched_runs(SOURCE, self.namespace.as_str(), &ids).await?;
        let known: HashMap<String, WatchedRun> =
            known.into_iter().map(|run| (run.run_id.clone(), run)).collect();
        if page == 1 {
            if memory.is_another_database(total, !known.is_empty()) {
                self.begin_anew(memory, look).await?;
            }
            memory.counted(total);
        }
        if memory.is_taking_in && memory.since.is_some() && memory.offset.is_none() {
            memory.offset = self.offset_of(&runs, look).await?;
        }
        let before = memory.clone();
        let seen = PageSeen {
            total,
            new: runs.iter().filter(|(_, row)| is_new(memory, &known, row)).count(),
            is_empty: served == 0,
            oldest_us: runs.iter().map(|(_, row)| row.created_at.0).min(),
        };
        let mut looked = Looked::default();
        for (place, row) in &runs {
            let stored = known.get(&row.run_id);
            if stored.is_none() && !is_new(memory, &known, row) {
                continue;
            }
            let is_double = !read.runs.insert(row.run_id.clone()) && stored.is_none();
            if is_double {
                continue;
            }
            let ordinal = placing::ordinal(total, page, *place);
            self.run(memory, look, row, (stored, ordinal, read_at, seen_at), &mut looked).await?;
        }
        read.pages.insert(page);
        if *memory != before {
            looked.memory = Some(memory.stored());
        }
        if looked != Looked::default() {
            look.save(&self.namespace, &looked).await?;
        }
        Ok(seen)
    }

    /// One run of a page.
    async fn run(
        &self,
        memory: &mut NamespaceMemory,
        look: &mut Look<'_>,
        row: &RunRow,
        (stored, ordinal, read_at, seen_at): (Option<&WatchedRun>, i64, ReadAt, Timestamp),
        looked: &mut Looked,
    ) -> Result<(), Stop> {
        if row.status() == RunStatus::Unknown {
            let (namespace, id, status) = (&self.namespace, &row.run_id, &row.status);
            look.remark(|| {
                format!(
                    "run {id} of {namespace} has the status {status:.40} with counts that do not \
                     say what that means; it is looked at until it is known"
                )
            });
        }
        let known = stored.and_then(|run| serde_json::from_str::<RunMemory>(&run.memory).ok());
        let Seen { memory: mut run_memory, moments, is_open } = match known {
            Some(known) => run::seen(known, row, read_at),
            None => {
                let is_old = stored.is_some() || memory.is_taking_in && is_old(memory, row);
                if stored.is_none() {
                    memory.take_in(row.created_at);
                }
                run::first_seen(row, is_old, read_at)
            }
        };
        if !moments.is_empty() {
            let namespace = &self.namespace;
            let mut details =
                Details::new(look.platform, namespace, look.details_left, look.failed_runs);
            let offset = &mut memory.offset;
            let known = details.known(row, &moments, &mut run_memory, offset, seen_at).await?;
            look.pulse.beat();
            for (moment, known) in moments.into_iter().zip(&known) {
                if matches!(moment, Moment::Ended { .. }) {
                    run_memory.ended_at(known.at.as_millisecond());
                }
                let event = events::event(namespace, row, moment, known);
                looked.events.push((namespace.clone(), event.to_string()));
            }
        }
        let run = WatchedRun {
            run_id: row.run_id.clone(),
            created_us: row.created_at.0,
            ordinal,
            misses: 0,
            is_open: is_open && !memory.is_given_up(row.created_at),
            memory: serde_json::to_string(&run_memory).unwrap_or_default(),
        };
        // Where a run is that has ended is not asked.
        let is_same = |stored: &WatchedRun| {
            let at = if run.is_open { run.ordinal } else { stored.ordinal };
            *stored == WatchedRun { ordinal: at, ..run.clone() }
        };
        if !stored.is_some_and(is_same) {
            looked.runs.push(run);
        }
        Ok(())
    }

    /// The platform's database is another one: what is remembered is of no use.
    async fn begin_anew(
        &self,
        memory: &mut NamespaceMemory,
        look: &mut Look<'_>,
    ) -> Result<(), Stop> {
        let namespace = &self.namespace;
        tracing::warn!(%namespace, "the platform's database was made anew; the watch begins anew");
        *memory = NamespaceMemory::new(look.last_success.or(Some(look.clock.now())));
        let stored = memory.stored();
        let anew = look.store.begin_watch_anew(look.lease, namespace.as_str(), &stored);
        if anew.await? { Ok(()) } else { Err(Stop::Lost) }
    }

    /// How far the platform's clock is off, by the newest run that tells.
    async fn offset_of(
        &self,
        runs: &[(u64, RunRow)],
        look: &mut Look<'_>,
    ) -> Result<Option<ClockOffset>, Stop> {
        let Some((_, row)) = runs.iter().find(|(_, row)| row.counts.total_count > 0) else {
            return Ok(None);
        };
        let mut details =
            Details::new(look.platform, &self.namespace, look.details_left, look.failed_runs);
        Ok(details.offset(row).await?)
    }
}

fn is_new(memory: &NamespaceMemory, known: &HashMap<String, WatchedRun>, row: &RunRow) -> bool {
    !known.contains_key(&row.run_id) && !memory.is_below_floor(row.created_at)
}

/// Whether a run was there before anybody watched.
fn is_old(memory: &NamespaceMemory, row: &RunRow) -> bool {
    let made = || row.created_at.in_utc(memory.offset.unwrap_or_default());
    memory.since.is_none_or(|since| made() < since)
}
