//! What all callers together may take of this host. A stranger can open connections
//! and send bytes as he likes; these keep room for everybody else.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The limits of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections that are open at once.
    pub connections: usize,
    /// Those from one address. A proxy in front is one address too.
    pub connections_per_address: usize,
    /// Bytes of request bodies that are being read or worked on.
    pub body_bytes: usize,
    /// How long a connection may take for its first request's head, whatever
    /// protocol it speaks.
    pub first_request: Duration,
    /// How long a client may leave an answer lying.
    pub write: Duration,
}

impl ServerLimits {
    /// Most connections when nobody says: at some 20 KiB each, 80 MiB.
    const CONNECTIONS: usize = 4096;
    /// Fewest that are of any use.
    pub(crate) const MIN_CONNECTIONS: usize = 16;
    /// Room for 32 of the largest batches of events at once.
    const BODY_BYTES: usize = 256 * 1024 * 1024;
    /// A head is a few packets; a client that is slower than this is no client.
    const FIRST_REQUEST: Duration = Duration::from_secs(10);
    /// As long as a body may take to come in.
    const WRITE: Duration = Duration::from_secs(30);

    /// So many connections, and from one address half of them.
    pub(crate) fn of_connections(connections: usize) -> Self {
        Self {
            connections,
            connections_per_address: (connections / 2).max(1),
            body_bytes: Self::BODY_BYTES,
            first_request: Self::FIRST_REQUEST,
            write: Self::WRITE,
        }
    }

    /// A quarter of the files that this process may open: half of them are for
    /// deliveries, and the rest is for the database and its own.
    pub(crate) fn within(open_files: u64) -> Self {
        let quarter = usize::try_from(open_files / 4).unwrap_or(usize::MAX);
        Self::of_connections(quarter.clamp(Self::MIN_CONNECTIONS, Self::CONNECTIONS))
    }
}

impl Default for ServerLimits {
    /// For 1,024 open files, which every system allows.
    fn default() -> Self {
        Self::within(1024)
    }
}

/// The memory for request bodies, shared by all requests.
#[derive(Debug, Clone)]
pub(crate) struct BodyMemory(Arc<Semaphore>);

/// No memory is left for another body just now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl BodyMemory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// A share, of nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share { memory: self.clone(), taken: None }
    }
}

/// The part of the memory that one body takes; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    memory: BodyMemory,
    taken: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// Takes more. Never waits: two bodies that wait for each other's memory would
    /// do so until their deadline.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let bytes = u32::try_from(bytes).map_err(|_| Full)?;
        let more = self.memory.0.clone().try_acquire_many_owned(bytes).map_err(|_| Full)?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }

    /// Gives all of it back.
    pub(crate) fn release(&mut self) {
        self.taken = None;
    }
}

/// A body that has arrived whole. Its share is to be held for as long as it is looked at.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    pub(crate) share: Share,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_body_takes_another_cannot_have_until_it_is_given_back() {
        let memory = BodyMemory::new(10);
        let (mut first, mut second) = (memory.share(), memory.share());
        assert_eq!(first.grow(4), Ok(()));
        assert_eq!(first.grow(4), Ok(()));
        assert_eq!(second.grow(3), Err(Full));
        assert_eq!(second.grow(2), Ok(()));
        drop(first);
        assert_eq!(second.grow(8), Ok(()));
        second.release();
        assert_eq!(memory.share().grow(10), Ok(()));
    }

    #[test]
    fn connections_leave_room_for_deliveries_and_the_database() {
        let of = |files| ServerLimits::within(files).connections;
        assert_eq!((of(1024), of(64), of(u64::MAX)), (256, 16, 4096));
        assert_eq!(ServerLimits::within(1024).connections_per_address, 128);
    }
}
