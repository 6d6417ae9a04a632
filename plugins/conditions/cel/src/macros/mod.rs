//! Macros beyond those of the `cel` crate: `cel.bind`, the macros with two
//! variables, and `cel.block`.

mod block;
mod pairs;
mod parts;

use cel::common::ast::IdedExpr;
use cel::parser::{Macro, MacroExprHelper};
use cel::{DeclarationError, Env};

use parts::{Expansion, bind, is_cel, take, variable};

pub(crate) use pairs::{MAP_OF_MAPS, MAP_OF_PAIRS, PAIRS, extension as pair_functions};

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_macro(Macro::receiver("bind", 3, expand_bind))?;
    pairs::add(env)?;
    block::add(env)
}

/// `cel.bind(name, value, expression)`: the expression with a name for the value.
fn expand_bind(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    args: &mut Vec<IdedExpr>,
) -> Expansion {
    if !is_cel(target) {
        return Ok(None);
    }
    let [name, value, expression] = take(args, helper)?;
    let name = variable(helper, &name)?;
    Ok(Some(bind(helper, &name, value, expression)))
}
