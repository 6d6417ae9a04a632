//! A request that an adapter wants to make: whether the host would send it, and
//! the answer that says all is well.

use alerts_domain::exchange::{Outcome, Request, Response, Step};
use alerts_domain::header::Headers;

use crate::scene::Scene;

/// The request of a step, if it is one.
pub(super) fn request_of(step: &Step) -> Option<&Request> {
    match step {
        Step::Send(request) | Step::SendLast(request) => Some(request),
        Step::Done(_) => None,
    }
}

/// What the host would send, if its rules let it and a receiver could read it.
pub(super) fn lets_out(scene: &Scene, request: &Request) -> Result<Request, String> {
    let sent = scene.reveal(request).map_err(|refused| {
        format!(
            "the host would not send this request: {refused}\n{} {}",
            request.method, request.url
        )
    })?;
    let media = sent.headers.get("content-type").unwrap_or_default().to_ascii_lowercase();
    let media = media.split(';').next().unwrap_or_default().trim();
    if (media == "application/json" || media.ends_with("+json"))
        && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&sent.body)
    {
        return Err(format!(
            "the body says that it is {media}, but is not JSON ({error}): escape what you put in"
        ));
    }
    if !sent.body.is_empty() && media.is_empty() {
        return Err("the request has a body and no `content-type`: say what it is".to_owned());
    }
    Ok(sent)
}

/// The host that a URL names; empty when it names none.
pub(super) fn host(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// An answer that any target could give when all is well.
pub(super) fn accepted() -> Outcome {
    Outcome::Response(Response {
        status: 200,
        headers: Headers::from_iter([("content-type", "application/json")]),
        body: r#"{"ok":true,"id":1}"#.into(),
        truncated: false,
        incomplete: None,
    })
}
