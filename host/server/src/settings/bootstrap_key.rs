//! The operator's own platform key: whether anybody could guess it.

use alerts_domain::secret::Secret;

use super::error::SettingError;

/// Shortest key, in characters: 16 random ones are beyond guessing.
const MIN_CHARS: usize = 16;
/// Fewest different characters; fewer are a pattern.
const MIN_DIFFERENT: usize = 6;
/// What people write until they think of something better, and what attackers
/// try first.
const WEAK_WORDS: [&str; 21] = [
    "admin",
    "administrator",
    "apikey",
    "bootstrap",
    "bootstrapkey",
    "changeit",
    "changeme",
    "changethis",
    "default",
    "dummy",
    "example",
    "exosphere",
    "letmein",
    "password",
    "placeholder",
    "platform",
    "qwerty",
    "replaceme",
    "secret",
    "supersecret",
    "test",
];

/// The key if one is given and it is hard to guess.
pub(super) fn check(given: Option<&Secret>) -> Result<Option<Secret>, SettingError> {
    let Some(key) = given.filter(|key| !key.expose().is_empty()) else { return Ok(None) };
    match weakness(key.expose()) {
        None => Ok(Some(key.clone())),
        Some(weakness) => Err(SettingError::new(
            "ALERTS_BOOTSTRAP_KEY",
            weakness,
            "make one with `openssl rand -hex 32`, or leave it out to have one made",
        )),
    }
}

fn weakness(key: &str) -> Option<String> {
    if is_weak_word(key) {
        return Some("it is a known weak value".to_owned());
    }
    if key.chars().count() < MIN_CHARS {
        return Some(format!("it is shorter than {MIN_CHARS} characters"));
    }
    let mut different: Vec<char> = key.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < MIN_DIFFERENT {
        return Some("it repeats a few characters".to_owned());
    }
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Some("it holds characters that do not fit into a header".to_owned());
    }
    None
}

/// Whether nothing is left once digits, signs and repetition are taken away, as
/// in `changeme`, `Password12345678` and `test-test-test-test`.
fn is_weak_word(key: &str) -> bool {
    let letters: String =
        key.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    let is_counting = letters.is_empty() && ["0123", "1234"].iter().any(|run| key.contains(run));
    let repeats = |word: &&str| !letters.is_empty() && letters.replace(*word, "").is_empty();
    is_counting || WEAK_WORDS.iter().any(repeats)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(key: &str) -> bool {
        check(Some(&Secret::new(key))).is_err()
    }

    #[test]
    fn known_weak_values_are_refused_however_long() {
        for key in [
            "changeme",
            "secret",
            "password",
            "test",
            "admin",
            "Password12345678",
            "changeme-changeme-changeme",
            "test-test-test-test",
            "1234567890123456",
            "aaaaaaaaaaaaaaaaaaaa",
            "short",
            "abcabcabcabcabcabc",
        ] {
            assert!(refused(key), "{key}");
        }
    }

    #[test]
    fn a_key_of_ones_own_is_taken() {
        for key in ["exo_bench_key_of_sufficient_length", "3f2c9c1e8a514d559f0c2a6c8d1b7e10"] {
            assert!(!refused(key), "{key}");
        }
        assert_eq!(check(None), Ok(None));
        assert_eq!(check(Some(&Secret::new(""))), Ok(None));
    }
}
