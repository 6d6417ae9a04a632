//! Where a request may go: scheme, host and port together. The same host on another
//! port, or without TLS, is another place, and a secret meant for one is not for the
//! other.

use std::fmt;

use url::Url;

/// Longest grant, in bytes: a host name's 253 (RFC 1035, 2.3.4), a scheme, a port.
const MAX_BYTES: usize = 270;

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    is_encrypted: bool,
    /// In the URL standard's form: lower case, Punycode, IPv6 in brackets.
    host: String,
    port: u16,
}

/// A text that names no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a host name like `api.example.com`, which means https on its usual port, or scheme, \
     host and port like `http://relay.example.com:8080`; without path and wildcard"
)]
pub struct NotAnOrigin;

impl Origin {
    /// Of a URL that is `http` or `https` and has a host.
    pub fn of(url: &Url) -> Option<Self> {
        let is_encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
        Some(Self { is_encrypted, host, port })
    }

    /// From a plugin's manifest or an operator's grant. A host without a scheme is
    /// reached over https; without a port, over the scheme's usual one.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        // The URL standard allows `*` in a host name, where it means nothing.
        if text.len() > MAX_BYTES || text.contains(['*', '\\', '\t', '\n', '\r']) {
            return Err(NotAnOrigin);
        }
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&whole).map_err(|_| NotAnOrigin)?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && !whole.ends_with('/')
            && url.query().is_none()
            && url.fragment().is_none();
        Self::of(&url).filter(|_| is_bare).ok_or(NotAnOrigin)
    }

    /// Whether `text` is this origin as [`Self::parse`] takes it, in the form that
    /// every reader writes alike.
    pub fn is_written(&self, text: &str) -> bool {
        let whole = self.to_string();
        whole == text || whole.strip_prefix("https://") == Some(text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.is_encrypted { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Origin {
        Origin::of(&Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn a_host_name_alone_means_https_on_its_usual_port() {
        let granted = Origin::parse("events.pagerduty.com").unwrap();
        assert_eq!(granted, of("https://events.pagerduty.com/v2/enqueue"));
        assert_eq!(granted, of("https://events.pagerduty.com:443/"));
        for elsewhere in [
            "http://events.pagerduty.com/",
            "http://events.pagerduty.com:443/",
            "https://events.pagerduty.com:8443/",
            "https://events.pagerduty.com./",
            "https://evil.events.pagerduty.com/",
        ] {
            assert_ne!(granted, of(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn scheme_and_port_can_be_granted_too() {
        for (text, url) in [
            ("http://relay.example.com", "http://relay.example.com/x"),
            ("http://relay.example.com:8080", "http://relay.example.com:8080/x"),
            ("relay.example.com:8443", "https://relay.example.com:8443/"),
            ("API.example.com", "https://api.example.com/"),
            ("[::1]:8443", "https://[::1]:8443/"),
            ("192.0.2.1", "https://192.0.2.1/"),
        ] {
            assert_eq!(Origin::parse(text), Ok(of(url)), "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "*.example.com",
            "not a host",
            "a@b.example",
            "example.com/",
            "example.com/path",
            "example.com?x",
            "example.com#x",
            "ftp://example.com",
            "https://",
            "example.com:70000",
            "example.com\\x",
            &"x".repeat(400),
        ] {
            assert_eq!(Origin::parse(text), Err(NotAnOrigin), "{text}");
        }
    }

    #[test]
    fn every_origin_has_one_form() {
        for (text, is_written) in [
            ("hooks.example.com", true),
            ("https://hooks.example.com", true),
            ("hooks.example.com:8443", true),
            ("http://hooks.example.com", true),
            ("Hooks.example.com", false),
            ("hooks.example.com:443", false),
        ] {
            assert_eq!(Origin::parse(text).unwrap().is_written(text), is_written, "{text}");
        }
    }
}
