//! What is asked about a run beside its row: when it was made in UTC, when it ended, and
//! which of its states failed. Only of runs of which something is to be told.

use std::collections::HashSet;

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;

use super::answers::{End, RunGraph, RunRow};
use super::events::Known;
use super::local_time::{ClockOffset, made_at};
use super::platform::{Failure, Platform};
use super::run::{Moment, RunMemory};

/// Most states that are asked when a worker last reported on them, of one run. A wider
/// one has ended when it was seen to have.
const MAX_LEAVES: usize = 5;
/// Most requests about runs in one look at the platform. Beyond them runs are told with
/// what the list says: hundreds at once come after an outage, and the look must end.
pub(super) const MAX_REQUESTS: u32 = 500;
/// Most runs that are remembered as those that could not be asked about.
const MAX_FAILED: usize = 1_000;

/// Asks about runs.
#[derive(Debug)]
pub(super) struct Details<'a> {
    platform: &'a Platform,
    namespace: &'a TenantId,
    /// How many more requests there may be.
    left: &'a mut u32,
    failed: &'a mut FailedRuns,
}

/// Runs that could not be asked about. The first time that ends the look, so that an
/// outage costs no figures; the second time the run is told without them, so that an
/// answer which never comes whole holds nothing up.
#[derive(Debug, Default)]
pub(super) struct FailedRuns(HashSet<String>);

impl FailedRuns {
    /// A look went well.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    fn remember<T>(&mut self, run_id: &str, failure: Failure) -> Result<Option<T>, Failure> {
        if self.0.contains(run_id) || self.0.len() >= MAX_FAILED {
            tracing::warn!(run_id, %failure, "a run is told without its details");
            return Ok(None);
        }
        self.0.insert(run_id.to_owned());
        Err(failure)
    }
}

impl<'a> Details<'a> {
    pub(super) fn new(
        platform: &'a Platform,
        namespace: &'a TenantId,
        left: &'a mut u32,
        failed: &'a mut FailedRuns,
    ) -> Self {
        Self { platform, namespace, left, failed }
    }

    /// How far the platform's clock was from UTC when it made this run; none where it
    /// has no states that tell.
    pub(super) async fn offset(&mut self, row: &RunRow) -> Result<Option<ClockOffset>, Failure> {
        if row.counts.total_count == 0 {
            return Ok(None);
        }
        let graph = self.graph(row).await?;
        Ok(graph.and_then(|graph| row.created_at.offset_by(graph.oldest_and_newest()?.0)))
    }

    /// What is known of each moment of a run, which was seen at `seen_at`. `offset` is
    /// that of the run before, and becomes this one's.
    pub(super) async fn known(
        &mut self,
        row: &RunRow,
        moments: &[Moment],
        memory: &mut RunMemory,
        offset: &mut Option<ClockOffset>,
        seen_at: Timestamp,
    ) -> Result<Vec<Known>, Failure> {
        let has_states = row.counts.total_count > 0;
        let graph = if has_states { self.graph(row).await? } else { None };
        let ids = graph.as_ref().and_then(RunGraph::oldest_and_newest);
        if let Some(found) = ids.and_then(|(oldest, _)| row.created_at.offset_by(oldest)) {
            *offset = Some(found);
        }
        let created_at = match memory.created_ms.map(Timestamp::from_millisecond) {
            Some(Ok(created_at)) => created_at,
            _ => row.created_at.in_utc(offset.unwrap_or_default()),
        };
        memory.created_ms = Some(created_at.as_millisecond());
        let mut all = Vec::with_capacity(moments.len());
        for moment in moments {
            let reopened = memory.reopened_ms.map(Timestamp::from_millisecond);
            let mut known = Known {
                created_at,
                began_at: reopened.and_then(Result::ok).unwrap_or(created_at),
                at: created_at,
                is_observed: false,
                failed: None,
            };
            match moment {
                Moment::Started => {}
                Moment::Ended { .. } if !has_states => {}
                Moment::Ended { end, .. } => {
                    let failed = graph.as_ref().filter(|_| *end == End::Failed);
                    known.failed = failed.and_then(|graph| graph.failed().cloned());
                    let at = self.ended_at(row, graph.as_ref(), *offset).await?;
                    known.is_observed = at.is_none();
                    known.at = at.unwrap_or(seen_at).max(created_at);
                }
                Moment::Restarted { after_ms, .. } => {
                    known.at = restarted_at(ids.map(|ids| ids.1), *after_ms, seen_at);
                    memory.reopened_ms = Some(known.at.as_millisecond());
                }
            }
            all.push(known);
        }
        Ok(all)
    }

    /// When a worker last reported on any of the run's last states.
    async fn ended_at(
        &mut self,
        row: &RunRow,
        graph: Option<&RunGraph>,
        offset: Option<ClockOffset>,
    ) -> Result<Option<Timestamp>, Failure> {
        // Of a run with states in other namespaces, only some are here.
        let whole = graph.filter(|graph| graph.nodes.len() as u64 == row.counts.total_count);
        let Some(graph) = whole else { return Ok(None) };
        if graph.leaves().nth(MAX_LEAVES).is_some() {
            return Ok(None);
        }
        let mut last = None;
        for leaf in graph.leaves() {
            if !self.may_ask() {
                return Ok(None);
            }
            let (graph_name, run_id) = (&row.graph_name, &row.run_id);
            let times = match self.platform.node(self.namespace, graph_name, run_id, &leaf.id).await
            {
                Ok(answer) => answer.value,
                Err(failure) => return self.failed.remember(run_id, failure),
            };
            let own = times.created_at.offset_by(&leaf.id).or(offset).unwrap_or_default();
            last = last.max(Some(times.updated_at.in_utc(own)));
        }
        Ok(last)
    }

    async fn graph(&mut self, row: &RunRow) -> Result<Option<RunGraph>, Failure> {
        if !self.may_ask() {
            return Ok(None);
        }
        match self.platform.graph(self.namespace, &row.run_id).await {
            Ok(answer) => Ok(Some(answer.value)),
            Err(failure) => self.failed.remember(&row.run_id, failure),
        }
    }

    fn may_ask(&mut self) -> bool {
        let may = *self.left > 0;
        *self.left = self.left.saturating_sub(1);
        may
    }
}

/// When a run was opened again: when its newest state was made, to the second. One that
/// was enqueued again in place has none since, and a second is coarse, so at least it is
/// after what was told before.
fn restarted_at(newest: Option<&str>, after_ms: i64, seen_at: Timestamp) -> Timestamp {
    let after = Timestamp::from_millisecond(after_ms.saturating_add(1)).unwrap_or(seen_at);
    match newest.and_then(made_at) {
        Some(made) if made.as_second() >= after.as_second() => made.max(after),
        _ => seen_at.max(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_after_the_end_before_it_and_when_the_new_state_was_made() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let state = |at: &str| format!("{:08x}bb7bbd78d9644850", time(at).as_second());
        let (ended, seen) = (time("2026-11-27T12:00:05.5Z"), time("2026-11-27T12:00:30Z"));
        let at = |newest: Option<&str>| {
            let newest = newest.map(state);
            restarted_at(newest.as_deref(), ended.as_millisecond(), seen).to_string()
        };
        assert_eq!(at(Some("2026-11-27T12:00:20Z")), "2026-11-27T12:00:20Z");
        assert_eq!(at(Some("2026-11-27T12:00:05Z")), "2026-11-27T12:00:05.501Z");
        assert_eq!(at(Some("2026-11-27T12:00:01Z")), "2026-11-27T12:00:30Z", "in place");
        assert_eq!(at(None), "2026-11-27T12:00:30Z");
    }
}
