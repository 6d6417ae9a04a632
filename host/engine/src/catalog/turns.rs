//! Native work that a plugin's author can make long: off the async threads, and
//! for each plugin one after another, so that it takes up one thread at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Whose turn it is, by plugin.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// What `work` comes to, or none if that and the wait for its turn take longer
    /// than `deadline`. Work that has begun cannot be stopped: it goes on to its
    /// end, and the plugin's next turn comes only then.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        plugin: &str,
        deadline: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turns = self.of(plugin);
        let done = async {
            let turn = turns.lock_owned().await;
            let work = move || {
                let _turn = turn;
                work()
            };
            spawn_blocking(work).await.ok()
        };
        timeout(deadline, done).await.ok().flatten()
    }

    fn of(&self, plugin: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(plugin.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Short for what never comes about; long for what must.
    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn work_that_does_not_end_holds_up_its_own_plugin_alone() {
        let (turns, (end, ended)) = (Turns::default(), channel::<()>());
        let endless = move || {
            let _ = ended.recv();
        };
        assert_eq!(turns.run("hostile", SHORT, endless).await, None);
        // Still at it: the next one of the same plugin does not even begin.
        let (begin, begun) = channel();
        assert_eq!(turns.run("hostile", SHORT, move || begin.send(())).await, None);
        assert!(begun.recv().is_err(), "it was dropped, and took up no thread");
        assert_eq!(turns.run("other", LONG, || 7).await, Some(7));
        drop(end);
        assert_eq!(turns.run("hostile", LONG, || 8).await, Some(8));
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_turn_back() {
        let turns = Turns::default();
        assert_eq!(turns.run("broken", LONG, || panic!("a bug")).await, None::<()>);
        assert_eq!(turns.run("broken", LONG, || 1).await, Some(1));
    }
}
