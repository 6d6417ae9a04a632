//! JSON as it is taken from others: the same to everybody who reads it after us.
//!
//! What is refused here and not by every reader: an object that names a member
//! twice (RFC 8259, 4: "names SHOULD be unique"). Some readers take the first of
//! the two, some the last, some neither; a rule would see one value and its
//! receiver the other.

mod error;
mod sieve;
mod walk;

use serde::de::DeserializeSeed as _;

pub use self::error::{JsonError, JsonFault};
pub(crate) use self::sieve::Sieve;
use self::walk::Walk;

/// What stands before a text of some editors and libraries, and means nothing in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether a text is JSON that everybody reads alike: no member is there twice, no
/// character is half a one, and nothing is nested deeper, and no number larger,
/// than what [`serde_json::Value`] takes.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(json: &[u8]) -> Result<(), JsonError> {
    let mut sieve = Sieve::default();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = sieve.value().deserialize(&mut reader).and_then(|()| reader.end());
    if read.is_ok() && !sieve.is_suspect() { Ok(()) } else { look_closely(json) }
}

/// The same, slower, for a text in which something seems wrong.
pub(crate) fn look_closely(json: &[u8]) -> Result<(), JsonError> {
    let mut walk = Walk::default();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = walk.value().deserialize(&mut reader).and_then(|()| reader.end());
    read.map_err(|error| walk.explain(&error))
}

/// The text without a byte order mark before it (RFC 8259, 8.1 lets a reader pass
/// over one).
pub fn without_byte_order_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(json: &str) -> String {
        let error = check(json.as_bytes()).unwrap_err();
        assert_eq!(error.fault, JsonFault::Repeated, "{json}");
        error.pointer
    }

    fn malformed(json: &[u8]) -> (String, String) {
        let error = check(json).unwrap_err();
        (error.pointer, error.fault.to_string())
    }

    #[test]
    fn a_repeated_member_is_pointed_to_wherever_it_is() {
        assert_eq!(pointer(r#"{"a":1,"a":1}"#), "/a");
        assert_eq!(pointer(r#"{"a":{"b":[0,{"c/d":1,"x":{},"c/d":2}]}}"#), "/a/b/1/c~1d");
        assert_eq!(pointer(r#"[{"a":1},{"a":1},[{"":1,"":2}]]"#), "/2/0/");
        assert_eq!(pointer(r#"{"a":{"x":1},"b":{"x":1},"a":{}}"#), "/a");
        // The same name, written in two ways.
        assert_eq!(pointer(r#"{"é":1,"\u00e9":2}"#), "/é");
    }

    #[test]
    fn the_same_name_in_different_objects_is_no_repetition() {
        for json in [
            r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#,
            r#"[{"a":1},{"a":1}]"#,
            r#"{"a":[{"b":1},{"b":1}],"b":1}"#,
            r#"{"a":1,"A":2,"a ":3,"":4}"#,
        ] {
            assert_eq!(check(json.as_bytes()), Ok(()), "{json}");
        }
    }

    #[test]
    fn a_repetition_is_found_among_thousands_of_members() {
        let members = |names: &mut dyn Iterator<Item = usize>| {
            let members: Vec<String> = names.map(|n| format!("\"m{n}\":{{\"x\":{n}}}")).collect();
            format!("{{{}}}", members.join(","))
        };
        let json = members(&mut (0..10_000));
        assert_eq!(check(json.as_bytes()), Ok(()));
        assert_eq!(look_closely(json.as_bytes()), Ok(()), "also where it was suspected");
        for repeated in [0, 7, 20, 9_999] {
            let json = members(&mut (0..10_000).chain([repeated]));
            assert_eq!(pointer(&json), format!("/m{repeated}"));
        }
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        let nan = malformed(b"[{\"a\":1},\n {\"n\":NaN}]");
        assert_eq!(nan.0, "/1/n");
        assert!(nan.1.ends_with("at line 2, column 7"), "{}", nan.1);
        for half in [r#"{"a":["x","\ud800"]}"#, r#"{"a":["x","\ud800\u0041"]}"#] {
            let half = malformed(half.as_bytes());
            assert_eq!(half.0, "/a/1");
            assert!(half.1.contains("half a surrogate pair"), "{}", half.1);
        }
        let raw = malformed(b"{\"a\":[0,\"\xff\"]}");
        assert_eq!(raw.0, "/a/1");
        assert!(raw.1.contains("UTF-8"), "{}", raw.1);
        assert_eq!(malformed(b"{} x").0, "");
        assert_eq!(malformed(b"").0, "");
        assert_eq!(malformed(b"{\"a\":1e999}").0, "/a");
    }

    #[test]
    fn exactly_what_a_value_takes_is_taken() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for json in [
            r#"{"a":[1,-2,3.5,"x\u00e9",true,null],"":{}}"#,
            "12345678901234567890123",
            "1e999",
            r#""\ud83d\ude00""#,
            r#"{"a":1,}"#,
            "{1:2}",
            "[1 2]",
            "nul",
            "01",
            "-0",
            &deep(127),
            &deep(128),
        ] {
            let value = serde_json::from_str::<serde_json::Value>(json);
            assert_eq!(check(json.as_bytes()).is_ok(), value.is_ok(), "{json}");
        }
    }

    #[test]
    fn one_byte_order_mark_is_passed_over() {
        assert_eq!(without_byte_order_mark(b"\xef\xbb\xbf{}"), b"{}");
        assert_eq!(without_byte_order_mark(b"{}"), b"{}");
        assert!(check(without_byte_order_mark(b"\xef\xbb\xbf\xef\xbb\xbf{}")).is_err());
    }
}
