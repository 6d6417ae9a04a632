//! All of a tenant's conditions on one event: by one call of the guest as long
//! as nothing goes wrong, and one by one when something does, so that only the
//! guilty are blamed.
//!
//! Fuel is the same for a call with many conditions and a call with one. So a
//! answer does not depend on a condition's neighbours: what runs out of fuel
//! alone runs out of it in company too, and is then looked at alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alerts_domain::tenant::TenantId;

use crate::contract::Session;
use crate::error::{CallError, ConditionError};
use crate::fault::Fault;
use crate::limits::CallLimits;
use crate::plugin::{Plugin, Terms};

/// Conditions in one call of the guest: few enough that the fuel of one call
/// holds for them all.
const BATCH: usize = 256;
/// The part of its limits within which a condition is looked at first when it
/// is looked at alone. An honest one takes a thousandth; a hundred that never
/// end are found out in time for the rest.
const BRIEFLY: u64 = 16;

/// An instance that may go on, if there is one.
type Healthy = Option<Box<dyn Session>>;
type Answer = Result<bool, ConditionError>;

/// One event, and a tenant's conditions on it.
pub(crate) struct Evaluation<'a> {
    plugin: &'a Plugin,
    /// As they were at the beginning.
    terms: Terms,
    tenant: &'a TenantId,
    sources: &'a [Arc<str>],
    event: &'a [u8],
    ends: Instant,
    answers: Vec<Option<Answer>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        plugin: &'a Plugin,
        tenant: &'a TenantId,
        sources: &'a [Arc<str>],
        event: &'a [u8],
    ) -> Self {
        let terms = plugin.terms();
        let ends = Instant::now() + Duration::from_millis(terms.limits.evaluate_deadline_ms);
        let answers = vec![None; sources.len()];
        Self { plugin, terms, tenant, sources, event, ends, answers }
    }

    /// An answer for each condition, in order.
    pub(crate) fn run(mut self) -> Result<Vec<Answer>, CallError> {
        let suspects = self.plugin.suspects.among(self.tenant, self.sources);
        let is_suspect = |index: &usize| suspects.get(*index).copied().unwrap_or(false);
        let (suspected, trusted): (Vec<usize>, Vec<usize>) =
            (0..self.sources.len()).partition(is_suspect);
        for batch in trusted.chunks(BATCH) {
            self.evaluate_together(batch)?;
        }
        // Last, so that they use up nobody's time, and in an instance of their
        // own, which is not kept.
        self.evaluate_alone(&suspected)?;
        // An instance that was warm already has not told that the plugin works.
        if !self.sources.is_empty() {
            self.plugin.judge(Ok(()));
        }
        let deadline_ms = self.terms.limits.evaluate_deadline_ms;
        let answers = self.answers.into_iter();
        Ok(answers.map(|v| v.unwrap_or(Err(ConditionError::NotReached { deadline_ms }))).collect())
    }

    fn evaluate_together(&mut self, batch: &[usize]) -> Result<(), CallError> {
        let (plugin, tenant) = (self.plugin, self.tenant);
        let mut session = match plugin.warm.check_out(self.terms.key, tenant) {
            Some(session) => session,
            None => plugin.start_session(&self.terms.limits)?,
        };
        match self.attempt(session.as_mut(), batch, 1) {
            Ok(()) => self.keep(session),
            Err(_) => {
                drop(session);
                if let Some(session) = self.evaluate_alone(batch)? {
                    self.keep(session);
                }
            }
        }
        Ok(())
    }

    /// Keeps a healthy instance, unless other limits are in force by now.
    fn keep(&self, session: Box<dyn Session>) {
        let key = self.terms.key;
        if self.plugin.terms().key == key {
            self.plugin.warm.check_in(key, self.tenant, session);
        }
    }

    /// Evaluates one by one, with a fresh instance after each fault. Gives back
    /// the last instance if it is healthy.
    fn evaluate_alone(&mut self, batch: &[usize]) -> Result<Healthy, CallError> {
        // What is done within a part of the limits has the answer that it
        // would have with all of them; so the quick ones are not kept waiting,
        // however many there are that never end.
        let (session, slow) = self.look_at_each(batch, None, BRIEFLY)?;
        let (session, _) = self.look_at_each(&slow, session, 1)?;
        Ok(session)
    }

    /// Gives back those, too, that need more than this part of the limits.
    fn look_at_each(
        &mut self,
        batch: &[usize],
        mut session: Healthy,
        divisor: u64,
    ) -> Result<(Healthy, Vec<usize>), CallError> {
        let mut slow = Vec::new();
        for index in batch {
            if self.left_ms() == 0 {
                break;
            }
            let mut current = match session.take() {
                Some(session) => session,
                None => self.plugin.start_session(&self.terms.limits)?,
            };
            let source = &self.sources[*index];
            match self.attempt(current.as_mut(), std::slice::from_ref(index), divisor) {
                Ok(()) => {
                    self.plugin.suspects.clear(self.tenant, source);
                    session = Some(current);
                }
                Err(Fault::OutOfFuel { .. } | Fault::Deadline { .. }) if divisor > 1 => {
                    slow.push(*index);
                }
                Err(fault) => {
                    self.plugin.suspects.add(self.tenant, source);
                    // When the whole evaluation's time is up, it may not have
                    // had all of its own.
                    let cut_short = matches!(fault, Fault::Deadline { .. }) && self.left_ms() == 0;
                    let error = self.plugin.faulted(fault);
                    if !cut_short {
                        self.answers[*index] = Some(Err(ConditionError::Failed(error)));
                    }
                }
            }
        }
        Ok((session, slow))
    }

    /// Compiles what is not compiled yet, and evaluates what compiles.
    fn attempt(
        &mut self,
        session: &mut dyn Session,
        batch: &[usize],
        divisor: u64,
    ) -> Result<(), Fault> {
        let limits = self.terms.limits;
        let mut ready = Vec::with_capacity(batch.len());
        for &index in batch {
            match session.compile(&self.sources[index], self.within(limits.compile, divisor)?)? {
                Ok(()) => ready.push(index),
                Err(diagnostics) => {
                    let error = ConditionError::Uncompilable(diagnostics);
                    self.answers[index] = Some(Err(error));
                }
            }
        }
        if ready.is_empty() {
            return Ok(());
        }
        let sources: Vec<&Arc<str>> = ready.iter().map(|index| &self.sources[*index]).collect();
        let answers =
            session.evaluate(&sources, self.event, self.within(limits.condition, divisor)?)?;
        for (index, answer) in ready.into_iter().zip(answers) {
            let answer = answer.map_err(|message| ConditionError::Evaluation { message });
            self.answers[index] = Some(answer);
        }
        Ok(())
    }

    /// A part of a call's limits, with no more time than is left for the whole.
    fn within(&self, limits: CallLimits, divisor: u64) -> Result<CallLimits, Fault> {
        let left_ms = self.left_ms();
        if left_ms == 0 {
            return Err(Fault::Deadline { deadline_ms: self.terms.limits.evaluate_deadline_ms });
        }
        Ok(CallLimits {
            fuel: limits.fuel.div_ceil(divisor),
            deadline_ms: limits.deadline_ms.div_ceil(divisor).min(left_ms),
        })
    }

    fn left_ms(&self) -> u64 {
        let left = self.ends.saturating_duration_since(Instant::now());
        u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
    }
}
