//! The macros with two variables, index and item of a list or key and value of a
//! map: `all`, `exists`, `existsOne`, `transformList`, `transformMap` and
//! `transformMapEntry`.
//!
//! The interpreter folds with one variable only, so these fold over pairs and
//! give the two parts of each pair their names.

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, operators};
use cel::common::types::{CelInt, CelList, CelMap, CelMapKey, DYN_TYPE, Kind, LIST_TYPE};
use cel::common::value::{CowVal, Val};
use cel::parser::{Macro, MacroExprHelper};
use cel::{DeclarationError, Env, ExecutionError, ParseError};
use std::collections::HashMap;

use super::parts::{Expansion, bind, boolean, call, ident, int, list, take, variable};
use crate::ordered;

/// A list of pairs, from a list or a map.
pub(crate) const PAIRS: &str = "@pairs";
/// A map, from a list of pairs.
pub(crate) const MAP_OF_PAIRS: &str = "@map_of_pairs";
/// A map, from a list of maps.
pub(crate) const MAP_OF_MAPS: &str = "@map_of_maps";

/// The variable that holds a pair; no condition can name it.
const PAIR: &str = "@pair";
/// The accumulator, as the `cel` crate calls it: it knows folds that only append
/// by that name.
const RESULT: &str = "@result";

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    for name in ["all", "exists", "exists_one", "existsOne"] {
        env.add_macro(Macro::receiver(name, 3, move |helper, target, args| {
            expand_test(helper, target, args, name)
        }))?;
    }
    for (name, function) in [
        ("transformList", None),
        ("transformMap", Some(MAP_OF_PAIRS)),
        ("transformMapEntry", Some(MAP_OF_MAPS)),
    ] {
        for count in [3, 4] {
            env.add_macro(Macro::receiver(name, count, move |helper, target, args| {
                expand_transform(helper, target, args, function)
            }))?;
        }
    }
    Ok(())
}

/// The names for the parts of a pair.
struct Names {
    first: String,
    second: String,
}

impl Names {
    fn of(
        helper: &MacroExprHelper<'_>,
        first: &IdedExpr,
        second: &IdedExpr,
    ) -> Result<Self, ParseError> {
        let names = Self { first: variable(helper, first)?, second: variable(helper, second)? };
        if names.first == names.second {
            return Err(helper.new_error(second.id, "the two variables need different names"));
        }
        Ok(names)
    }

    /// The expression with the names in it.
    fn within(&self, helper: &mut MacroExprHelper<'_>, expression: IdedExpr) -> IdedExpr {
        let part = |helper: &mut MacroExprHelper<'_>, index| {
            let (pair, index) = (ident(helper, PAIR), int(helper, index));
            call(helper, operators::INDEX, vec![pair, index])
        };
        let second = part(helper, 1);
        let inner = bind(helper, &self.second, second, expression);
        let first = part(helper, 0);
        bind(helper, &self.first, first, inner)
    }
}

/// A fold over the pairs of what the macro was called on.
fn fold(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    [init, condition, step, result]: [IdedExpr; 4],
) -> Result<IdedExpr, ParseError> {
    let range = target.take().ok_or_else(|| helper.new_error(0, "a receiver is wanted"))?;
    let iter_range = call(helper, PAIRS, vec![range]);
    Ok(helper.next_expr(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range,
        iter_var: PAIR.to_owned(),
        iter_var2: None,
        accu_var: RESULT.to_owned(),
        accu_init: init,
        loop_cond: condition,
        loop_step: step,
        result,
    }))))
}

fn expand_test(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    args: &mut Vec<IdedExpr>,
    name: &str,
) -> Expansion {
    let [first, second, test] = take(args, helper)?;
    let test = Names::of(helper, &first, &second)?.within(helper, test);
    let result = |helper: &mut MacroExprHelper<'_>| ident(helper, RESULT);
    let parts = match name {
        "all" => {
            let (accumulator, again) = (result(helper), result(helper));
            [
                boolean(helper, true),
                call(helper, operators::NOT_STRICTLY_FALSE, vec![accumulator]),
                call(helper, operators::LOGICAL_AND, vec![again, test]),
                result(helper),
            ]
        }
        "exists" => {
            let (accumulator, again) = (result(helper), result(helper));
            let none_yet = call(helper, operators::LOGICAL_NOT, vec![accumulator]);
            [
                boolean(helper, false),
                call(helper, operators::NOT_STRICTLY_FALSE, vec![none_yet]),
                call(helper, operators::LOGICAL_OR, vec![again, test]),
                result(helper),
            ]
        }
        _ => {
            let (before, one) = (result(helper), int(helper, 1));
            let counted = call(helper, operators::ADD, vec![before, one]);
            let unchanged = result(helper);
            let (count, once) = (result(helper), int(helper, 1));
            [
                int(helper, 0),
                boolean(helper, true),
                call(helper, operators::CONDITIONAL, vec![test, counted, unchanged]),
                call(helper, operators::EQUALS, vec![count, once]),
            ]
        }
    };
    fold(helper, target, parts).map(Some)
}

