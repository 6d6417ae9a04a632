//! All of a tenant's conditions on one event: by one call of the guest as long
//! as nothing goes wrong, and one by one when something does, so that only the
//! guilty are blamed.
//!
//! Fuel is the same for a call with many conditions and a call with one. So a
//! verdict does not depend on a condition's neighbours: what runs out of fuel
//! alone runs out of it in company too, and is then looked at alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alerts_domain::tenant::TenantId;

use crate::budget::Fault;
use crate::contract::Session;
use crate::error::{CallError, ConditionError};
use crate::limits::CallLimits;
use crate::plugin::Plugin;

/// Conditions in one call of the guest: few enough that the fuel of one call
/// holds for them all.
const BATCH: usize = 256;

type Verdict = Result<bool, ConditionError>;

/// One event, and a tenant's conditions on it.
pub(crate) struct Evaluation<'a> {
    plugin: &'a Plugin,
    tenant: &'a TenantId,
    sources: &'a [Arc<str>],
    event: &'a [u8],
    ends: Instant,
    verdicts: Vec<Option<Verdict>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        plugin: &'a Plugin,
        tenant: &'a TenantId,
        sources: &'a [Arc<str>],
        event: &'a [u8],
    ) -> Self {
        let ends = Instant::now() + Duration::from_millis(plugin.limits.evaluate_deadline_ms);
        let verdicts = vec![None; sources.len()];
        Self { plugin, tenant, sources, event, ends, verdicts }
    }

    /// A verdict for each condition, in order.
    pub(crate) fn run(mut self) -> Result<Vec<Verdict>, CallError> {
        let suspects = self.plugin.suspects.among(self.tenant, self.sources);
        let is_suspect = |index: &usize| suspects.get(*index).copied().unwrap_or(false);
        let (suspected, trusted): (Vec<usize>, Vec<usize>) =
            (0..self.sources.len()).partition(is_suspect);
        for batch in trusted.chunks(BATCH) {
            self.evaluate_together(batch)?;
        }
        // Last, so that they use up nobody's time, and in an instance of their
        // own, which is not kept.
        self.evaluate_alone(&suspected, None)?;
        let deadline_ms = self.plugin.limits.evaluate_deadline_ms;
        let verdicts = self.verdicts.into_iter();
        Ok(verdicts.map(|v| v.unwrap_or(Err(ConditionError::NotReached { deadline_ms }))).collect())
    }

    fn evaluate_together(&mut self, batch: &[usize]) -> Result<(), CallError> {
        let (plugin, tenant) = (self.plugin, self.tenant);
        let mut session = match plugin.warm.check_out(plugin.key, tenant) {
            Some(session) => session,
            None => self.start()?,
        };
        match self.attempt(session.as_mut(), batch) {
            Ok(()) => plugin.warm.check_in(plugin.key, tenant, session),
            Err(_) => {
                drop(session);
                if let Some(session) = self.evaluate_alone(batch, None)? {
                    plugin.warm.check_in(plugin.key, tenant, session);
                }
            }
        }
        Ok(())
    }

    /// Evaluates one by one, with a fresh instance after each fault. Gives back
    /// the last instance if it is healthy.
    fn evaluate_alone(
        &mut self,
        batch: &[usize],
        mut session: Option<Box<dyn Session>>,
    ) -> Result<Option<Box<dyn Session>>, CallError> {
        for index in batch {
            if Instant::now() >= self.ends {
                break;
            }
            let mut current = match session.take() {
                Some(session) => session,
                None => self.start()?,
            };
            let source = &self.sources[*index];
            match self.attempt(current.as_mut(), std::slice::from_ref(index)) {
                Ok(()) => {
                    self.plugin.suspects.clear(self.tenant, source);
                    session = Some(current);
                }
                Err(fault) => {
                    self.plugin.suspects.add(self.tenant, source);
                    let error = self.plugin.faulted(fault);
                    self.verdicts[*index] = Some(Err(ConditionError::Failed(error)));
                }
            }
        }
        Ok(session)
    }

    /// Compiles what is not compiled yet, and evaluates what compiles.
    fn attempt(&mut self, session: &mut dyn Session, batch: &[usize]) -> Result<(), Fault> {
        let limits = &self.plugin.limits;
        let mut ready = Vec::with_capacity(batch.len());
        for &index in batch {
            match session.compile(&self.sources[index], self.within(limits.compile)?)? {
                Ok(()) => ready.push(index),
                Err(diagnostics) => {
                    let error = ConditionError::Uncompilable(diagnostics);
                    self.verdicts[index] = Some(Err(error));
                }
            }
        }
        if ready.is_empty() {
            return Ok(());
        }
        let sources: Vec<&Arc<str>> = ready.iter().map(|index| &self.sources[*index]).collect();
        let verdicts = session.evaluate(&sources, self.event, self.within(limits.condition)?)?;
        for (index, verdict) in ready.into_iter().zip(verdicts) {
            let verdict = verdict.map_err(|message| ConditionError::Evaluation { message });
            self.verdicts[index] = Some(verdict);
        }
        Ok(())
    }

    fn start(&self) -> Result<Box<dyn Session>, CallError> {
        let started = self.plugin.language()?.start();
        // Only this tells a broken plugin from a bad condition.
        self.plugin.breaker.record(started.is_ok(), Instant::now());
        started.map_err(|fault| self.plugin.faulted(fault))
    }

    /// A call's limits, with no more time than is left for the whole.
    fn within(&self, limits: CallLimits) -> Result<CallLimits, Fault> {
        let left = self.ends.saturating_duration_since(Instant::now());
        let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        if left_ms == 0 {
            return Err(Fault::Deadline { deadline_ms: self.plugin.limits.evaluate_deadline_ms });
        }
        Ok(CallLimits { deadline_ms: limits.deadline_ms.min(left_ms), ..limits })
    }
}
