//! In which encoding a browser takes a file (RFC 9110, 12.5.3).

use http::{HeaderMap, HeaderValue, header};

/// The encodings that files are kept in besides their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// Those that a browser takes, the smallest first: it has no reason to want another.
    pub(super) fn of(request: &HeaderMap) -> impl Iterator<Item = Self> {
        let accepted = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let accepted = accepted.unwrap_or_default();
        [Self::Brotli, Self::Gzip].into_iter().filter(move |one| one.is_in(accepted))
    }

    /// The word in `Content-Encoding`.
    pub(super) fn name(self) -> HeaderValue {
        HeaderValue::from_static(self.word())
    }

    fn word(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn is_in(self, accepted: &str) -> bool {
        let mut by_star = false;
        for one in accepted.split(',') {
            let mut parts = one.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            let is_taken = quality.is_none_or(|quality| quality > 0.0);
            if name.eq_ignore_ascii_case(self.word()) {
                return is_taken;
            }
            by_star |= name == "*" && is_taken;
        }
        by_star
    }
}
