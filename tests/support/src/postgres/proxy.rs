//! A way to Postgres on which things go wrong: answers are lost at the worst
//! moment, bytes vanish, connections are accepted and closed.
//!
//! Reads what hosts send, so that a test says which transaction it means.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// Passes everything on between hosts and a server, until it is told otherwise.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    mode: watch::Sender<Mode>,
    ambush: Arc<Mutex<Option<Ambush>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    PassesOn,
    Silent,
    Closes,
}

/// What is waited for.
#[derive(Debug, Clone)]
struct Ambush {
    /// Part of a statement's text.
    statement: &'static str,
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    CloseBefore,
    Close,
    GoSilent,
}

impl Proxy {
    /// Before the server of this URL.
    pub async fn before(url: &str) -> io::Result<Self> {
        let mut parsed = Url::parse(url).map_err(io::Error::other)?;
        let host = parsed.host_str().unwrap_or("127.0.0.1").to_owned();
        let server = (host, parsed.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        parsed.set_host(Some("127.0.0.1")).map_err(io::Error::other)?;
        let port = listener.local_addr()?.port();
        parsed.set_port(Some(port)).map_err(|()| io::Error::other("the URL takes no port"))?;
        let (mode, seen) = watch::channel(Mode::PassesOn);
        let ambush = Arc::new(Mutex::new(None));
        let armed = ambush.clone();
        tokio::spawn(async move {
            while let Ok((host, _)) = listener.accept().await {
                let (server, seen, armed) = (server.clone(), seen.clone(), armed.clone());
                tokio::spawn(async move {
                    if *seen.borrow() != Mode::Closes
                        && let Ok(server) = TcpStream::connect(server).await
                    {
                        let way = Way { sent: Sent::default(), seen, armed, is_silent: false };
                        // However it ends, both sides see their connection close.
                        let _ = way.pass_on(host, server).await;
                    }
                });
            }
        });
        Ok(Self { url: parsed.into(), mode, ambush })
    }

    /// The server's URL with this way's address in it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Loses the answer to the next commit of a transaction in which a statement with
    /// this text ran, and closes that connection. The commit is done.
    pub fn lose_commit_of(&self, statement: &'static str) {
        self.lie_in_wait(Ambush { statement, then: Then::Close });
    }

    /// The same, but the connection stays open and nothing comes over it any more.
    pub fn silence_commit_of(&self, statement: &'static str) {
        self.lie_in_wait(Ambush { statement, then: Then::GoSilent });
    }

    /// Loses the commit itself, with its connection: it is not done.
    pub fn drop_commit_of(&self, statement: &'static str) {
        self.lie_in_wait(Ambush { statement, then: Then::CloseBefore });
    }

    /// Whether what was last waited for has happened.
    pub fn has_struck(&self) -> bool {
        self.ambush.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Keeps all connections open, takes new ones, and passes no byte on. What was
    /// connected then stays silent also after [`Self::recover`].
    pub fn go_silent(&self) {
        self.mode.send_replace(Mode::Silent);
    }

    /// Closes all connections, and every new one as soon as it is made.
    pub fn close_all(&self) {
        self.mode.send_replace(Mode::Closes);
    }

    /// Passes on what new connections send.
    pub fn recover(&self) {
        self.mode.send_replace(Mode::PassesOn);
    }

    fn lie_in_wait(&self, ambush: Ambush) {
        *self.ambush.lock().unwrap_or_else(PoisonError::into_inner) = Some(ambush);
    }
}

/// One connection.
struct Way {
    sent: Sent,
    seen: watch::Receiver<Mode>,
    armed: Arc<Mutex<Option<Ambush>>>,
    is_silent: bool,
}

impl Way {
    async fn pass_on(mut self, mut host: TcpStream, mut server: TcpStream) -> io::Result<()> {
        let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
        loop {
            tokio::select! {
                // A proxy that was dropped changes nothing any more.
                Ok(()) = self.seen.changed() => {
                    if *self.seen.borrow_and_update() == Mode::Closes {
                        return Ok(());
                    }
                }
                read = host.read(&mut asked) => {
                    let length @ 1.. = read? else { return Ok(()) };
                    if self.swallows() {
                        continue;
                    }
                    let strike = self.strikes(&asked[..length]);
                    if strike == Some(Then::CloseBefore) {
                        return Ok(());
                    }
                    server.write_all(&asked[..length]).await?;
                    if let Some(then) = strike {
                        // It is done once the server answers; nobody will hear of it.
                        let _answered = server.read(&mut answered).await?;
                        if then == Then::Close {
                            return Ok(());
                        }
                        self.is_silent = true;
                    }
                }
                read = server.read(&mut answered), if !self.is_silent => {
                    let length @ 1.. = read? else { return Ok(()) };
                    if !self.swallows() {
                        host.write_all(&answered[..length]).await?;
                    }
                }
            }
        }
    }

    /// Whether these bytes vanish. Nothing makes sense on a connection after that.
    fn swallows(&mut self) -> bool {
        self.is_silent |= *self.seen.borrow() == Mode::Silent;
        self.is_silent
    }

    /// Whether these bytes commit what is waited for.
    fn strikes(&mut self, bytes: &[u8]) -> Option<Then> {
        let committed = self.sent.take_in(bytes)?;
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant = |ambush: &mut Ambush| {
            committed.iter().any(|statement| statement.contains(ambush.statement))
        };
        armed.take_if(is_meant).map(|ambush| ambush.then)
    }
}

/// What a host has sent so far, as far as it matters.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
#[derive(Default)]
struct Sent {
    /// Bytes of a message that is not complete yet.
    rest: Vec<u8>,
    has_started: bool,
    /// Prepared statements by name.
    prepared: HashMap<String, String>,
    /// Statements of the transaction under way.
    ran: Vec<String>,
}

impl Sent {
    /// The start-up message: protocol 3.0.
    const STARTUP: u32 = 196_608;

    /// The statements of a transaction that these bytes commit.
    fn take_in(&mut self, bytes: &[u8]) -> Option<Vec<String>> {
        self.rest.extend_from_slice(bytes);
        let mut committed = None;
        while let Some((kind, body)) = self.next_message() {
            let texts: Vec<String> = body
                .split(|byte| *byte == 0)
                .take(2)
                .map(|text| String::from_utf8_lossy(text).into_owned())
                .collect();
            match (kind, texts.as_slice()) {
                (b'P', [name, text]) => {
                    self.prepared.insert(name.clone(), text.clone());
                }
                (b'B', [_, name]) => self.ran.extend(self.prepared.get(name).cloned()),
                (b'Q', [text, ..]) if text == "COMMIT" => {
                    committed = Some(std::mem::take(&mut self.ran));
                }
                (b'Q', [text, ..]) if text == "BEGIN" => self.ran.clear(),
                (b'Q', [text, ..]) => self.ran.push(text.clone()),
                _ => {}
            }
        }
        committed
    }

    /// A message's kind and body, once all of it is there.
    fn next_message(&mut self) -> Option<(u8, Vec<u8>)> {
        // Until it has started, messages have no kind.
        let kind_length = usize::from(self.has_started);
        let length = self.rest.get(kind_length..kind_length + 4)?;
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        if self.rest.len() < kind_length + length {
            return None;
        }
        let message: Vec<u8> = self.rest.drain(..kind_length + length).collect();
        let body = message[kind_length + 4..].to_vec();
        if self.has_started {
            return Some((message[0], body));
        }
        self.has_started = body.starts_with(&Self::STARTUP.to_be_bytes());
        Some((0, Vec::new()))
    }
}
