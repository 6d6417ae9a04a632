//! Where people reach this host in a browser, and which sites may show it in a frame.

use url::{Host, Url};

use super::error::SettingError;
use super::{ServeArgs, given, keep};

/// What browsers are told about this host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Scheme, host and port by which browsers reach it, without a slash at the end; none
    /// when nobody said.
    public_url: Option<String>,
    /// Whether this host serves TLS itself.
    has_certificate: bool,
    /// Sites that may show it in a frame, each as the Content Security Policy has it.
    frame_ancestors: Vec<String>,
}

impl Site {
    /// Both settings, as they are written.
    pub fn parse(
        public_url: Option<&str>,
        frame_ancestors: Option<&str>,
    ) -> Result<Self, SettingError> {
        let public_url = public_url.map(public_url_of).transpose()?;
        let ancestors = frame_ancestors.unwrap_or_default();
        let ancestors = ancestors.split([',', ' ']).filter(|one| !one.is_empty());
        let frame_ancestors = ancestors.map(ancestor).collect::<Result<_, _>>()?;
        Ok(Self { public_url, has_certificate: false, frame_ancestors })
    }

    pub(super) fn read(args: &ServeArgs, wrong: &mut Vec<SettingError>) -> Self {
        let public_url = keep(wrong, Self::parse(given(&args.public_url), None));
        let ancestors = keep(wrong, Self::parse(None, given(&args.frame_ancestors)));
        Self {
            public_url: public_url.and_then(|site| site.public_url),
            has_certificate: given(&args.tls_cert).is_some(),
            frame_ancestors: ancestors.map(|site| site.frame_ancestors).unwrap_or_default(),
        }
    }

    /// Scheme, host and port by which browsers reach this host, without a slash at the
    /// end; none when nobody said.
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// Whether browsers are known to reach it by TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.has_certificate
            || self.public_url.as_ref().is_some_and(|url| url.starts_with("https:"))
    }

    /// Whether any site may show it in a frame.
    pub(crate) fn may_be_framed(&self) -> bool {
        !self.frame_ancestors.is_empty()
    }

    /// The sources of `frame-ancestors` in a Content Security Policy.
    pub(crate) fn frame_ancestors(&self) -> String {
        match self.frame_ancestors.as_slice() {
            [] => "'none'".to_owned(),
            sites => sites.join(" "),
        }
    }
}

fn public_url_of(text: &str) -> Result<String, SettingError> {
    let wrong = |problem: String| {
        let advice = "write scheme and host, like https://alerts.example.com";
        SettingError::new("ALERTS_PUBLIC_URL", problem, advice)
    };
    let url = Url::parse(text).map_err(|error| wrong(format!("`{text}` is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong(format!("`{text}` is not an http or https URL")));
    }
    let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    if has_more || !url.username().is_empty() || url.password().is_some() {
        // The dashboard's own links begin at the root of its host.
        return Err(wrong(format!("`{text}` holds more than scheme, host and port")));
    }
    Ok(url.origin().ascii_serialization())
}

/// A site as the policy has it: `'self'`, or scheme, host and port, where the host may
/// begin with `*.`.
fn ancestor(text: &str) -> Result<String, SettingError> {
    let wrong = |problem: String| {
        let advice = "write sites like https://exosphere.example.com or https://*.example.com, \
                      with commas between them";
        SettingError::new("ALERTS_FRAME_ANCESTORS", problem, advice)
    };
    if matches!(text, "self" | "'self'") {
        return Ok("'self'".to_owned());
    }
    let is_any_below = text.contains("://*.");
    let url = Url::parse(&text.replacen("://*.", "://", 1));
    let url = url.map_err(|error| wrong(format!("`{text}` is not a site: {error}")))?;
    // A policy has no form for addresses of IPv6, and other characters would end this part
    // of it.
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    let host = match url.host() {
        Some(Host::Domain(name)) if is_plain(name) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        _ => return Err(wrong(format!("`{text}` names no host that a frame could have"))),
    };
    let is_local = matches!(host.as_str(), "localhost" | "127.0.0.1");
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        let problem = format!("`{text}` is not https, so anybody on the way could be that site");
        return Err(wrong(problem));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(format!("`{text}` holds more than scheme, host and port")));
    }
    let below = if is_any_below { "*." } else { "" };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{below}{host}{port}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_url_is_scheme_host_and_port() {
        let of = |text| Site::parse(Some(text), None).map(|site| site.public_url.unwrap());
        assert_eq!(of("https://alerts.example.com/").unwrap(), "https://alerts.example.com");
        assert_eq!(of("http://10.0.0.1:8080").unwrap(), "http://10.0.0.1:8080");
        for wrong in
            ["alerts.example.com", "ftp://a", "https://a/b", "https://u:p@a", "https://a?b"]
        {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn frames_are_for_the_sites_that_are_named_and_for_no_others() {
        let policy = |text| Site::parse(None, Some(text)).map(|site| site.frame_ancestors());
        assert_eq!(Site::default().frame_ancestors(), "'none'");
        assert_eq!(
            policy("https://exosphere.example.com, https://*.a.org:8443 'self'").unwrap(),
            "https://exosphere.example.com https://*.a.org:8443 'self'"
        );
        assert_eq!(policy("http://localhost:3000").unwrap(), "http://localhost:3000");
        for wrong in [
            "*",
            "https://*",
            "https:",
            "http://a.org",
            "https://a.org/x",
            "https://a.*.org",
            "https://a.org;script-src",
            "data:",
        ] {
            assert!(policy(wrong).is_err(), "{wrong}");
        }
    }
}
