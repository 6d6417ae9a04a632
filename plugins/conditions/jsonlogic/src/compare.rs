//! How values compare: as JavaScript does it, which is what JSONLogic says.
//!
//! The engine's own `==` takes `null` for `0`, `""` and `false`, so a rule
//! `errored_count == 0` would fire for every event without that field; and its
//! `<` fails where one side is no number. These here replace them.

use std::cmp::Ordering;

use datalogic_rs::bumpalo::Bump;
use datalogic_rs::operator::EvalContext;
use datalogic_rs::{ArenaExt, CustomOperator, DataValue};

/// A comparison of two neighbours among the operands.
#[derive(Clone, Copy)]
pub(crate) struct Comparison(fn(&DataValue<'_>, &DataValue<'_>) -> bool);

/// Each operator, and the name under which the engine knows its replacement.
/// No rule can use such a name itself: the check lets through JSONLogic's alone.
pub(crate) const COMPARISONS: [(&str, &str, Comparison); 6] = [
    ("==", "js ==", Comparison(equal)),
    ("!=", "js !=", Comparison(|left, right| !equal(left, right))),
    ("<", "js <", Comparison(|left, right| order(left, right).is_some_and(Ordering::is_lt))),
    ("<=", "js <=", Comparison(|left, right| order(left, right).is_some_and(Ordering::is_le))),
    (">", "js >", Comparison(|left, right| order(left, right).is_some_and(Ordering::is_gt))),
    (">=", "js >=", Comparison(|left, right| order(left, right).is_some_and(Ordering::is_ge))),
];

/// The operator's name as the rule has it.
pub(crate) fn original(name: &str) -> &str {
    COMPARISONS.iter().find(|(_, ours, _)| *ours == name).map_or(name, |(known, ..)| known)
}

impl CustomOperator for Comparison {
    fn evaluate<'a>(
        &self,
        operands: &[&'a DataValue<'a>],
        _: &mut EvalContext<'_, 'a>,
        arena: &'a Bump,
    ) -> datalogic_rs::Result<&'a DataValue<'a>> {
        // `{"<": [0, x, 10]}` is "between", and the others follow suit.
        let holds = operands.windows(2).all(|pair| (self.0)(pair[0], pair[1]));
        Ok(arena.bool(holds))
    }
}

/// JavaScript's `==`, except that arrays and objects equal what they look like:
/// JSON has no identity by which they could differ.
fn equal(left: &DataValue<'_>, right: &DataValue<'_>) -> bool {
    use DataValue::{Array, Bool, Null, Object, String};

    match (left, right) {
        (Null, Null) => true,
        (Null, _) | (_, Null) => false,
        (String(left), String(right)) => left == right,
        (Bool(left), Bool(right)) => left == right,
        (Array(_), Array(_)) | (Object(_), Object(_)) => left == right,
        _ => number(left).zip(number(right)).is_some_and(|(left, right)| left == right),
    }
}

/// JavaScript's `<` and its like. Strings go by their letters, all else by
/// number; nothing holds between things of which one is no number.
fn order(left: &DataValue<'_>, right: &DataValue<'_>) -> Option<Ordering> {
    match (left, right) {
        (DataValue::String(left), DataValue::String(right)) => Some(left.cmp(right)),
        (DataValue::Number(left), DataValue::Number(right)) => {
            // Whole numbers beyond 2^53 would be rounded on the way through a double.
            match (left.as_i64(), right.as_i64()) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => left.as_f64().partial_cmp(&right.as_f64()),
            }
        }
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

/// JavaScript's `Number(…)` for what JSON can hold; none for an array or object.
fn number(value: &DataValue<'_>) -> Option<f64> {
    match value {
        DataValue::Null => Some(0.0),
        DataValue::Bool(value) => Some(f64::from(u8::from(*value))),
        DataValue::Number(value) => Some(value.as_f64()),
        DataValue::String(text) => {
            let text = text.trim();
            // Rust also reads `inf` and `nan`.
            let numeric = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
            match text {
                "" => Some(0.0),
                _ if text.bytes().all(numeric) => text.parse().ok(),
                _ => None,
            }
        }
        DataValue::Array(_) | DataValue::Object(_) => None,
    }
}
