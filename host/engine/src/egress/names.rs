//! From host names to addresses: the hosts file, then the name servers, with a cache,
//! deadlines and limits of its own.
//!
//! A lookup is a datagram and a timer and holds no thread. One that is not answered
//! soon goes on in a small share of the turns, so that names whose servers keep silent
//! can neither use up sockets nor hold up names that resolve.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::RecordType;
use moka::Expiry;
use moka::future::Cache;
use tokio::sync::Semaphore;

use super::name_servers::{Configured, NameServers};

/// Longest look for one name. Shorter than the connect deadline, so that a tenant is
/// told that it was the name.
const DEADLINE: Duration = Duration::from_secs(4);
/// How long a lookup may hold one of the turns that all names share: most are answered
/// from a name server's cache, in a tenth of it.
const SOON: Duration = Duration::from_millis(300);
/// How long the second kind of address may come after the first (RFC 8305, 3, asks
/// for 50 ms at least): a name server that ignores AAAA must not cost the deadline.
const GRACE: Duration = Duration::from_millis(300);
/// How long an answer is used at most, and at least: a name that moves is followed
/// within minutes, and a time to live of zero is not a query for every delivery.
const LONGEST_KEPT: Duration = Duration::from_secs(300);
const SHORTEST_KEPT: Duration = Duration::from_secs(1);
/// The same for "no such name" and for silence: short, since somebody may be mending
/// it, and long enough that a burst of deliveries asks once.
const FAILURE_KEPT: Duration = Duration::from_secs(5);
/// How long a name is remembered to have been slow. Its next lookups wait for a turn
/// among their like from the beginning.
const SLOW_KEPT: Duration = Duration::from_secs(600);
/// Most names that are kept. Each is a few hundred bytes.
const MAX_NAMES: u64 = 10_000;
/// Lookups under way at once, and those that are slow. Each holds two sockets, or four
/// where there are several name servers.
const TURNS: usize = 96;
const SLOW_TURNS: usize = 32;
/// Most addresses of one name that are used. A client tries them in turn.
const MAX_ADDRESSES: usize = 16;

/// Why a name has no address.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum NoAddress {
    /// The name servers say so.
    #[error("the name servers know none")]
    Unknown,
    /// Nobody answered in time.
    #[error("its name servers did not answer within {} s", DEADLINE.as_secs())]
    Silence,
    /// There is nobody to ask.
    #[error("this machine has no name servers: {0}")]
    NoServers(Arc<str>),
    /// It cannot be asked for.
    #[error("{0}")]
    Failed(Arc<str>),
}

/// The addresses of a name, or why there are none.
pub(super) type Answer = Result<Arc<[IpAddr]>, NoAddress>;

/// What is known about names.
#[derive(Debug)]
pub(super) struct Names {
    servers: NameServers,
    known: Cache<String, Known>,
    /// Names whose last lookup ran into the deadline.
    slow: Cache<String, ()>,
    turns: Semaphore,
    slow_turns: Semaphore,
}

/// An answer and how long it holds.
#[derive(Debug, Clone)]
struct Known {
    answer: Answer,
    holds: Duration,
}

/// Each answer holds as long as its own records say.
struct AsLongAsItHolds;

impl Expiry<String, Known> for AsLongAsItHolds {
    fn expire_after_create(&self, _: &String, known: &Known, _: Instant) -> Option<Duration> {
        Some(known.holds)
    }
}

impl Names {
    /// Over these name servers; the machine's own when there are none.
    pub(super) fn new(servers: &[SocketAddr]) -> Self {
        Self {
            servers: NameServers::new(servers),
            known: Cache::builder().max_capacity(MAX_NAMES).expire_after(AsLongAsItHolds).build(),
            slow: Cache::builder().max_capacity(MAX_NAMES).time_to_live(SLOW_KEPT).build(),
            turns: Semaphore::new(TURNS),
            slow_turns: Semaphore::new(SLOW_TURNS),
        }
    }

    /// The addresses of a name, IPv4 before IPv6. Callers that ask for one name at
    /// once share one lookup.
    pub(super) async fn addresses(&self, name: &str) -> Answer {
        let configured = self.servers.current();
        // The machine's own file costs nothing to ask, and is asked each time: people
        // change it to see the change.
        if let Some(found) = configured.hosts_file(name) {
            return Ok(found.into());
        }
        let name = name.to_ascii_lowercase();
        let known = self.known.get_with(name.clone(), self.look_up(&name, &configured)).await;
        known.answer
    }

