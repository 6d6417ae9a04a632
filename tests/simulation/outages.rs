//! The database refuses writes for a while.

use std::time::Duration;

use alerts_engine::EngineError;

use crate::faults::Outage;
use crate::plan::SECOND;
use crate::run::{PAST_THE_LEASE, Run};

/// How a host fares that waits for the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// It tries again.
    On,
    /// It dies.
    Crashed,
}

impl Run<'_> {
    pub(crate) async fn break_database(&mut self, outage: Outage) {
        self.note(format!("  the database refuses: {outage:?}"));
        self.database.refuse(Some(outage)).await;
        self.outage = Some(outage);
        self.outages += 1;
        self.world.set_writable(!outage.stops_all());
    }

    pub(crate) async fn mend_database(&mut self) {
        if self.outage.take().is_some() {
            self.note("  the database takes all writes again".to_owned());
            self.database.refuse(None).await;
            self.world.set_writable(true);
        }
    }

    /// After an outage: hosts that could not start do, and emitters that were
    /// refused tell again.
    pub(crate) async fn recover(&mut self) {
        self.mend_database().await;
        for (host, has_language) in std::mem::take(&mut self.held_up) {
            self.restart(host, has_language).await;
        }
        if let Some(host) = self.any_living() {
            self.tell_again(host).await;
        }
    }

    /// Only an outage of this kind may be the cause of an error.
    pub(crate) fn is_outage(&self, error: &EngineError, is_of: impl Fn(Outage) -> bool) {
        let EngineError::Store(refused) = error else { panic!("{error}") };
        assert!(refused.is_unavailable(), "not worth trying again? {error}");
        let is_one = self.outage.is_some_and(is_of);
        assert!(is_one, "the database works ({:?} refused), and: {error}", self.outage);
    }

    /// A host has something to write down that the database does not take. Time
    /// goes on, and so may others.
    pub(crate) async fn wait_out(&mut self, host: usize, times: usize) -> Waited {
        assert!(self.outage.is_some(), "host {host} cannot write down what the database takes");
        self.observe().await;
        let time = Duration::from_millis(self.random.pick(&[1, 1, 5]) * SECOND);
        let time = if self.random.percent(30) { PAST_THE_LEASE } else { time };
        self.clock.advance(time);
        self.note(format!("  host {host} cannot write, and waits for {time:?}"));
        // Within what another one does meanwhile, nothing more happens.
        let is_outermost = self.world.allow_interrupts(false);
        if is_outermost {
            if self.plan.disturbances.crashes && self.random.percent(15) {
                self.world.allow_interrupts(true);
                return Waited::Crashed;
            }
            let others = self.living().into_iter().find(|other| *other != host);
            match others {
                Some(other) if self.random.percent(50) => Box::pin(self.tick(other)).await,
                _ if self.random.percent(50) => Box::pin(self.tell_again(host)).await,
                _ => {}
            }
            self.world.allow_interrupts(true);
        }
        if !is_outermost || times >= 3 || self.random.percent(40) {
            self.mend_database().await;
        }
        Waited::On
    }
}
