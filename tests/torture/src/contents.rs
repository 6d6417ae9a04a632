//! What is in one file: as programs see it, and as the platter has it. Says what
//! is there when the power was cut; knows no names.

use std::collections::HashMap;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::kept::Kept;

/// What a disk writes whole: the smallest that is in use.
pub(crate) const SECTOR: u64 = 512;

/// A file's bytes.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    now: Vec<u8>,
    safe: Vec<u8>,
    /// What was done since the last sync, oldest first.
    unsafe_changes: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Written { at: u64, bytes: Vec<u8> },
    Length(u64),
}

impl Contents {
    /// As programs see them.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.now
    }

    pub(crate) fn write(&mut self, at: u64, bytes: &[u8]) {
        put(&mut self.now, at, bytes);
        self.unsafe_changes.push(Change::Written { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn set_length(&mut self, bytes: u64) {
        self.now.resize(bytes as usize, 0);
        self.unsafe_changes.push(Change::Length(bytes));
    }

    /// Everything is on the platter.
    pub(crate) fn sync(&mut self) {
        for change in self.unsafe_changes.drain(..) {
            match change {
                Change::Written { at, bytes } => put(&mut self.safe, at, &bytes),
                Change::Length(bytes) => self.safe.resize(bytes as usize, 0),
            }
        }
    }

    /// The power was cut and is back. Of what was not synced nothing is there, or
    /// all, or each sector is as it was at some moment since, and the length too.
    pub(crate) fn power_on(&mut self, kept: Kept, chance: &mut StdRng) {
        let changes = std::mem::take(&mut self.unsafe_changes);
        let fate = if kept == Kept::Nothing { 0 } else { chance.random_range(0..4) };
        // A moment is how many of the changes had been made by then.
        let mut moment = || match fate {
            0 => 0,
            1 => changes.len(),
            _ => chance.random_range(0..=changes.len()),
        };
        let length_at = moment();
        let mut sectors_at: HashMap<u64, usize> = HashMap::new();
        let mut length = self.safe.len() as u64;
        for (number, change) in changes.iter().enumerate() {
            match change {
                Change::Written { at, bytes } => {
                    for (at, part) in by_sector(*at, bytes) {
                        if number < *sectors_at.entry(at / SECTOR).or_insert_with(&mut moment) {
                            put(&mut self.safe, at, part);
                        }
                    }
                    if number < length_at {
                        length = length.max(at + bytes.len() as u64);
                    }
                }
                // What was cut off is never seen again, only zeros in its place.
                Change::Length(bytes) if number < length_at => {
                    self.safe.resize(*bytes as usize, 0);
                    length = *bytes;
                }
                Change::Length(_) => {}
            }
        }
        self.safe.resize(length as usize, 0);
        self.now.clone_from(&self.safe);
    }
}

fn put(into: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let (start, end) = (at as usize, at as usize + bytes.len());
    if into.len() < end {
        into.resize(end, 0);
    }
    into[start..end].copy_from_slice(bytes);
}

/// The parts of a write, each within one sector, with their places.
fn by_sector(at: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let (mut at, mut rest) = (at, bytes);
    std::iter::from_fn(move || {
        let room = (SECTOR - at % SECTOR) as usize;
        let (part, left) = rest.split_at(room.min(rest.len()));
        let found = (!part.is_empty()).then_some((at, part));
        (at, rest) = (at + part.len() as u64, left);
        found
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng as _;

    use super::*;

    const SEEDS: u64 = 200;

    fn after_a_cut(seed: u64, kept: Kept, change: impl Fn(&mut Contents)) -> Vec<u8> {
        let mut contents = Contents::default();
        contents.write(0, &[b'a'; 2048]);
        contents.sync();
        change(&mut contents);
        contents.power_on(kept, &mut StdRng::seed_from_u64(seed));
        assert_eq!(contents.bytes(), contents.safe);
        contents.now
    }

    fn outcomes(change: impl Fn(&mut Contents)) -> BTreeSet<Vec<u8>> {
        (0..SEEDS).map(|seed| after_a_cut(seed, Kept::ByChance, &change)).collect()
    }

    #[test]
    fn what_was_synced_is_there_after_every_cut() {
        let found = outcomes(|contents| {
            contents.write(100, b"new");
            contents.set_length(1000);
            contents.sync();
        });
        let mut expected = vec![b'a'; 1000];
        expected[100..103].copy_from_slice(b"new");
        assert_eq!(found, BTreeSet::from([expected]));
    }

    #[test]
    fn a_write_that_was_not_synced_is_lost_or_kept_or_torn_between_sectors() {
        let found = outcomes(|contents| contents.write(0, &[b'b'; 2048]));
        for bytes in &found {
            assert_eq!(bytes.len(), 2048);
            for sector in bytes.chunks(SECTOR as usize) {
                assert!(sector.iter().all(|byte| *byte == sector[0]), "torn within a sector");
            }
        }
        // Every mixture of four sectors comes about.
        assert_eq!(found.len(), 16);
    }

    #[test]
    fn of_two_writes_to_one_sector_the_later_is_never_there_without_the_earlier() {
        let found = outcomes(|contents| {
            contents.write(0, b"b");
            contents.write(1, b"b");
        });
        let heads: BTreeSet<&[u8]> = found.iter().map(|bytes| &bytes[..2]).collect();
        assert_eq!(heads, BTreeSet::from([&b"aa"[..], b"ba", b"bb"]));
    }

    #[test]
    fn what_was_appended_can_be_there_as_zeros_or_not_at_all() {
        let found = outcomes(|contents| contents.write(2048, &[b'b'; 512]));
        let tails: BTreeSet<&[u8]> = found.iter().map(|bytes| &bytes[2048..]).collect();
        assert_eq!(tails, BTreeSet::from([&[][..], &[0; 512], &[b'b'; 512]]));
    }

    #[test]
    fn what_was_cut_off_comes_back_whole_or_never() {
        let found = outcomes(|contents| {
            contents.set_length(0);
            contents.write(1024, b"b");
        });
        for bytes in found {
            match bytes.len() {
                2048 => assert!(bytes[..1024].iter().all(|byte| *byte == b'a')),
                0 => {}
                1025 => assert!(bytes[..1024].iter().all(|byte| *byte == 0)),
                other => panic!("{other} bytes"),
            }
        }
    }

    #[test]
    fn at_the_worst_nothing_is_kept() {
        for seed in 0..SEEDS {
            let found = after_a_cut(seed, Kept::Nothing, |contents| contents.write(0, b"b"));
            assert_eq!(found, [b'a'; 2048]);
        }
    }
}
