//! When a breach is over: by an event that finds it so, or by time that passes while
//! nothing happens.

use jiff::Timestamp;

use super::{Window, WindowStep, width_us};
use crate::trigger::group::Group;
use crate::trigger::marks::Mark;
use crate::trigger::recovery::Told;
use crate::trigger::threshold::{Breach, ThresholdTrigger};

impl Window {
    /// Remembers whose end is to be told, after an event that happened at `at` and came
    /// in at `received_at`.
    pub(in crate::trigger) fn watch_end(
        &mut self,
        step: WindowStep,
        group: &Group,
        at: Timestamp,
        received_at: Timestamp,
    ) {
        match &mut self.told {
            // It was over in between, and began anew: it goes on for who was told.
            Some(told) if step.fires => told.is_over = false,
            Some(told) => told.is_over = self.alerted_at.is_none(),
            None if step.fires => self.told = Some(Told::new(at, group)),
            None => return,
        }
        if let Some(told) = &mut self.told {
            told.hear(at, received_at);
        }
    }

    /// Nobody is told of the end of this breach.
    pub(in crate::trigger) fn leave_end(&mut self) {
        self.told = None;
    }

    /// When there is no longer too much if nothing more happens, by the clock on the
    /// wall; none where nobody is to be told.
    pub(in crate::trigger) fn over_at(&self, trigger: &ThresholdTrigger) -> Option<Timestamp> {
        let told = self.told.as_ref()?;
        let newest_us = self.newest_us().unwrap_or_default();
        let at_us = match told.is_over {
            true => newest_us,
            false => self.below_at_us(trigger, newest_us),
        };
        Some(told.on_the_wall(at_us))
    }

    /// When the window that moves on from the newest event holds no more too much.
    fn below_at_us(&self, trigger: &ThresholdTrigger, newest_us: i64) -> i64 {
        let width_us = width_us(trigger);
        let most = match &trigger.breach {
            Breach::Count(_) => trigger.kept(),
            Breach::Ratio(ratio) => ratio.last as usize,
        };
        let within = |mark: &&Mark| mark.at_us > newest_us.saturating_sub(width_us);
        let marks: Vec<&Mark> = self.newest_first().take_while(within).take(most).collect();
        let own: Vec<u32> = std::iter::once(0)
            .chain(marks.iter().scan(0, |own, mark| {
                *own += u32::from(mark.is_own);
                Some(*own)
            }))
            .collect();
        // With the newest so many left; of those at one time all leave at once.
        let is_below = |left: usize| {
            let found = match &trigger.breach {
                Breach::Count(_) => left as u32,
                Breach::Ratio(_) => own[left],
            };
            !trigger.is_breached(found, left as u32)
        };
        if is_below(marks.len()) {
            return newest_us;
        }
        let leaves_alone = |left: usize| left == 0 || marks[left - 1].at_us > marks[left].at_us;
        let left = (0..marks.len()).rev().find(|left| leaves_alone(*left) && is_below(*left));
        left.map_or(newest_us, |left| marks[left].at_us.saturating_add(width_us))
    }

    /// Nothing has happened up to `now`. Says what the window holds and what was told,
    /// once, if the breach is over.
    pub(in crate::trigger) fn end(
        &mut self,
        trigger: &ThresholdTrigger,
        now: Timestamp,
    ) -> Option<(u32, u32, Told)> {
        if self.over_at(trigger)? > now {
            return None;
        }
        let told = self.told.take()?;
        self.alerted_at = None;
        let after_us = told.in_events(now).saturating_sub(width_us(trigger));
        let (found, total) = self.counts(trigger, after_us);
        Some((found, total, told))
    }
}

#[cfg(test)]
mod tests;