    async fn look_up(&self, name: &str, configured: &Configured) -> Known {
        let was_slow = self.slow.get(name).await.is_some();
        let answered = self.in_turn(ask(name, configured), was_slow).await;
        let (answer, holds) = match answered.unwrap_or(Err(NoAddress::Silence)) {
            Ok((addresses, holds)) => (Ok(addresses), holds.clamp(SHORTEST_KEPT, LONGEST_KEPT)),
            Err(why) => (Err(why), FAILURE_KEPT),
        };
        if let Err(NoAddress::Silence) = answer {
            self.slow.insert(name.to_owned(), ()).await;
        } else if was_slow {
            self.slow.invalidate(name).await;
        }
        Known { answer, holds }
    }

    /// Waits for a lookup, in a turn of its kind. None when it was not answered in time,
    /// or not soon while too many others are slow: its next one waits among those.
    async fn in_turn<T>(&self, lookup: impl Future<Output = T>, was_slow: bool) -> Option<T> {
        let mut lookup = pin!(lookup);
        let mut left = DEADLINE;
        // Neither is ever closed, so a turn is never an error.
        let _turn = if was_slow {
            self.slow_turns.acquire().await
        } else {
            let turn = self.turns.acquire().await;
            if let Ok(answer) = tokio::time::timeout(SOON, &mut lookup).await {
                return Some(answer);
            }
            drop(turn);
            left -= SOON;
            Ok(self.slow_turns.try_acquire().ok()?)
        };
        tokio::time::timeout(left, lookup).await.ok()
    }
}

/// Asks for both kinds of addresses at once.
async fn ask(name: &str, configured: &Configured) -> Result<(Arc<[IpAddr]>, Duration), NoAddress> {
    let resolver = configured.resolver().map_err(NoAddress::NoServers)?;
    let v4 = pin!(resolver.lookup(name, RecordType::A));
    let v6 = pin!(resolver.lookup(name, RecordType::AAAA));
    let (first, second) = match select(v4, v6).await {
        Either::Left((v4, v6)) if v4.is_ok() => (v4, tokio::time::timeout(GRACE, v6).await.ok()),
        Either::Left((v4, v6)) => (v4, Some(v6.await)),
        Either::Right((v6, v4)) if v6.is_ok() => (v6, tokio::time::timeout(GRACE, v4).await.ok()),
        Either::Right((v6, v4)) => (v6, Some(v4.await)),
    };
    let mut addresses: Vec<IpAddr> = Vec::new();
    let (mut holds, mut failure) = (LONGEST_KEPT, NoAddress::Unknown);
    for answer in std::iter::once(first).chain(second) {
        match answer {
            Ok(lookup) => {
                let found = lookup.answers().iter().filter_map(|record| record.data.ip_addr());
                addresses.extend(found);
                holds = holds.min(lookup.valid_until().saturating_duration_since(Instant::now()));
            }
            Err(error) => failure = worse(failure, reason(&error)),
        }
    }
    if addresses.is_empty() {
        return Err(failure);
    }
    // The client begins with the first and soon tries the other kind as well.
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.truncate(MAX_ADDRESSES);
    Ok((addresses.into(), holds))
}

fn reason(error: &NetError) -> NoAddress {
    if error.is_no_records_found() || error.is_nx_domain() {
        return NoAddress::Unknown;
    }
    match error {
        NetError::Timeout => NoAddress::Silence,
        other => NoAddress::Failed(other.to_string().into()),
    }
}

/// "There is none" is said only if both kinds were answered so.
fn worse(one: NoAddress, other: NoAddress) -> NoAddress {
    if matches!(one, NoAddress::Unknown) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_name_servers_the_reason_is_told_and_the_hosts_file_still_works() {
        let configured = Configured::without_servers("/etc/resolv.conf: none");
        let told = ask("example.com", &configured).await.unwrap_err().to_string();
        assert_eq!(told, "this machine has no name servers: /etc/resolv.conf: none");
        let here = configured.hosts_file("LOCALHOST").unwrap();
        assert!(here.iter().all(IpAddr::is_loopback), "{here:?}");
    }

    #[tokio::test]
    async fn slow_lookups_leave_the_turns_that_all_share() {
        let names = Names::new(&[]);
        let silence = || std::future::pending::<()>();
        let slow: Vec<_> = (0..TURNS).map(|_| names.in_turn(silence(), false)).collect();
        let healthy = async {
            // Behind all of them in the queue.
            tokio::task::yield_now().await;
            let answer = names.in_turn(std::future::ready(()), false).await;
            (answer, names.slow_turns.available_permits())
        };
        match select(pin!(healthy), pin!(futures_util::future::join_all(slow))).await {
            // The slow ones go on, as many as may.
            Either::Left((ended, _)) => assert_eq!(ended, (Some(()), 0)),
            Either::Right(_) => panic!("nothing ends that lookup"),
        }
    }
}
