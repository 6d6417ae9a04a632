//! A way to Postgres that can be cut at the worst moment: when a commit has been
//! done and its answer is on the way.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Passes everything on between hosts and a server.
pub(crate) struct Cut {
    /// The server's URL with this way's address in it.
    pub(crate) url: String,
    armed: Arc<AtomicUsize>,
    aimed: Aimed,
}

/// What is to be lost once: of the connection on which this statement was prepared.
type Aimed = Arc<Mutex<Option<(&'static str, Lost)>>>;

/// What is lost of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// It is done.
    Answer,
    /// It is not.
    Request,
}

impl Cut {
    pub(crate) async fn before(url: &str) -> Self {
        let mut parsed = reqwest::Url::parse(url).unwrap();
        let server = format!("{}:{}", parsed.host_str().unwrap(), parsed.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own: SocketAddr = listener.local_addr().unwrap();
        parsed.set_host(Some("127.0.0.1")).unwrap();
        parsed.set_port(Some(own.port())).unwrap();
        let armed = Arc::new(AtomicUsize::new(0));
        let left = armed.clone();
        let aimed = Aimed::default();
        let aim = aimed.clone();
        tokio::spawn(async move {
            while let Ok((host, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass_on(host, server, left.clone(), aim.clone()));
            }
        });
        Self { url: parsed.into(), armed, aimed }
    }

    /// Loses the answers to the next commits, with their connections.
    pub(crate) fn lose_answers(&self, commits: usize) {
        self.armed.store(commits, Ordering::SeqCst);
    }

    /// Loses the answer to the commit of the next transaction that prepares this
    /// statement, and its connection.
    pub(crate) fn lose_answer_after(&self, statement: &'static str) {
        *self.aimed.lock().unwrap() = Some((statement, Lost::Answer));
    }

    /// The same, but the commit itself does not arrive.
    pub(crate) fn lose_commit_after(&self, statement: &'static str) {
        *self.aimed.lock().unwrap() = Some((statement, Lost::Request));
    }

    /// How many are still to be lost.
    pub(crate) fn left(&self) -> usize {
        self.armed.load(Ordering::SeqCst)
    }
}

async fn pass_on(
    mut host: TcpStream,
    mut server: TcpStream,
    armed: Arc<AtomicUsize>,
    aimed: Aimed,
) {
    let mut hit = None;
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            read = host.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let is_commit = contains(&asked[..length], b"COMMIT\0");
                hit = hit.or_else(|| {
                    let prepared = |(statement, _): &mut (&str, Lost)| {
                        contains(&asked[..length], statement.as_bytes())
                    };
                    aimed.lock().unwrap().take_if(prepared).map(|(_, lost)| lost)
                });
                if is_commit && hit == Some(Lost::Request) {
                    return;
                }
                let take = |left: usize| left.checked_sub(1);
                let is_lost = is_commit
                    && (hit == Some(Lost::Answer)
                        || armed
                            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
                            .is_ok());
                if server.write_all(&asked[..length]).await.is_err() {
                    return;
                }
                if is_lost {
                    // It is done once the server answers; nobody will hear of it.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if host.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
