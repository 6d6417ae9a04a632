//! The operators with JSON's numbers in mind: arithmetic, order, equality and
//! `in`, as functions that stand in for those of the `cel` crate, which takes
//! numbers of one type only and rounds where it compares them.

use std::cmp::Ordering;

use cel::common::ast::operators as names;
use cel::common::functions::Function;
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelOptional, CelUInt};
use cel::common::types::{DYN_TYPE, Kind};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use crate::growth;
use crate::numbers::{Arithmetic, NoNumber, Number};

/// What a call of the operator is renamed to, and what that does. A condition
/// cannot call it by itself: `@` begins no name.
pub(crate) const REPLACED: [(&str, &str, Function); 12] = [
    (names::ADD, "@add", add),
    (names::SUBSTRACT, "@subtract", subtract),
    (names::MULTIPLY, "@multiply", multiply),
    (names::DIVIDE, "@divide", divide),
    (names::MODULO, "@remainder", remainder),
    (names::EQUALS, "@equals", equals),
    (names::NOT_EQUALS, "@differs", differs),
    (names::LESS, "@less", less),
    (names::LESS_EQUALS, "@at_most", at_most),
    (names::GREATER, "@greater", greater),
    (names::GREATER_EQUALS, "@at_least", at_least),
    (names::IN, "@is_in", is_in),
];

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    for (_, name, function) in REPLACED {
        env.add_overload(name, name, vec![DYN_TYPE, DYN_TYPE], function)?;
    }
    Ok(())
}

type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;
type Pair<'b, 'v> = [CowVal<'b, 'v>; 2];

fn pair<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<Pair<'b, 'v>, ExecutionError> {
    args.try_into().map_err(|args: Vec<_>| ExecutionError::invalid_argument_count(2, args.len()))
}

fn no_overload(operator: &str, [left, right]: &Pair<'_, '_>) -> ExecutionError {
    let types = [left, right].map(|operand| operand.get_type().name().to_owned());
    ExecutionError::no_such_overload(operator, types.into())
}

pub(crate) fn number(value: &dyn Val) -> Option<Number> {
    match value.get_type().kind() {
        Kind::Int => value.downcast_ref::<CelInt>().map(|value| Number::Int(*value.inner())),
        Kind::UInt => value.downcast_ref::<CelUInt>().map(|value| Number::Uint(*value.inner())),
        Kind::Double => {
            value.downcast_ref::<CelDouble>().map(|value| Number::Double(*value.inner()))
        }
        _ => None,
    }
}

fn boolean<'b, 'v>(value: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(value))
}

/// The result for two numbers; nothing for anything else.
fn compute<'b, 'v>(
    operator: &str,
    operation: Arithmetic,
    operands: &Pair<'b, 'v>,
) -> Option<Outcome<'b, 'v>> {
    let [left, right] = operands;
    let (left, right) = (number(left.as_ref())?, number(right.as_ref())?);
    Some(match operation(left, right) {
        Ok(Number::Int(value)) => Ok(CowVal::owned(CelInt::from(value))),
        Ok(Number::Uint(value)) => Ok(CowVal::owned(CelUInt::from(value))),
        Ok(Number::Double(value)) => Ok(CowVal::owned(CelDouble::from(value))),
        Err(NoNumber::Overflow) => {
            Err(ExecutionError::function_error(operator, "the result is out of range"))
        }
        Err(NoNumber::DivisionByZero) => {
            Err(ExecutionError::function_error(operator, "division by zero"))
        }
        Err(NoNumber::NoOverload) => Err(no_overload(operator, operands)),
    })
}

fn add<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let operands = pair(args)?;
    if let Some(sum) = compute(names::ADD, Number::add, &operands) {
        return sum;
    }
    let [left, right] = &operands;
    growth::check_sum(left.as_ref(), right.as_ref())?;
    let same_kind = left.get_type().kind() == right.get_type().kind();
    let is_time = |value: &CowVal<'_, '_>| {
        matches!(value.get_type().kind(), Kind::Timestamp | Kind::Duration)
    };
    match left.as_adder() {
        Some(adder) if same_kind || (is_time(left) && is_time(right)) => {
            adder.add(right.as_ref()).map(|sum| CowVal::Owned(sum.into_owned()))
        }
        _ => Err(no_overload(names::ADD, &operands)),
    }
}