fn expand_transform(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    args: &mut Vec<IdedExpr>,
    function: Option<&str>,
) -> Expansion {
    let (first, second, filter, transform) = if args.len() == 4 {
        let [first, second, filter, transform] = take(args, helper)?;
        (first, second, Some(filter), transform)
    } else {
        let [first, second, transform] = take(args, helper)?;
        (first, second, None, transform)
    };
    let names = Names::of(helper, &first, &second)?;
    let item = if function == Some(MAP_OF_PAIRS) {
        let key = ident(helper, &names.first);
        list(helper, vec![key, transform])
    } else {
        transform
    };
    let item = names.within(helper, item);
    let items = list(helper, vec![item]);
    let before = ident(helper, RESULT);
    let mut step = call(helper, operators::ADD, vec![before, items]);
    if let Some(filter) = filter {
        let filter = names.within(helper, filter);
        let unchanged = ident(helper, RESULT);
        step = call(helper, operators::CONDITIONAL, vec![filter, step, unchanged]);
    }
    let parts = [list(helper, Vec::new()), boolean(helper, true), step, ident(helper, RESULT)];
    let folded = fold(helper, target, parts)?;
    Ok(Some(match function {
        Some(function) => call(helper, function, vec![folded]),
        None => folded,
    }))
}

/// The functions that these macros fold with.
pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(PAIRS, PAIRS, vec![DYN_TYPE], pairs)?;
    env.add_overload(MAP_OF_PAIRS, MAP_OF_PAIRS, vec![LIST_TYPE], map_of_pairs)?;
    env.add_overload(MAP_OF_MAPS, MAP_OF_MAPS, vec![LIST_TYPE], map_of_maps)
}

fn pairs<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let range = first(&args)?;
    let pair = |key: Box<dyn Val + 'v>, value: &(dyn Val + 'v)| {
        Box::new(CelList::from(vec![key, value.clone_as_boxed()])) as Box<dyn Val + 'v>
    };
    if let Some(map) = range.downcast_ref::<CelMap<'v>>() {
        let entries = ordered::entries(map);
        let pairs =
            entries.into_iter().map(|(key, value)| pair(key.inner().clone_as_boxed(), value));
        return Ok(CowVal::owned(CelList::from(pairs.collect::<Vec<_>>())));
    }
    let list = (range.get_type().kind() == Kind::List).then(|| range.as_iterable()).flatten();
    let Some(list) = list else {
        let types = vec![range.get_type().name().to_owned()];
        return Err(ExecutionError::no_such_overload("a macro with two variables", types));
    };
    let (mut items, mut pairs) = (list.iter(), Vec::new());
    while let Some(item) = items.next() {
        let index = i64::try_from(pairs.len()).unwrap_or(i64::MAX);
        pairs.push(pair(Box::new(CelInt::from(index)), item));
    }
    Ok(CowVal::owned(CelList::from(pairs)))
}

type Map<'v> = HashMap<CelMapKey<'v>, Box<dyn Val + 'v>>;

fn map_of_pairs<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let mut map = Map::new();
    for pair in list_items(&args)? {
        let parts = pair.downcast_ref::<CelList<'v>>().map(CelList::inner);
        if let Some([key, value]) = parts {
            map.insert(CowVal::Borrowed(key.as_ref()).try_into()?, value.clone());
        }
    }
    Ok(CowVal::owned(CelMap::from(map)))
}

fn map_of_maps<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let function = "transformMapEntry";
    let mut map = Map::new();
    for entry in list_items(&args)? {
        let Some(entry) = entry.downcast_ref::<CelMap<'v>>() else {
            let types = vec![entry.get_type().name().to_owned()];
            return Err(ExecutionError::no_such_overload(function, types));
        };
        for (key, value) in ordered::entries(entry) {
            if map.insert(key.clone(), value.clone_as_boxed()).is_some() {
                return Err(ExecutionError::function_error(function, "a key is repeated"));
            }
        }
    }
    Ok(CowVal::owned(CelMap::from(map)))
}

fn first<'a, 'b, 'v>(args: &'a [CowVal<'b, 'v>]) -> Result<&'a CowVal<'b, 'v>, ExecutionError> {
    args.first().ok_or_else(|| ExecutionError::invalid_argument_count(1, 0))
}

fn list_items<'a, 'v>(
    args: &'a [CowVal<'_, 'v>],
) -> Result<&'a [Box<dyn Val + 'v>], ExecutionError> {
    Ok(first(args)?.downcast_ref::<CelList<'v>>().map_or(&[], CelList::inner))
}
