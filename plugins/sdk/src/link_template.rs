//! A URL with placeholders for parts of an alert. The host's setting is compiled
//! from this same file, so that it and an adapter's setting mean the same.

/// A URL in which a run's names are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// What may stand between braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// `{namespace}`.
    Namespace,
    /// `{graph_name}`.
    GraphName,
    /// `{run_id}`.
    RunId,
}

const PLACEHOLDERS: [(&str, Placeholder); 3] = [
    ("namespace", Placeholder::Namespace),
    ("graph_name", Placeholder::GraphName),
    ("run_id", Placeholder::RunId),
];

impl LinkTemplate {
    /// Longest template, in bytes: with its values it has to fit into a URL that
    /// browsers and chat programs take.
    pub const MAX_BYTES: usize = 1024;

    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote it.
    pub fn parse(template: &str) -> Result<Self, String> {
        if template.len() > Self::MAX_BYTES {
            return Err(format!("a link may have {} bytes at most", Self::MAX_BYTES));
        }
        // Whatever else means something in a message stays out: `|`, `<`, `"`, spaces.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%{}".contains(c);
        if let Some(c) = template.chars().find(|c| !plain(*c)) {
            return Err(format!("a link must not hold the character {c:?}; percent-encode it"));
        }
        let address = template.strip_prefix("https://").or(template.strip_prefix("http://"));
        let Some(address) = address else {
            return Err("a link must begin with `https://`".to_owned());
        };
        // Events fill the placeholders, and an event must not choose the host.
        let host = address.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() || host.contains(['{', '}']) {
            return Err("a link's host must be written out, without placeholders".to_owned());
        }
        parts(template).map(Self)
    }

    /// The link, values percent-encoded; none where a value that the template wants
    /// is missing or empty.
    pub fn fill<'v>(&self, value: impl Fn(Placeholder) -> Option<&'v str>) -> Option<String> {
        let mut url = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => url.push_str(text),
                Part::Placeholder(wanted) => {
                    let value = value(*wanted).filter(|value| !value.is_empty())?;
                    // Encoded or not, a dot segment would lead to another page.
                    if matches!(value, "." | "..") {
                        return None;
                    }
                    push_percent_encoded(&mut url, value);
                }
            }
        }
        Some(url)
    }
}

fn parts(template: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, opened)) = rest.split_once('{') {
        let Some((name, after)) = opened.split_once('}') else {
            return Err("a `{` in the link is not closed".to_owned());
        };
        let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
        let Some((_, placeholder)) = known else {
            let known = PLACEHOLDERS.map(|(name, _)| format!("{{{name}}}")).join(", ");
            return Err(format!("the link knows no `{{{name}}}`; it knows {known}"));
        };
        parts.push(Part::Text(literal(text)?));
        parts.push(Part::Placeholder(*placeholder));
        rest = after;
    }
    parts.push(Part::Text(literal(rest)?));
    Ok(parts)
}

fn literal(text: &str) -> Result<String, String> {
    if text.contains('}') {
        return Err("a `}` in the link was never opened".to_owned());
    }
    Ok(text.to_owned())
}

/// Percent-encodes all but the unreserved characters (RFC 3986, 2.3) at the end of `url`.
pub(crate) fn push_percent_encoded(url: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_into_the_link() {
        let template = "https://example.com/{namespace}/{graph_name}?run={run_id}#top";
        let template = LinkTemplate::parse(template).unwrap();
        let filled = |graph: Option<&'static str>, run: Option<&'static str>| {
            template.fill(|wanted| match wanted {
                Placeholder::Namespace => Some("p/d"),
                Placeholder::GraphName => graph,
                Placeholder::RunId => run,
            })
        };
        let link = filled(Some("a|<b> ?"), Some("7")).unwrap();
        assert_eq!(link, "https://example.com/p%2Fd/a%7C%3Cb%3E%20%3F?run=7#top");
        assert_eq!(filled(Some("a"), None), None);
        for leads_elsewhere in ["", ".", ".."] {
            assert_eq!(filled(Some(leads_elsewhere), Some("7")), None, "{leads_elsewhere:?}");
        }
    }

    #[test]
    fn a_template_that_could_not_become_a_link_is_refused() {
        let long = format!("https://example.com/{}", "x".repeat(LinkTemplate::MAX_BYTES));
        for (template, problem) in [
            ("example.com/{run_id}", "must begin with"),
            ("javascript:alert(1)", "must begin with"),
            ("https://{namespace}.example.com/", "host must be written out"),
            ("https://", "host must be written out"),
            ("https://example.com/{run}", "knows no `{run}`; it knows {namespace}, {graph_name}"),
            ("https://example.com/{run_id", "not closed"),
            ("https://example.com/run_id}", "never opened"),
            ("https://example.com/{{run_id}}", "knows no `{{run_id}`"),
            ("https://example.com/a|b", "'|'"),
            ("https://example.com/>", "'>'"),
            ("https://example.com/ü", "'ü'"),
            (&long, "1024 bytes at most"),
        ] {
            let refused = LinkTemplate::parse(template).unwrap_err();
            assert!(refused.contains(problem), "{template}: {refused}");
        }
    }

    #[test]
    fn nothing_that_means_something_in_a_url_is_left_as_it_is() {
        let mut url = String::from("https://example.com/");
        push_percent_encoded(&mut url, "a-b._~/?#&=%ü");
        assert_eq!(url, "https://example.com/a-b._~%2F%3F%23%26%3D%25%C3%BC");
    }
}
