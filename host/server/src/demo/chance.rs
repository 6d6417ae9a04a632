//! Chance that repeats: what the demo's workflows and receivers do is drawn from their
//! names, so that the past, the present and a restart tell one story.

use sha2::{Digest as _, Sha256};

/// Bytes of a digest that one draw uses up.
const DRAW_BYTES: usize = 4;

/// A few draws, the same for the same name.
#[derive(Debug)]
pub(super) struct Chance {
    digest: [u8; 32],
    drawn: usize,
}

impl Chance {
    /// The draws that belong to a name and a number.
    pub(super) fn of(name: &str, number: i64) -> Self {
        let digest = Sha256::new().chain_update(name).chain_update(number.to_be_bytes());
        Self { digest: digest.finalize().into(), drawn: 0 }
    }

    /// From 0 to `end`, which is not among them.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let mut bytes = [0; DRAW_BYTES];
        let start = (self.drawn * DRAW_BYTES) % self.digest.len();
        bytes.copy_from_slice(&self.digest[start..start + DRAW_BYTES]);
        self.drawn += 1;
        // Skewed by less than a millionth for the small numbers of the demo.
        u32::from_be_bytes(bytes) % end.max(1)
    }

    /// From `least` to `most`, both among them.
    pub(super) fn between(&mut self, (least, most): (u32, u32)) -> u32 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// Whether something happens that happens so often in a thousand times.
    pub(super) fn happens(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// An id of a run, in the form of a random UUID.
    pub(super) fn uuid(&self) -> String {
        let hex: String = self.digest[16..].iter().map(|byte| format!("{byte:02x}")).collect();
        let (a, b, c, d) = (&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20]);
        format!("{a}-{b}-4{c}-a{d}-{}", &hex[20..])
    }

    /// An id of a state, as the platform's database makes them.
    pub(super) fn state_id(&self) -> String {
        self.digest[..12].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_always_draws_the_same_and_two_names_differ() {
        let draws = |name, number| {
            let mut chance = Chance::of(name, number);
            [chance.below(1000), chance.below(1000), chance.between((5, 9))]
        };
        assert_eq!(draws("a", 1), draws("a", 1));
        assert_ne!(draws("a", 1), draws("a", 2));
        assert!((5..=9).contains(&draws("b", 3)[2]));
        assert_eq!(Chance::of("a", 1).uuid().len(), 36);
    }
}
