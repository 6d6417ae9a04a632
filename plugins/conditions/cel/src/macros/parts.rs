//! What expansions of macros are built from.

use cel::ParseError;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue};
use cel::parser::MacroExprHelper;

/// What an expander answers: an expression, nothing if it leaves the call alone,
/// or an error.
pub(super) type Expansion = Result<Option<IdedExpr>, ParseError>;

/// Whether the call is in the namespace `cel`.
pub(super) fn is_cel(target: &Option<IdedExpr>) -> bool {
    matches!(target, Some(IdedExpr { expr: Expr::Ident(name), .. }) if name == "cel")
}

/// All arguments: the macro was matched with so many.
pub(super) fn take<const COUNT: usize>(
    args: &mut Vec<IdedExpr>,
    helper: &MacroExprHelper<'_>,
) -> Result<[IdedExpr; COUNT], ParseError> {
    std::mem::take(args)
        .try_into()
        .map_err(|_| helper.new_error(0, "another number of arguments is wanted"))
}

pub(super) fn variable(
    helper: &MacroExprHelper<'_>,
    node: &IdedExpr,
) -> Result<String, ParseError> {
    match &node.expr {
        Expr::Ident(name) if !name.starts_with('.') => Ok(name.clone()),
        _ => Err(helper.new_error(node.id, "a variable's name is wanted here")),
    }
}

/// A name for a value in an expression, as CEL's own tools spell it: a fold over
/// nothing whose accumulator is the name.
pub(super) fn bind(
    helper: &mut MacroExprHelper<'_>,
    name: &str,
    value: IdedExpr,
    expression: IdedExpr,
) -> IdedExpr {
    let fold = ComprehensionExpr {
        iter_range: list(helper, Vec::new()),
        iter_var: "#unused".to_owned(),
        iter_var2: None,
        accu_var: name.to_owned(),
        accu_init: value,
        loop_cond: boolean(helper, false),
        loop_step: ident(helper, name),
        result: expression,
    };
    helper.next_expr(Expr::Comprehension(Box::new(fold)))
}

pub(super) fn ident(helper: &mut MacroExprHelper<'_>, name: &str) -> IdedExpr {
    helper.next_expr(Expr::Ident(name.to_owned()))
}

pub(super) fn list(helper: &mut MacroExprHelper<'_>, items: Vec<IdedExpr>) -> IdedExpr {
    helper.next_expr(Expr::List(ListExpr::new(items)))
}

pub(super) fn boolean(helper: &mut MacroExprHelper<'_>, value: bool) -> IdedExpr {
    helper.next_expr(Expr::Literal(LiteralValue::Boolean(value.into())))
}

pub(super) fn int(helper: &mut MacroExprHelper<'_>, value: i64) -> IdedExpr {
    helper.next_expr(Expr::Literal(LiteralValue::Int(value.into())))
}

pub(super) fn call(
    helper: &mut MacroExprHelper<'_>,
    function: &str,
    args: Vec<IdedExpr>,
) -> IdedExpr {
    let call = CallExpr { func_name: function.to_owned(), target: None, args };
    helper.next_expr(Expr::Call(call))
}