fn subtract<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let operands = pair(args)?;
    if let Some(difference) = compute(names::SUBSTRACT, Number::subtract, &operands) {
        return difference;
    }
    let [left, right] = &operands;
    match (left.get_type().kind(), right.get_type().kind()) {
        (Kind::Timestamp, Kind::Timestamp | Kind::Duration) | (Kind::Duration, Kind::Duration) => {
            let subtractor =
                left.as_subtractor().ok_or_else(|| no_overload(names::SUBSTRACT, &operands))?;
            subtractor.sub(right.as_ref()).map(|value| CowVal::Owned(value.into_owned()))
        }
        _ => Err(no_overload(names::SUBSTRACT, &operands)),
    }
}

fn only_numbers<'b, 'v>(
    operator: &str,
    operation: Arithmetic,
    args: Vec<CowVal<'b, 'v>>,
) -> Outcome<'b, 'v> {
    let operands = pair(args)?;
    compute(operator, operation, &operands).unwrap_or_else(|| Err(no_overload(operator, &operands)))
}

fn multiply<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    only_numbers(names::MULTIPLY, Number::multiply, args)
}

fn divide<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    only_numbers(names::DIVIDE, Number::divide, args)
}

fn remainder<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    only_numbers(names::MODULO, Number::remainder, args)
}

fn order<'b, 'v>(
    operator: &str,
    args: Vec<CowVal<'b, 'v>>,
    holds: fn(Ordering) -> bool,
) -> Outcome<'b, 'v> {
    let operands = pair(args)?;
    let [left, right] = &operands;
    let found = match (number(left.as_ref()), number(right.as_ref())) {
        (Some(left), Some(right)) => left
            .compare(right)
            .ok_or_else(|| ExecutionError::function_error(operator, "NaN has no order"))?,
        _ if left.get_type().kind() != right.get_type().kind() => {
            return Err(no_overload(operator, &operands));
        }
        _ => left
            .as_comparer()
            .ok_or_else(|| no_overload(operator, &operands))?
            .compare(right.as_ref())
            .map_err(|_| no_overload(operator, &operands))?,
    };
    Ok(boolean(holds(found)))
}

fn less<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    order(names::LESS, args, Ordering::is_lt)
}

fn at_most<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    order(names::LESS_EQUALS, args, Ordering::is_le)
}

fn greater<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    order(names::GREATER, args, Ordering::is_gt)
}

fn at_least<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    order(names::GREATER_EQUALS, args, Ordering::is_ge)
}

fn equals<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [left, right] = pair(args)?;
    Ok(boolean(equal(left.as_ref(), right.as_ref())))
}

fn differs<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [left, right] = pair(args)?;
    Ok(boolean(!equal(left.as_ref(), right.as_ref())))
}

fn is_in<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let operands = pair(args)?;
    let [item, container] = &operands;
    let container_kind = container.get_type().kind();
    if container_kind == Kind::List
        && let Some(list) = container.as_iterable()
    {
        let mut items = list.iter();
        while let Some(other) = items.next() {
            if equal(item.as_ref(), other) {
                return Ok(boolean(true));
            }
        }
        return Ok(boolean(false));
    }
    let keys = container.as_container().ok_or_else(|| no_overload(names::IN, &operands))?;
    keys.contains(item.as_ref()).map(boolean).map_err(|_| no_overload(names::IN, &operands))
}

/// Whether two values are the same, all the way down. Numbers go by their exact
/// value, also as elements.
pub(crate) fn equal(left: &dyn Val, right: &dyn Val) -> bool {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return left.equals(right);
    }
    if let (Some(left), Some(right)) =
        (left.downcast_ref::<CelList<'_>>(), right.downcast_ref::<CelList<'_>>())
    {
        let (left, right) = (left.inner(), right.inner());
        return left.len() == right.len()
            && left.iter().zip(right).all(|(left, right)| equal(left.as_ref(), right.as_ref()));
    }
    if let (Some(left), Some(right)) =
        (left.downcast_ref::<CelMap<'_>>(), right.downcast_ref::<CelMap<'_>>())
    {
        let Some(right_fields) = right.as_indexer() else { return false };
        return left.inner().len() == right.inner().len()
            && left.inner().iter().all(|(key, value)| {
                right_fields
                    .get(key.inner())
                    .is_ok_and(|other| equal(value.as_ref(), other.as_ref()))
            });
    }
    if let (Some(left), Some(right)) =
        (left.downcast_ref::<CelOptional<'_>>(), right.downcast_ref::<CelOptional<'_>>())
    {
        return match (left.option(), right.option()) {
            (Some(left), Some(right)) => equal(left, right),
            (left, right) => left.is_none() && right.is_none(),
        };
    }
    left.equals(right)
}
