//! From the client's errors to words a tenant can act on.

use std::error::Error;

use alerts_domain::exchange::TransportError;

use super::resolver::{ForbiddenName, UnknownName};

/// Classifies by what is in the chain of sources, never by message text.
pub(super) fn classify(error: &reqwest::Error) -> TransportError {
    for cause in causes(error) {
        if let Some(forbidden) = cause.downcast_ref::<ForbiddenName>() {
            return TransportError::Forbidden(forbidden.to_string());
        }
        if let Some(unknown) = cause.downcast_ref::<UnknownName>() {
            return TransportError::Dns(unknown.to_string());
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return TransportError::Tls(tls.to_string());
        }
    }
    if error.is_timeout() && error.is_connect() {
        TransportError::Timeout("no connection within the connect deadline".into())
    } else if error.is_connect() {
        TransportError::Connect(root_text(error))
    } else if is_not_processed(error) {
        let why = root_text(error);
        TransportError::Protocol(format!("the server did not take the request, sent again: {why}"))
    } else {
        TransportError::Protocol(root_text(error))
    }
}

/// Whether the server says that it has not looked at the request (RFC 9113, 8.7): it
/// refused the stream, or named a lower one as the last that it takes.
pub(super) fn is_not_processed(error: &reqwest::Error) -> bool {
    let mut causes = causes(error).filter_map(|cause| cause.downcast_ref::<h2::Error>());
    causes.any(|error| {
        // A stream ends with the peer's GOAWAY only if it is above the number in it.
        error.is_remote()
            && (error.is_go_away()
                || error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM))
    })
}

/// What the error that all others were caused by says of itself.
pub(super) fn root_text(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error, what caused it, and so on.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |error| cause(*error))
}

fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    // rustls sits inside an io::Error, whose `source` skips what it wraps.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
    wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
}
