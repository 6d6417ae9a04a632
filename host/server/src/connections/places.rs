//! How many connections there are, and which one goes when there is no place for
//! another: one that has asked for nothing yet, or else one that rests.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::address::network_of;
use super::place::Place;
use crate::limits::ServerLimits;

/// How often stuck connections are looked for; a fraction of every deadline.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// All connections.
#[derive(Debug)]
pub(super) struct Places {
    limits: ServerLimits,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    places: HashMap<u64, (IpAddr, Arc<Place>)>,
    by_address: HashMap<IpAddr, usize>,
}

impl Places {
    pub(super) fn new(limits: ServerLimits) -> Self {
        metrics::describe_counter!(
            "alerts_connections_ended_total",
            "Connections that the host ended: refused for want of a place, cut because they sent \
             no request or did not read, or sent away to make room."
        );
        Self { limits, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from this address; none when every other one is at
    /// work.
    pub(super) fn take(places: &Arc<Self>, address: IpAddr) -> Option<Taken> {
        let address = network_of(address);
        let mut open = places.open();
        let of_address = open.by_address.get(&address).copied().unwrap_or_default();
        let is_full = if of_address >= places.limits.connections_per_address {
            Some(Some(address))
        } else {
            (open.places.len() >= places.limits.connections).then_some(None)
        };
        if let Some(among) = is_full
            && !open.make_room(among)
        {
            metrics::counter!("alerts_connections_ended_total", "why" => "refused").increment(1);
            return None;
        }
        let (number, place) = (open.next, Arc::new(Place::new()));
        open.next += 1;
        open.places.insert(number, (address, place.clone()));
        *open.by_address.entry(address).or_default() += 1;
        Some(Taken { places: places.clone(), number, place })
    }

    /// Cuts what is stuck, for ever.
    pub(super) async fn watch(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let ServerLimits { first_request, write, .. } = self.limits;
            for (_, place) in self.open().places.values() {
                if place.is_stuck(first_request, write) {
                    place.set_cut();
                    metrics::counter!("alerts_connections_ended_total", "why" => "stuck")
                        .increment(1);
                }
            }
        }
    }
}

impl Open {
    /// Ends one connection, of this address if one is named. False if all are at work.
    fn make_room(&mut self, among: Option<IpAddr>) -> bool {
        let idle = self.places.iter().filter(|(_, (address, place))| {
            among.is_none_or(|among| among == *address) && place.is_idle()
        });
        // Those that have asked for nothing go first, then the one that has rested
        // for longest.
        let goes = idle.min_by_key(|(_, (_, place))| (!place.is_silent(), place.idle_since()));
        let Some((number, (_, place))) = goes else { return false };
        let (number, place) = (*number, place.clone());
        match place.is_silent() {
            true => place.set_cut(),
            false => place.set_leave(),
        }
        self.remove(number);
        metrics::counter!("alerts_connections_ended_total", "why" => "sent_away").increment(1);
        true
    }

    fn remove(&mut self, number: u64) {
        let Some((address, _)) = self.places.remove(&number) else { return };
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Taken {
    places: Arc<Places>,
    number: u64,
    place: Arc<Place>,
}

impl Deref for Taken {
    type Target = Arc<Place>;

    fn deref(&self) -> &Arc<Place> {
        &self.place
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.places.open().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, connections_per_address: usize) -> Arc<Places> {
        let limits =
            ServerLimits { connections, connections_per_address, ..ServerLimits::default() };
        Arc::new(Places::new(limits))
    }

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    async fn is_cut(taken: &Taken) -> bool {
        tokio::time::timeout(Duration::ZERO, taken.cut()).await.is_ok()
    }

    #[tokio::test]
    async fn the_oldest_silent_connection_makes_room_before_one_that_rests() {
        let places = places(3, 3);
        let resting = Places::take(&places, address(1)).unwrap();
        drop(Place::begin_request(&resting));
        crate::connections::time::advance(Duration::from_secs(1));
        let silent = Places::take(&places, address(2)).unwrap();
        crate::connections::time::advance(Duration::from_secs(1));
        let younger = Places::take(&places, address(2)).unwrap();
        crate::connections::time::advance(Duration::from_secs(1));
        let _new = Places::take(&places, address(3)).unwrap();
        assert!(is_cut(&silent).await && !is_cut(&younger).await);
        let _newer = Places::take(&places, address(3)).unwrap();
        assert!(is_cut(&younger).await);
        assert!(tokio::time::timeout(Duration::ZERO, resting.must_leave()).await.is_err());
    }

    #[tokio::test]
    async fn one_that_is_at_work_is_never_sent_away() {
        let places = places(2, 2);
        let busy = [address(1), address(2)].map(|from| Places::take(&places, from).unwrap());
        let requests = busy.each_ref().map(|taken| Place::begin_request(taken));
        assert!(Places::take(&places, address(3)).is_none());
        drop(requests);
        assert!(Places::take(&places, address(3)).is_some());
    }

    #[tokio::test]
    async fn an_address_that_has_its_share_sends_away_its_own() {
        let places = places(10, 2);
        let other = Places::take(&places, address(1)).unwrap();
        let own = [(); 2].map(|()| Places::take(&places, address(2)).unwrap());
        let _third = Places::take(&places, address(2)).unwrap();
        assert!(!is_cut(&other).await);
        assert!(is_cut(&own[0]).await != is_cut(&own[1]).await);
    }

    #[tokio::test]
    async fn a_place_is_given_back() {
        let places = places(1, 1);
        let taken = Places::take(&places, address(1)).unwrap();
        let _request = Place::begin_request(&taken);
        assert!(Places::take(&places, address(1)).is_none());
        drop(taken);
        assert!(Places::take(&places, address(1)).is_some());
    }
}
