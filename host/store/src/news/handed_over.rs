//! News of a database with one host, on their way to those who watch.

use std::sync::{Arc, Mutex, PoisonError};

use alerts_domain::tenant::TenantId;

use super::change::News;

/// Most changes that wait. Whoever takes them does so every moment; beyond this there
/// is more than anybody would look at one by one.
const MOST: usize = 10_000;

/// What is committed and not told yet. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct HandedOver(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    news: Vec<(TenantId, News)>,
    has_lost: bool,
}

impl HandedOver {
    pub(crate) fn give(&self, news: Vec<(TenantId, News)>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.news.len() + news.len() > MOST {
            (waiting.news, waiting.has_lost) = (Vec::new(), true);
        } else {
            waiting.news.extend(news);
        }
    }

    /// What waits; none when there was too much of it, and some is lost.
    pub(crate) fn take(&self) -> Option<Vec<(TenantId, News)>> {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        (!waiting.has_lost).then_some(waiting.news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_takes_does_not_grow_without_end() {
        let (tenant, handed_over) = (TenantId::new("ada").unwrap(), HandedOver::default());
        let give = |count| handed_over.give(vec![(tenant.clone(), News::TooMany); count]);
        give(MOST);
        assert_eq!(handed_over.take().unwrap().len(), MOST);
        give(MOST);
        give(1);
        assert_eq!(handed_over.take(), None, "some is lost, and it is said");
        give(1);
        assert_eq!(handed_over.take().unwrap().len(), 1);
    }
}
