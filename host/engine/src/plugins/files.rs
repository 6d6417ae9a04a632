//! Looking at an operator's files without ever waiting for one that does not
//! answer: a pipe, a device, a mount whose server is gone.
//!
//! Each look happens on a thread beside the async ones, within a deadline. One
//! that is late is left behind with its thread, and its path is not touched again
//! until it has come back. Only regular files are opened; links to them are
//! followed, since that is how Kubernetes mounts files that change.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::{Mode, OFlags};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A local disk answers in milliseconds; the largest plugin, 32 MiB, comes over a
/// network of 10 MB/s in time.
const DEADLINE: Duration = Duration::from_secs(5);
/// Threads that may be left behind. With more, whatever it is that does not
/// answer is not one file.
const MAX_STUCK: usize = 16;

/// What tells one version of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

type Job = Box<dyn FnOnce() + Send>;

/// The files of one folder.
#[derive(Debug)]
pub(super) struct Files {
    deadline: Duration,
    /// To the thread that looks; none before the first look, and while the last
    /// one is left behind.
    hand: Option<Sender<Job>>,
    /// What is still waited for by a thread that was left behind.
    stuck: HashMap<PathBuf, Weak<()>>,
}

impl Default for Files {
    fn default() -> Self {
        Self { deadline: DEADLINE, hand: None, stuck: HashMap::new() }
    }
}

impl Files {
    /// The `.wasm` files of a folder, in order of their names.
    pub(super) async fn list(&mut self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let list = |folder: &Path| {
            let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
            let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
            paths.retain(|path| path.extension().is_some_and(|end| end == "wasm"));
            paths.sort();
            Ok(paths)
        };
        self.within_deadline(folder, list).await
    }

