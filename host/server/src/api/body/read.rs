//! The bytes of a body: bounded in size, in time, and in what all bodies take
//! together.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use crate::api::problem::{Kind, Problem};
use crate::limits::{Full, Share, Whole};
use crate::state::AppState;

/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// How much of a body that is too large is read on and thrown away. A caller
/// that is still writing when the connection closes never sees the answer.
const DRAINED_BYTES: u64 = 32 * 1024 * 1024;

/// The whole of a body of at most `limit` bytes. `what` names it in the error.
pub(crate) async fn read(
    body: Body,
    state: &AppState,
    limit: usize,
    what: &str,
) -> Result<Whole, Problem> {
    read_into(body, state.body_memory().share(), limit, what).await
}

async fn read_into(body: Body, share: Share, limit: usize, what: &str) -> Result<Whole, Problem> {
    let too_large =
        || Problem::too_large(format!("{what} may be at most {limit} bytes; send less at once"));
    if body.size_hint().lower() > DRAINED_BYTES.max(limit as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_DEADLINE, collect(body, share, limit)).await {
        Ok(Ok(whole)) => Ok(whole),
        Ok(Err(Unread::TooLarge)) => Err(too_large()),
        Ok(Err(Unread::NoMemory)) => Err(Problem::new(
            Kind::Unavailable,
            "the bodies of other requests take all the memory that there is for them; send the \
             request again in a moment",
        )),
        Ok(Err(Unread::Broken(error))) => Err(Problem::new(
            Kind::InvalidRequest,
            format!("the body did not arrive whole: {error}"),
        )),
        Err(_) => Err(Problem::new(
            Kind::RequestTimeout,
            format!("the body did not arrive within {} seconds", BODY_DEADLINE.as_secs()),
        )),
    }
}

/// Why a body was not read to its end.
enum Unread {
    TooLarge,
    NoMemory,
    Broken(axum::Error),
}

async fn collect(mut body: Body, mut share: Share, limit: usize) -> Result<Whole, Unread> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Unread::Broken)?.into_data() else { continue };
        read += data.len() as u64;
        if read > limit as u64 {
            (first, all) = (Bytes::new(), BytesMut::new());
            share.release();
            if read > DRAINED_BYTES {
                return Err(Unread::TooLarge);
            }
            continue;
        }
        share.grow(data.len()).map_err(|Full| Unread::NoMemory)?;
        if first.is_empty() && all.is_empty() {
            // Most bodies come in one piece, which need not be copied.
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    let whole = if all.is_empty() { first } else { all.freeze() };
    match read <= limit as u64 {
        true => Ok(Whole { bytes: whole, share }),
        false => Err(Unread::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::BodyMemory;

    #[tokio::test]
    async fn a_body_finds_no_memory_while_others_take_it() {
        let memory = BodyMemory::new(8);
        let first = read_into(Body::from("12345"), memory.share(), 100, "it").await.unwrap();
        let refused = read_into(Body::from("12345"), memory.share(), 100, "it").await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unavailable);
        drop(first);
        assert!(read_into(Body::from("12345"), memory.share(), 100, "it").await.is_ok());
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_however_it_arrives() {
        let memory = BodyMemory::new(1024);
        let read = async |body, limit, what| {
            let whole = read_into(body, memory.share(), limit, what).await;
            whole.map(|whole| whole.bytes)
        };
        let whole = read(Body::from("12345"), 5, "it").await.unwrap();
        assert_eq!(whole, "12345");
        let stream = |pieces: &'static [&'static str]| {
            let pieces = pieces.iter().map(|piece| Ok::<_, std::io::Error>(*piece));
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        assert_eq!(read(stream(&["12", "345"]), 5, "it").await.unwrap(), "12345");
        assert_eq!(
            read(stream(&["12", "345", "6"]), 5, "it").await.unwrap_err().kind(),
            Kind::TooLarge
        );
        assert_eq!(read(Body::from("123456"), 5, "it").await.unwrap_err().kind(), Kind::TooLarge);
    }
}
