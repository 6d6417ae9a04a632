//! Bounds on what a condition can make out of little: texts that are doubled,
//! joined or filled in, and lists out of a number. The sandbox has bounds as
//! well; these come earlier, and say which function asked for too much.

use cel::common::types::{CelBytes, CelInt, CelList, CelString, LIST_TYPE, STRING_TYPE};
use cel::common::types::{DYN_TYPE, INT_TYPE, Kind};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

/// Longest text or byte string that a function makes: four times the largest event.
pub(crate) const MAX_TEXT_BYTES: usize = 1 << 20;

/// Most items of a list that a function makes: each takes some fifty bytes, and
/// an instance has 64 MiB.
pub(crate) const MAX_ITEMS: usize = 100_000;

/// Functions of the `cel` crate whose calls are renamed to the bounded ones here,
/// with how many arguments they have besides the receiver.
pub(crate) const BOUNDED: [(&str, usize, &str); 4] = [
    ("replace", 2, "@replace"),
    ("replace", 3, "@replace"),
    ("join", 0, "@join"),
    ("join", 1, "@join"),
];

/// `lists.range`, which has a namespace and no receiver.
pub(crate) const RANGE: (&str, &str) = ("range", "@range");

/// What a call of `format` is wrapped in.
pub(crate) const FITS: &str = "@fits";

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_member_overload(
        "@replace",
        "@replace",
        STRING_TYPE,
        vec![STRING_TYPE, STRING_TYPE],
        replace,
    )?;
    let counted = vec![STRING_TYPE, STRING_TYPE, INT_TYPE];
    env.add_member_overload("@replace", "@replace_count", STRING_TYPE, counted, replace)?;
    env.add_member_overload("@join", "@join", LIST_TYPE, vec![], join)?;
    env.add_member_overload("@join", "@join_separator", LIST_TYPE, vec![STRING_TYPE], join)?;
    env.add_overload(RANGE.1, "@range", vec![INT_TYPE], range)?;
    env.add_overload(FITS, "@fits", vec![DYN_TYPE], fits)
}

fn too_long(function: &str) -> ExecutionError {
    let message = format!("the text would be longer than {MAX_TEXT_BYTES} bytes");
    ExecutionError::function_error(function, message)
}

fn too_many(function: &str) -> ExecutionError {
    let message = format!("the list would have more than {MAX_ITEMS} items");
    ExecutionError::function_error(function, message)
}

/// Whether the sum of two texts, byte strings or lists may be made.
pub(crate) fn check_sum(left: &dyn Val, right: &dyn Val) -> Result<(), ExecutionError> {
    let bytes = |value: &dyn Val| match value.get_type().kind() {
        Kind::String => value.downcast_ref::<CelString<'_>>().map_or(0, |text| text.inner().len()),
        Kind::Bytes => value.downcast_ref::<CelBytes<'_>>().map_or(0, |bytes| bytes.inner().len()),
        _ => 0,
    };
    let items =
        |value: &dyn Val| value.downcast_ref::<CelList<'_>>().map_or(0, |list| list.inner().len());
    if bytes(left) + bytes(right) > MAX_TEXT_BYTES {
        return Err(too_long("_+_"));
    }
    if items(left) + items(right) > MAX_ITEMS {
        return Err(too_many("_+_"));
    }
    Ok(())
}

fn text<'b>(args: &'b [CowVal<'_, '_>], index: usize) -> Option<&'b str> {
    Some(args.get(index)?.downcast_ref::<CelString<'_>>()?.inner())
}

fn replace<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (Some(whole), Some(old), Some(new)) = (text(&args, 0), text(&args, 1), text(&args, 2))
    else {
        return Err(ExecutionError::invalid_argument_count(3, args.len()));
    };
    let most = match args.get(3).and_then(|count| count.downcast_ref::<CelInt>()) {
        // A negative count means all.
        Some(count) => usize::try_from(*count.inner()).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let count = whole.matches(old).take(most).count();
    let added = count.saturating_mul(new.len());
    if (whole.len() - count * old.len()).saturating_add(added) > MAX_TEXT_BYTES {
        return Err(too_long("replace"));
    }
    Ok(CowVal::owned(CelString::from(whole.replacen(old, new, count))))
}

fn join<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let separator = text(&args, 1).unwrap_or_default();
    let list = args.first().and_then(|list| list.as_iterable());
    let Some(list) = list else {
        return Err(ExecutionError::invalid_argument_count(1, args.len()));
    };
    let mut joined = String::new();
    let mut items = list.iter();
    let mut is_first = true;
    while let Some(item) = items.next() {
        let Some(part) = item.downcast_ref::<CelString<'_>>() else {
            let types = vec![format!("list with {}", item.get_type().name())];
            return Err(ExecutionError::no_such_member_overload("join", types));
        };
        let before = if is_first { "" } else { separator };
        if joined.len() + before.len() + part.inner().len() > MAX_TEXT_BYTES {
            return Err(too_long("join"));
        }
        joined.push_str(before);
        joined.push_str(part.inner());
        is_first = false;
    }
    Ok(CowVal::owned(CelString::from(joined)))
}

fn range<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let count = args
        .first()
        .and_then(|count| count.downcast_ref::<CelInt>())
        .map_or(0, |count| *count.inner());
    if usize::try_from(count).unwrap_or(0) > MAX_ITEMS {
        return Err(too_many("lists.range"));
    }
    let items: Vec<Box<dyn Val + 'v>> =
        (0..count).map(|item| Box::new(CelInt::from(item)) as Box<dyn Val + 'v>).collect();
    Ok(CowVal::owned(CelList::from(items)))
}

/// Lets a text through that is not too long.
fn fits<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    match args.pop() {
        Some(value) => {
            let is_long = value
                .downcast_ref::<CelString<'_>>()
                .is_some_and(|text| text.inner().len() > MAX_TEXT_BYTES);
            if is_long { Err(too_long("format")) } else { Ok(value) }
        }
        None => Err(ExecutionError::invalid_argument_count(1, 0)),
    }
}
