//! When events happened, written down in few bytes.
//!
//! A list of marks, oldest first, is a row of LEB128 numbers: for each mark the
//! microseconds since the one before it (for the first, since the epoch, zigzag),
//! doubled, plus one for an event of the rule's own. Ten thousand events of ten
//! minutes take some 30 KB.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// One event in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// When it happened, in microseconds since the epoch.
    pub(super) at_us: i64,
    /// Whether it is one of the rule's own, and not only one of the total.
    pub(super) is_own: bool,
}

/// Marks, oldest first; of those at the same time, the one that came first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks(Vec<Mark>);

impl Marks {
    pub(super) fn as_slice(&self) -> &[Mark] {
        &self.0
    }

    pub(super) fn insert(&mut self, mark: Mark) {
        let place = self.0.partition_point(|known| known.at_us <= mark.at_us);
        self.0.insert(place, mark);
    }

    /// Leaves away those up to and at `at_us`, and all but the newest `most`.
    pub(super) fn trim(&mut self, at_us: i64, most: usize) {
        let gone = self.0.partition_point(|mark| mark.at_us <= at_us);
        self.0.drain(..gone.max(self.0.len().saturating_sub(most)));
    }

    /// Puts two lists into one. Of two marks at the same time, that of `self` came first.
    pub(super) fn merge(&mut self, later: &mut Self) {
        // A stable sort, which finds two rows in order and joins them.
        self.0.append(&mut later.0);
        self.0.sort_by_key(|mark| mark.at_us);
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 4);
        let mut before = None;
        for mark in &self.0 {
            let distance = match before {
                None => zigzag(mark.at_us),
                // In order, so never negative; and times are far from the ends of an i64.
                Some(before) => mark.at_us.saturating_sub(before).cast_unsigned(),
            };
            before = Some(mark.at_us);
            push(&mut bytes, distance << 1 | u64::from(mark.is_own));
        }
        bytes
    }

    /// None when these are not the bytes of marks.
    pub(super) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        // At least a byte for each, so a short text cannot ask for much memory.
        let mut marks: Vec<Mark> = Vec::with_capacity(bytes.len() / 2);
        while !bytes.is_empty() {
            let number = take(&mut bytes)?;
            let (distance, is_own) = (number >> 1, number & 1 == 1);
            let at_us = match marks.last() {
                None => unzigzag(distance),
                Some(before) => before.at_us.checked_add(distance.cast_signed())?,
            };
            marks.push(Mark { at_us, is_own });
        }
        Some(Self(marks))
    }
}

/// In JSON, the bytes as Base64.
impl Serialize for Marks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(self.to_bytes()))
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(D::Error::custom)?;
        Self::from_bytes(&bytes).ok_or_else(|| D::Error::custom("these are not times of events"))
    }
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn marks_read_back_as_they_were_written(
            times in prop::collection::vec(
                (Timestamp::MIN.as_microsecond()..Timestamp::MAX.as_microsecond(), any::<bool>()),
                0..50,
            ),
        ) {
            let mut marks = Marks::default();
            for (at_us, is_own) in times {
                marks.insert(Mark { at_us, is_own });
            }
            prop_assert_eq!(Marks::from_bytes(&marks.to_bytes()), Some(marks.clone()));
            let json = serde_json::to_string(&marks).unwrap();
            prop_assert_eq!(serde_json::from_str::<Marks>(&json).unwrap(), marks);
        }

        #[test]
        fn bytes_that_are_no_marks_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some(marks) = Marks::from_bytes(&bytes) {
                prop_assert_eq!(marks.as_slice().is_empty(), bytes.is_empty());
                prop_assert_eq!(marks.as_slice().is_sorted_by_key(|mark| mark.at_us), true);
            }
        }
    }

    #[test]
    fn ten_thousand_events_of_ten_minutes_take_thirty_kilobytes() {
        let start = 1_800_000_000_000_000;
        let marks = (0..10_000).map(|n| Mark { at_us: start + n * 60_000, is_own: true });
        let bytes = Marks(marks.collect()).to_bytes();
        assert!(bytes.len() <= 30_010, "{}", bytes.len());
    }

    #[test]
    fn a_number_that_is_cut_or_too_long_is_refused() {
        assert_eq!(Marks::from_bytes(&[0x80]), None);
        assert_eq!(Marks::from_bytes(&[0xff; 11]), None);
    }
}
