//! The form of a target URL. Where its host name leads is judged elsewhere, at
//! each connection ([`crate::address`]).

use std::net::IpAddr;

use url::{Host, Url};

use crate::address::AddressRules;
use crate::problem::FieldError;

/// Longest URL, in bytes: what common servers take.
pub const MAX_BYTES: usize = 2048;

/// Checks a URL and, where its host is an address, that address. The error's
/// pointer is empty.
pub fn check(text: &str, rules: &AddressRules) -> Result<Url, FieldError> {
    let refuse = |detail: String| Err(FieldError::new("", detail));
    if text.len() > MAX_BYTES {
        return refuse(format!("the URL must be at most {MAX_BYTES} bytes long"));
    }
    // A URL's parser drops some of them in silence, and not every database holds a NUL.
    if text.contains(|c: char| c.is_control()) {
        return refuse("the URL must not hold control characters".to_owned());
    }
    match Url::parse(text) {
        Ok(url) => judge(&url, rules).map(|()| url),
        Err(error) => {
            refuse(format!("is not a URL ({error}); write it whole, like https://example.com/hook"))
        }
    }
}

/// The same of a URL that was read before.
pub fn judge(url: &Url, rules: &AddressRules) -> Result<(), FieldError> {
    let refuse = |detail: String| Err(FieldError::new("", detail));
    if !matches!(url.scheme(), "http" | "https") {
        return refuse(format!("the URL must be http or https, not {}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "the URL must not hold a user name or password; use `secrets` with an auth setting"
                .into(),
        );
    }
    if url.fragment().is_some() {
        return refuse("the URL must not have a fragment (`#…`): it would never be sent".into());
    }
    let literal = match url.host() {
        Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
        Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        Some(Host::Domain(_)) => None,
        None => return refuse("the URL must name a host".into()),
    };
    if let Some(forbidden) = literal.and_then(|address| rules.judge(address).err()) {
        return refuse(format!("the URL leads to a forbidden address: {forbidden}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> bool {
        check(text, &AddressRules::default()).is_err()
    }

    #[test]
    fn only_plain_web_addresses_pass() {
        assert!(!refused("https://example.com/hook?x=1"));
        assert!(!refused("http://example.com:8080"));
        for text in [
            "example.com",
            "ftp://example.com",
            "https://a:b@example.com",
            "https://a@b.c",
            "file:///etc/passwd",
            "https://example.com/#top",
            "https://",
            "javascript:alert(1)",
            "https://example.com/\0",
            "https://example.com/a\nb",
            "\thttps://example.com/",
            "https://example.com/\u{85}",
        ] {
            assert!(refused(text), "{text}");
        }
    }

    #[test]
    fn addresses_in_disguise_are_judged_as_what_they_are() {
        for text in [
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://169.254.169.254/latest/meta-data",
        ] {
            assert!(refused(text), "{text}");
        }
    }

    #[test]
    fn a_url_that_could_not_be_kept_is_refused() {
        let url = |bytes: usize| format!("https://example.com/{}", "x".repeat(bytes - 20));
        assert!(check(&url(MAX_BYTES), &AddressRules::default()).is_ok());
        let refused = check(&url(MAX_BYTES + 1), &AddressRules::default()).unwrap_err();
        assert!(refused.detail.contains("bytes long"), "{refused:?}");
    }
}
