//! The messages of one tenant: to whom they go, and those that were told last.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::message::Message;

/// Messages that are kept for those who come back, and that a slow reader may be behind:
/// some hundred KiB. Whoever is further behind does better to look at everything again.
const KEPT: usize = 512;
/// For how long messages are kept after the last one has left: for a page that is loaded
/// again, or a connection that broke.
const LINGERS: Duration = Duration::from_secs(60);

/// One tenant's messages on this host.
pub(super) struct Channel {
    sender: broadcast::Sender<Message>,
    kept: VecDeque<Message>,
    /// The number of the last message that is no longer kept, or before the first.
    floor: u64,
    listeners: usize,
    left_at: Option<Instant>,
    /// The newest entry of its audit log that was looked at.
    pub(super) audited: i64,
    /// Whether it was told yet that from now on nothing is missed.
    pub(super) is_new: bool,
    /// When nothing is missed any more without exception.
    pub(super) settles_at: Option<Instant>,
}

impl Channel {
    pub(super) fn new(audited: i64, number: u64) -> Self {
        Self {
            sender: broadcast::Sender::new(KEPT),
            kept: VecDeque::new(),
            floor: number,
            listeners: 0,
            left_at: None,
            audited,
            is_new: true,
            settles_at: None,
        }
    }

    pub(super) fn listeners(&self) -> usize {
        self.listeners
    }

    pub(super) fn join(&mut self) -> broadcast::Receiver<Message> {
        self.listeners += 1;
        self.left_at = None;
        self.sender.subscribe()
    }

    pub(super) fn leave(&mut self) {
        self.listeners = self.listeners.saturating_sub(1);
        if self.listeners == 0 {
            self.left_at = Some(Instant::now());
        }
    }

    /// Whether nobody has listened for so long that nobody will go on here.
    pub(super) fn is_left(&self) -> bool {
        self.left_at.is_some_and(|at| at.elapsed() > LINGERS)
    }

    pub(super) fn tell(&mut self, message: Message) {
        if self.kept.len() == KEPT
            && let Some(first) = self.kept.pop_front()
        {
            self.floor = first.number;
        }
        self.kept.push_back(message.clone());
        // Nobody listens at this moment: it is kept.
        let _ = self.sender.send(message);
    }

    /// What was told after this number; none when some of it is no longer kept.
    pub(super) fn since(&self, number: u64) -> Option<VecDeque<Message>> {
        let newest = self.kept.back().map_or(self.floor, |message| message.number);
        let is_kept = (self.floor..=newest).contains(&number);
        is_kept.then(|| self.kept.iter().filter(|m| m.number > number).cloned().collect())
    }

    /// The number of its newest message.
    pub(super) fn newest(&self) -> u64 {
        self.kept.back().map_or(self.floor, |message| message.number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Told;
    use super::*;

    fn message(number: u64) -> Message {
        Message { number, id: number.to_string().into(), told: Told::Reset }
    }

    #[test]
    fn whoever_comes_back_goes_on_or_is_told_that_something_was_missed() {
        let mut channel = Channel::new(0, 10);
        assert_eq!(channel.since(10).unwrap().len(), 0);
        assert!(channel.since(9).is_none(), "it began later");
        assert!(channel.since(11).is_none(), "it was never told");
        (11..=11 + KEPT as u64).for_each(|number| channel.tell(message(number)));
        assert!(channel.since(10).is_none(), "the first is no longer kept");
        assert_eq!(channel.since(11).unwrap().len(), KEPT);
        let newest = channel.newest();
        assert_eq!(channel.since(newest - 2).unwrap(), [message(newest - 1), message(newest)]);
    }
}
