//! From the client's errors to words a tenant can act on.

use std::error::Error;

use alerts_domain::exchange::TransportError;

use super::resolver::{ForbiddenName, UnknownName};

/// Classifies by what is in the chain of sources, never by message text.
pub(super) fn classify(error: &reqwest::Error) -> TransportError {
    let mut root: &dyn Error = error;
    loop {
        if let Some(forbidden) = root.downcast_ref::<ForbiddenName>() {
            return TransportError::Forbidden(forbidden.to_string());
        }
        if let Some(unknown) = root.downcast_ref::<UnknownName>() {
            return TransportError::Dns(unknown.to_string());
        }
        if let Some(tls) = root.downcast_ref::<rustls::Error>() {
            return TransportError::Tls(tls.to_string());
        }
        // rustls sits inside an io::Error, whose `source` skips what it wraps.
        let wrapped = root.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        match wrapped.map(|inner| inner as &dyn Error).or_else(|| root.source()) {
            Some(deeper) => root = deeper,
            None => break,
        }
    }
    if error.is_timeout() {
        TransportError::Timeout(if error.is_connect() {
            "no connection within the connect deadline".into()
        } else {
            "no whole answer within the deadline".into()
        })
    } else if error.is_connect() {
        TransportError::Connect(root.to_string())
    } else {
        TransportError::Protocol(root.to_string())
    }
}
