//! Accepting connections: limits on each and on all of them, and a graceful end.

mod address;
mod answer;
mod guarded;
mod place;
mod places;
mod time;
mod tls;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::address::{Peer, network_of};
use self::answer::Answer;
use self::guarded::Guarded;
use self::place::Place;
use self::places::Places;
pub use self::tls::Tls;
use crate::limits::ServerLimits;

/// How long a connection that has made a request may take for the head of the next
/// one, idle time before it included. Above the 60 s after which common load
/// balancers close an idle connection, so that we are not the ones who close it
/// under a request.
const HEAD_DEADLINE: Duration = Duration::from_secs(75);
/// Largest request head, in bytes: a long URL and a dozen long headers.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// When a silent HTTP/2 connection is asked for a sign of life, and given up.
const PING_AFTER: Duration = Duration::from_secs(30);
const PING_DEADLINE: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted, usually for want of
/// file descriptors: others must end first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection that must make room may go on with what it has begun.
const LEAVE_DEADLINE: Duration = Duration::from_secs(10);

/// Serves until `stop`, then waits for requests under way to end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    tls: Option<Tls>,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Places::new(limits));
    let server = Arc::new(Connections { builder: builder(), router, tls, stop: stop.clone() });
    let watched = places.clone();
    let watch = tokio::spawn(async move { watched.watch().await });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = Places::take(&places, peer.ip()) {
                    let server = server.clone();
                    connections.spawn(async move { server.open(stream, peer, &place).await });
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted; raise the limit on open files");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Closed at once, so that a new connection is refused rather than left waiting.
    drop(listener);
    connections.close();
    connections.wait().await;
    watch.abort();
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_DEADLINE);
    builder
}

/// What all connections share.
struct Connections {
    builder: Builder<TokioExecutor>,
    router: Router,
    tls: Option<Tls>,
    stop: CancellationToken,
}

impl Connections {
    /// One connection, from its first byte to its end.
    async fn open(&self, stream: TcpStream, peer: SocketAddr, place: &Arc<Place>) {
        // Answers are written whole; waiting to fill a packet only delays them.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let stream = Guarded::new(stream, place.clone());
        let Some(tls) = &self.tls else { return self.serve(stream, peer, place).await };
        // A handshake has the deadline of a first request.
        let shaken = tokio::select! {
            shaken = tls.acceptor().accept(stream) => shaken,
            () = place.cut() => return,
            () = place.must_leave() => return,
            () = self.stop.cancelled() => return,
        };
        match shaken {
            Ok(stream) => self.serve(stream, peer, place).await,
            Err(error) => tracing::debug!(%error, %peer, "no TLS came about"),
        }
    }

    async fn serve<S>(&self, stream: S, peer: SocketAddr, place: &Arc<Place>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = TowerToHyperService::new(self.router.clone());
        let of_requests = place.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            let under_way = Place::begin_request(&of_requests);
            let answered = router.call(request);
            async move {
                let response = answered.await?;
                Ok::<_, Infallible>(response.map(|body| Answer::new(body, under_way)))
            }
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = place.cut() => {
                tracing::debug!(%peer, "a connection was cut: it sent no request, or did not read");
                return;
            }
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = place.cut() => return,
                }
            }
            () = place.must_leave() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = place.cut() => return,
                    () = tokio::time::sleep(LEAVE_DEADLINE) => return,
                }
            }
        };
        if let Err(error) = ended {
            // The other side's doing, and nobody here can mend it.
            tracing::debug!(%error, "connection ended early");
        }
    }
}

/// Errors of a connection that was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