    /// A regular file as it is now, unread; none when it is gone.
    pub(super) async fn stamp(&mut self, path: &Path) -> io::Result<Option<Stamp>> {
        let stamp = |path: &Path| match std::fs::metadata(path) {
            Ok(metadata) => {
                regular(&metadata)?;
                let modified = metadata.modified()?;
                Ok(Some(Stamp { modified, bytes: metadata.len() }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        self.within_deadline(path, stamp).await
    }

    /// The bytes of a regular file, which is not read when it is over the limit.
    pub(super) async fn read(&mut self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        self.within_deadline(path, move |path| read(path, limit)).await
    }

    async fn within_deadline<T: Send + 'static>(
        &mut self,
        path: &Path,
        look: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        self.stuck.retain(|_, look| look.strong_count() > 0);
        if self.stuck.contains_key(path) || self.stuck.len() >= MAX_STUCK {
            return Err(no_answer(self.deadline));
        }
        let (answer, answered) = oneshot::channel();
        let (under_way, owned) = (Arc::new(()), path.to_owned());
        let watch = Arc::downgrade(&under_way);
        let job = move || {
            let _under_way = under_way;
            // Nobody listens any more when it comes late.
            let _ = answer.send(look(&owned));
        };
        let hand = match self.hand.take() {
            Some(hand) => hand,
            None => start_hand()?,
        };
        hand.send(Box::new(job)).map_err(|_| io::Error::other("the thread that looks is gone"))?;
        match timeout(self.deadline, answered).await {
            Ok(answer) => {
                self.hand = Some(hand);
                answer.map_err(|_| io::Error::other("the thread that looks is gone"))?
            }
            Err(_) => {
                // Without `hand` the thread ends by itself, should it ever come back.
                self.stuck.insert(path.to_owned(), watch);
                Err(no_answer(self.deadline))
            }
        }
    }
}

/// Not one of the async runtime's threads: those are waited for at the end.
fn start_hand() -> io::Result<Sender<Job>> {
    let (hand, jobs) = channel::<Job>();
    let work = move || jobs.into_iter().for_each(|job| job());
    thread::Builder::new().name("plugin-files".to_owned()).spawn(work)?;
    Ok(hand)
}

fn no_answer(deadline: Duration) -> io::Error {
    let seconds = deadline.as_secs_f32();
    let text = format!("its file system did not answer within {seconds} s; mend the mount");
    io::Error::new(io::ErrorKind::TimedOut, text)
}

fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    // What it was a moment ago it need not be now: without waiting for a pipe's
    // other end, and without becoming a terminal's.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    regular(&metadata)?;
    let too_large = |bytes: u64| {
        io::Error::other(format!(
            "the file is {bytes} bytes; at most {limit} are accepted: strip debug information, \
             or raise ALERTS_PLUGIN_FILE_MIB"
        ))
    };
    if metadata.len() > limit as u64 {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    let text = format!("it is {what}, and not a regular file; take it out of the folder");
    Err(io::Error::other(text))
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    /// For what never answers; anything that does may take as long as it likes.
    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_path_that_does_not_answer_is_left_alone_until_it_does_and_no_other_waits() {
        let mut files = Files { deadline: SHORT, ..Files::default() };
        let (stalled, other) = (Path::new("stalled.wasm"), Path::new("other.wasm"));
        let (mend, mended) = channel::<()>();
        let stall = move |_: &Path| {
            let _ = mended.recv();
            Ok(())
        };
        let late = files.within_deadline(stalled, stall).await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);

        files.deadline = LONG;
        assert_eq!(files.stuck.len(), 1);
        let again = files.within_deadline(stalled, |_| Ok(())).await;
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::TimedOut, "it is not touched");
        assert_eq!(files.within_deadline(other, |_| Ok(7)).await.unwrap(), 7);

        drop(mend);
        // Its thread is about to end.
        while files.within_deadline(stalled, |_| Ok(())).await.is_err() {
            tokio::task::yield_now().await;
        }
        assert!(files.stuck.is_empty());
    }

    #[tokio::test]
    async fn the_threads_that_are_left_behind_are_bounded() {
        let mut files = Files { deadline: Duration::from_millis(1), ..Files::default() };
        let (mend, mended) = channel::<()>();
        let mended = Arc::new(std::sync::Mutex::new(mended));
        for index in 0..MAX_STUCK + 5 {
            let mended = mended.clone();
            let stall = move |_: &Path| {
                let _ = mended.lock().unwrap().recv();
                Ok(())
            };
            let path = PathBuf::from(format!("{index}.wasm"));
            files.within_deadline(&path, stall).await.unwrap_err();
        }
        assert_eq!(files.stuck.len(), MAX_STUCK);
        drop(mend);
    }

    #[tokio::test]
    async fn only_regular_files_and_links_to_them_are_opened_and_no_large_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("real.wasm"), b"0123456789").unwrap();
        std::os::unix::fs::symlink(path("real.wasm"), path("link.wasm")).unwrap();
        std::os::unix::fs::symlink(path("nowhere"), path("dangling.wasm")).unwrap();
        std::fs::create_dir(path("folder.wasm")).unwrap();
        mknodat(CWD, path("pipe.wasm"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket.wasm")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("device.wasm")).unwrap();
        std::fs::write(path("notes.txt"), b"").unwrap();

        let mut files = Files { deadline: LONG, ..Files::default() };
        let listed = files.list(folder.path()).await.unwrap();
        assert_eq!(listed.len(), 7, "{listed:?}");
        for name in ["real.wasm", "link.wasm"] {
            assert!(files.stamp(&path(name)).await.unwrap().is_some(), "{name}");
            assert_eq!(files.read(&path(name), 10).await.unwrap(), b"0123456789");
            let large = files.read(&path(name), 9).await.unwrap_err().to_string();
            assert!(large.contains("10 bytes; at most 9"), "{large}");
        }
        assert_eq!(files.stamp(&path("dangling.wasm")).await.unwrap(), None);
        for (name, what) in [
            ("folder.wasm", "a folder"),
            ("pipe.wasm", "a pipe"),
            ("socket.wasm", "a socket"),
            ("device.wasm", "a device"),
        ] {
            let told = files.stamp(&path(name)).await.unwrap_err().to_string();
            assert!(told.contains(what), "{name}: {told}");
            // Also when it takes a regular file's place between the two looks.
            files.read(&path(name), 10).await.unwrap_err();
        }
        assert!(files.stuck.is_empty(), "nothing has waited");
    }
}
