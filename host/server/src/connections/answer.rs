//! An answer's body on its way out, in pieces, so that it shows whether the client
//! takes them: over HTTP/2 a client can hold back one answer and read others.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::place::UnderWay;

/// Largest piece, in bytes; what the HTTP/2 window is when a client says nothing.
const PIECE_BYTES: usize = 64 * 1024;

pub(super) struct Answer {
    body: Body,
    /// Of the last frame, what was not asked for yet.
    rest: Bytes,
    under_way: UnderWay,
}

impl Answer {
    pub(super) fn new(body: Body, under_way: UnderWay) -> Self {
        under_way.given();
        Self { body, rest: Bytes::new(), under_way }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        // While the next piece is being made, the client is not the one who is late.
        this.under_way.asked();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE_BYTES));
        this.under_way.given();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::BodyExt as _;

    use super::super::place::Place;
    use super::*;

    #[tokio::test]
    async fn a_large_body_leaves_in_pieces_and_whole() {
        let place = Arc::new(Place::new());
        let text = vec![7; 3 * PIECE_BYTES + 1];
        let mut answer = Answer::new(Body::from(text.clone()), Place::begin_request(&place));
        assert_eq!(answer.size_hint().exact(), Some(text.len() as u64));
        let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.len(), PIECE_BYTES);
        assert!(!answer.is_end_stream() && !place.is_idle());
        let rest = answer.collect().await.unwrap().to_bytes();
        assert_eq!([first, rest].concat(), text);
        assert!(place.is_idle());
    }
}
