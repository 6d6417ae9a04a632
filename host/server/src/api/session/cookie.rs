//! The cookie that a session's token travels in.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::api::proxy::came_by_tls;
use crate::settings::Site;

/// Its name.
pub(crate) const NAME: &str = "exosphere_session";

/// How it is kept by a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Sent by this host's own pages alone.
    OwnPages {
        /// And by TLS alone.
        is_secure: bool,
    },
    /// Sent also by pages in another site's frame, in a jar of that site's own, so that
    /// what it opens there is open nowhere else. Browsers ask for TLS then.
    Frames,
}

impl Reach {
    /// For a session that was opened with a key.
    pub(crate) fn of_key(headers: &HeaderMap, site: &Site) -> Self {
        Self::OwnPages { is_secure: site.is_https() || came_by_tls(headers) }
    }

    /// For one that was opened by a portal link, perhaps in another site's frame.
    pub(crate) fn of_link(headers: &HeaderMap, site: &Site) -> Self {
        if site.may_be_framed() { Self::Frames } else { Self::of_key(headers, site) }
    }

    fn attributes(self) -> &'static str {
        match self {
            Self::OwnPages { is_secure: true } => "SameSite=Strict; Secure",
            Self::OwnPages { is_secure: false } => "SameSite=Strict",
            Self::Frames => "SameSite=None; Secure; Partitioned",
        }
    }
}

/// The token that the request came with.
pub(crate) fn presented(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named.find(|(name, value)| *name == NAME && !value.is_empty()).map(|(_, value)| value)
}

/// Has the browser keep a token, and no other. It is out of the page's scripts' reach.
pub(crate) fn set(answer: &mut HeaderMap, token: &str, lasts: Duration, reach: Reach, site: &Site) {
    // What it replaces may be in the other jar. First: a browser that knows of one jar alone
    // has one cookie of this name.
    let is_of_other = |one: &Reach| (*one == Reach::Frames) != (reach == Reach::Frames);
    for other in reaches(site).filter(is_of_other) {
        answer.append(header::SET_COOKIE, of("", 0, other));
    }
    answer.append(header::SET_COOKIE, of(token, lasts.as_secs(), reach));
}

/// Has the browser forget it, in whichever jar it is.
pub(crate) fn clear(answer: &mut HeaderMap, site: &Site) {
    for reach in reaches(site) {
        answer.append(header::SET_COOKIE, of("", 0, reach));
    }
}

/// The ways in which a browser may have kept one.
fn reaches(site: &Site) -> impl Iterator<Item = Reach> {
    let own = Reach::OwnPages { is_secure: site.is_https() };
    [own].into_iter().chain(site.may_be_framed().then_some(Reach::Frames))
}

fn of(token: &str, max_age_s: u64, reach: Reach) -> HeaderValue {
    let attributes = reach.attributes();
    let cookie = format!("{NAME}={token}; Path=/; Max-Age={max_age_s}; HttpOnly; {attributes}");
    // Tokens are ours, and plain ASCII.
    HeaderValue::try_from(cookie).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let of = |cookies| presented(&headers(&[("cookie", cookies)])).map(str::to_owned);
        assert_eq!(of("a=b; exosphere_session=x; c=d").as_deref(), Some("x"));
        assert_eq!(of("exosphere_session=x").as_deref(), Some("x"));
        assert_eq!(of("not_exosphere_session=x; exosphere_session="), None);
    }

    #[test]
    fn tls_is_known_by_the_proxy_or_by_the_setting() {
        let site = |url| Site::parse(Some(url), None).unwrap();
        let is_secure = |pairs: &[_], site: &Site| {
            Reach::of_key(&headers(pairs), site) == Reach::OwnPages { is_secure: true }
        };
        let http = site("http://alerts.example.com");
        assert!(!is_secure(&[], &http));
        assert!(is_secure(&[], &site("https://alerts.example.com")));
        assert!(is_secure(&[("x-forwarded-proto", "https, http")], &http));
        assert!(!is_secure(&[("x-forwarded-proto", "http, https")], &http));
        assert!(is_secure(&[("forwarded", "for=1.2.3.4;proto=https, for=10.0.0.1")], &http));
        assert!(!is_secure(&[("forwarded", "for=1.2.3.4;proto=http")], &http));
    }
}
