//! What is told to those who watch, and under which id.

use std::collections::HashMap;
use std::sync::Arc;

use alerts_store::News;

/// Most changes of one tenant that are told one by one at a moment: more than a page
/// shows, so that whoever watches does better to look again.
const MOST_AT_ONCE: usize = 200;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// One change.
    News(Arc<News>),
    /// Something may have been missed, or is too much: look at everything again.
    Reset,
}

/// One message of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number on this host; later ones have greater numbers.
    pub(super) number: u64,
    /// Its name for whoever goes on after it.
    pub id: Arc<str>,
    /// What is told.
    pub told: Told,
}

/// What is told of the changes of one moment: of each thing the newest.
pub(super) fn told_of(news: Vec<News>) -> Vec<Told> {
    let (mut told, mut places): (Vec<News>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
    for news in news {
        let Some(id) = id_of(&news) else { return vec![Told::Reset] };
        match places.get(&id) {
            Some(place) => {
                let earlier = std::mem::replace(&mut told[*place], news);
                keep_from(&earlier, &mut told[*place]);
            }
            None => {
                places.insert(id, told.len());
                told.push(news);
            }
        }
    }
    if told.len() > MOST_AT_ONCE {
        return vec![Told::Reset];
    }
    told.into_iter().map(|news| Told::News(news.into())).collect()
}

fn id_of(news: &News) -> Option<String> {
    match news {
        News::Event { id, .. } => Some(id.to_string()),
        News::Delivery(delivery) => Some(delivery.id.to_string()),
        News::Rule { id, .. } | News::Endpoint { id, .. } => Some(id.clone()),
        News::TooMany => None,
    }
}

/// What a later change does not say stands as the earlier one said it.
fn keep_from(earlier: &News, later: &mut News) {
    if let (News::Delivery(earlier), News::Delivery(later)) = (earlier, later) {
        later.event_id = later.event_id.or(earlier.event_id);
        later.attempt_count = later.attempt_count.or(earlier.attempt_count);
    }
}

#[cfg(test)]
mod tests {
    use alerts_domain::Timestamp;
    use alerts_domain::delivery::DeliveryStatus;
    use alerts_domain::id::{DeliveryId, EndpointId, EventId};
    use alerts_store::DeliveryNews;

    use super::*;

    fn delivery(number: u128, status: DeliveryStatus) -> DeliveryNews {
        DeliveryNews {
            id: DeliveryId::new(Timestamp::UNIX_EPOCH, number),
            status,
            webhook_endpoint_id: EndpointId::new(Timestamp::UNIX_EPOCH, 1),
            alert_rule_id: None,
            event_id: None,
            attempt_count: None,
            next_attempt_at: None,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn of_one_delivery_the_newest_state_is_told_with_all_that_is_known() {
        let event_id = Some(EventId::new(Timestamp::UNIX_EPOCH, 1));
        let made = DeliveryNews { event_id, ..delivery(1, DeliveryStatus::Leased) };
        let ended =
            DeliveryNews { attempt_count: Some(1), ..delivery(1, DeliveryStatus::Delivered) };
        let told = told_of(vec![News::Delivery(made), News::Delivery(ended.clone())]);
        let whole = DeliveryNews { event_id, ..ended };
        assert_eq!(told, [Told::News(News::Delivery(whole).into())]);
    }

    #[test]
    fn more_than_anybody_reads_is_told_as_one_reset() {
        let news = |count: usize| {
            let deliveries = (0..count).map(|n| delivery(n as u128, DeliveryStatus::Dead));
            told_of(deliveries.map(News::Delivery).collect())
        };
        assert_eq!(news(MOST_AT_ONCE).len(), MOST_AT_ONCE);
        assert_eq!(news(MOST_AT_ONCE + 1), [Told::Reset]);
        assert_eq!(told_of(vec![News::TooMany]), [Told::Reset]);
    }
}
