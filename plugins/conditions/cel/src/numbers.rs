//! Arithmetic and comparison of `int`, `uint` and `double` with each other.
//!
//! JSON has one type of number, so whether an event's number is an `int` or a
//! `double` depends on how its sender's library prints it. Arithmetic therefore
//! takes them mixed: with a `double` on either side the result is a `double`,
//! and of two whole numbers it is exact. Comparison goes by the exact value.

use std::cmp::Ordering;

/// A number of any of the three types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Uint(u64),
    Double(f64),
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoNumber {
    Overflow,
    DivisionByZero,
    /// `%` of a `double`.
    NoOverload,
}

/// A binary operator on numbers.
pub(crate) type Arithmetic = fn(Number, Number) -> Result<Number, NoNumber>;

use Number::{Double, Int, Uint};

/// 2^63 and 2^64 as doubles: the first that no `int`, and no `uint`, can be.
const ABOVE_INT: f64 = 9_223_372_036_854_775_808.0;
const ABOVE_UINT: f64 = 18_446_744_073_709_551_616.0;

impl Number {
    fn double(self) -> f64 {
        match self {
            Int(value) => value as f64,
            Uint(value) => value as f64,
            Double(value) => value,
        }
    }

    fn whole(self) -> Option<i128> {
        match self {
            Int(value) => Some(value.into()),
            Uint(value) => Some(value.into()),
            Double(_) => None,
        }
    }

    /// Which of the two is larger, by exact value; nothing for NaN.
    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Int(left), Int(right)) => Some(left.cmp(&right)),
            (Double(left), Double(right)) => left.partial_cmp(&right),
            (Double(left), right) => order_with_double(right, left).map(Ordering::reverse),
            (left, Double(right)) => order_with_double(left, right),
            (left, right) => left.whole().partial_cmp(&right.whole()),
        }
    }

    /// Whether both are the same number, whatever their types.
    pub(crate) fn equals(self, other: Self) -> bool {
        self.order(other) == Some(Ordering::Equal)
    }

    /// The order for `<` and its like; nothing for NaN. Exact, but that 2^63 as a
    /// `double` does not count as more than the largest `int`: the
    /// specification's cases have it so.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Int(i64::MAX), Double(ABOVE_INT)) | (Double(ABOVE_INT), Int(i64::MAX)) => {
                Some(Ordering::Equal)
            }
            _ => self.order(other),
        }
    }

    pub(crate) fn add(self, other: Self) -> Result<Self, NoNumber> {
        self.apply(other, i64::checked_add, u64::checked_add, i128::checked_add, |a, b| a + b)
    }

    pub(crate) fn subtract(self, other: Self) -> Result<Self, NoNumber> {
        self.apply(other, i64::checked_sub, u64::checked_sub, i128::checked_sub, |a, b| a - b)
    }

    pub(crate) fn multiply(self, other: Self) -> Result<Self, NoNumber> {
        self.apply(other, i64::checked_mul, u64::checked_mul, i128::checked_mul, |a, b| a * b)
    }

    pub(crate) fn divide(self, other: Self) -> Result<Self, NoNumber> {
        if other.whole() == Some(0) && self.whole().is_some() {
            return Err(NoNumber::DivisionByZero);
        }
        self.apply(other, i64::checked_div, u64::checked_div, i128::checked_div, |a, b| a / b)
    }

    /// `4.0 % 2` has a result too: 4.0 is a whole number, whatever its type. Between
    /// two doubles the specification has no `%`.
    pub(crate) fn remainder(self, other: Self) -> Result<Self, NoNumber> {
        match (self.whole_beside(other), other.whole_beside(self)) {
            (Some(_), Some(0)) => Err(NoNumber::DivisionByZero),
            (Some(left), Some(right)) if self.whole().is_none() || other.whole().is_none() => {
                from_whole(left % right).ok_or(NoNumber::Overflow)
            }
            (Some(_), Some(_)) => {
                self.apply(other, i64::checked_rem, u64::checked_rem, i128::checked_rem, |a, _| a)
            }
            _ => Err(NoNumber::NoOverload),
        }
    }

    fn whole_beside(self, other: Self) -> Option<i128> {
        match (self, other) {
            (Double(_), Double(_)) => None,
            (Double(value), _) if value.fract() == 0.0 && value.abs() < ABOVE_UINT => {
                Some(value as i128)
            }
            _ => self.whole(),
        }
    }

    fn apply(
        self,
        other: Self,
        ints: fn(i64, i64) -> Option<i64>,
        uints: fn(u64, u64) -> Option<u64>,
        mixed: fn(i128, i128) -> Option<i128>,
        doubles: fn(f64, f64) -> f64,
    ) -> Result<Self, NoNumber> {
        let result = match (self, other) {
            (Int(left), Int(right)) => ints(left, right).map(Int),
            (Uint(left), Uint(right)) => uints(left, right).map(Uint),
            _ => match (self.whole(), other.whole()) {
                (Some(left), Some(right)) => mixed(left, right).and_then(from_whole),
                _ => Some(Double(doubles(self.double(), other.double()))),
            },
        };
        result.ok_or(NoNumber::Overflow)
    }
}

