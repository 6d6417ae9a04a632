//! `cel.block([a, b, …], expression)`: values with numbers instead of names. CEL's
//! optimizers write it, so that a condition taken from such a tool works.

use cel::common::ast::{Expr, IdedExpr, LiteralValue};
use cel::parser::{Macro, MacroExprHelper};
use cel::{DeclarationError, Env};

use super::parts::{Expansion, bind, ident, is_cel, take};

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_macro(Macro::receiver("block", 2, expand_block))?;
    env.add_macro(Macro::receiver("index", 1, |helper, target, args| {
        expand_number(helper, target, args, "index")
    }))?;
    for name in ["iterVar", "accuVar"] {
        env.add_macro(Macro::receiver(name, 2, move |helper, target, args| {
            expand_number(helper, target, args, name)
        }))?;
    }
    Ok(())
}

fn expand_block(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    args: &mut Vec<IdedExpr>,
) -> Expansion {
    if !is_cel(target) {
        return Ok(None);
    }
    let [values, expression] = take(args, helper)?;
    let Expr::List(values) = values.expr else {
        return Err(helper.new_error(values.id, "a list of values is wanted here"));
    };
    // Each value may use those before it, so the first one is outermost.
    let named = values.elements.into_iter().enumerate().rev();
    Ok(Some(named.fold(expression, |inner, (index, value)| {
        bind(helper, &format!("@index{index}"), value, inner)
    })))
}

/// `cel.index(0)`, `cel.iterVar(0, 1)`: a name that is made of numbers.
fn expand_number(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    args: &mut Vec<IdedExpr>,
    kind: &str,
) -> Expansion {
    if !is_cel(target) {
        return Ok(None);
    }
    let mut numbers = Vec::new();
    for arg in args.iter() {
        match &arg.expr {
            Expr::Literal(LiteralValue::Int(number)) => numbers.push(number.inner().to_string()),
            _ => return Err(helper.new_error(arg.id, "a number is wanted here")),
        }
    }
    args.clear();
    Ok(Some(ident(helper, &format!("@{kind}{}", numbers.join(":")))))
}