/// As an `int` where it fits, as an event's numbers are.
fn from_whole(value: i128) -> Option<Number> {
    i64::try_from(value).map(Int).or_else(|_| u64::try_from(value).map(Uint)).ok()
}

/// The order of a whole number and a `double`, without rounding the first.
fn order_with_double(whole: Number, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double >= ABOVE_UINT {
        return Some(Ordering::Less);
    }
    if double < -ABOVE_INT {
        return Some(Ordering::Greater);
    }
    // Within these bounds an `i128` holds the whole part.
    let order = whole.whole()?.cmp(&(double.trunc() as i128));
    let fraction = double.fract();
    let by_fraction = || 0.0.partial_cmp(&fraction).unwrap_or(Ordering::Equal);
    Some(order.then_with(by_fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_doubles_compare_by_their_exact_value() {
        for (left, right, order) in [
            (Int(1), Double(1.0), Ordering::Equal),
            (Int(1), Double(1.5), Ordering::Less),
            (Int(-1), Double(-1.5), Ordering::Greater),
            (Int(9_007_199_254_740_993), Double(9_007_199_254_740_992.0), Ordering::Greater),
            (Uint(u64::MAX), Double(ABOVE_UINT), Ordering::Less),
            (Int(i64::MIN), Double(-ABOVE_INT), Ordering::Equal),
            (Int(i64::MIN), Double(f64::NEG_INFINITY), Ordering::Greater),
            (Int(i64::MAX), Double(ABOVE_INT), Ordering::Less),
            (Int(-1), Uint(u64::MAX), Ordering::Less),
        ] {
            assert_eq!(left.order(right), Some(order), "{left:?} {right:?}");
            assert_eq!(right.order(left), Some(order.reverse()), "{right:?} {left:?}");
        }
        assert_eq!(Int(0).order(Double(f64::NAN)), None);
        assert!(!Int(i64::MAX).equals(Double(ABOVE_INT)));
        assert_eq!(Int(i64::MAX).compare(Double(ABOVE_INT)), Some(Ordering::Equal));
    }

    #[test]
    fn mixed_arithmetic_is_exact_among_whole_numbers_and_double_beside_a_double() {
        assert_eq!(Int(1).multiply(Double(100.0)), Ok(Double(100.0)));
        assert_eq!(Double(7.0).divide(Int(2)), Ok(Double(3.5)));
        assert_eq!(Int(7).divide(Int(2)), Ok(Int(3)));
        assert_eq!(Uint(u64::MAX).subtract(Int(1)), Ok(Uint(u64::MAX - 1)));
        assert_eq!(Uint(1).subtract(Int(2)), Ok(Int(-1)));
        assert_eq!(Int(i64::MAX).add(Int(1)), Err(NoNumber::Overflow));
        assert_eq!(Uint(u64::MAX).add(Int(1)), Err(NoNumber::Overflow));
        assert_eq!(Int(1).divide(Uint(0)), Err(NoNumber::DivisionByZero));
        assert_eq!(Int(1).divide(Double(0.0)), Ok(Double(f64::INFINITY)));
        assert_eq!(Int(7).remainder(Uint(4)), Ok(Int(3)));
        assert_eq!(Double(7.0).remainder(Int(4)), Ok(Int(3)));
        assert_eq!(Int(-7).remainder(Double(4.0)), Ok(Int(-3)));
        assert_eq!(Int(7).remainder(Double(0.0)), Err(NoNumber::DivisionByZero));
        assert_eq!(Double(7.5).remainder(Int(4)), Err(NoNumber::NoOverload));
        assert_eq!(Double(7.0).remainder(Double(4.0)), Err(NoNumber::NoOverload));
        assert_eq!(Int(i64::MIN).remainder(Int(-1)), Err(NoNumber::Overflow));
    }
}
