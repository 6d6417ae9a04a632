//! Makes a parsed condition use the operators and functions of this plugin where
//! those of the `cel` crate fall short, by renaming calls.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, operators as names,
};

use crate::functions::{pattern, time};
use crate::{growth, macros, operators, ordered};

/// Renames what has to be renamed, in all of the expression.
pub(crate) fn adopt(node: &mut IdedExpr) {
    match &mut node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
        Expr::Select(select) => adopt(&mut select.operand),
        Expr::Call(call) => adopt_call(call),
        Expr::List(list) => list.elements.iter_mut().for_each(adopt),
        Expr::Map(map) => map.entries.iter_mut().for_each(|entry| adopt_entry(&mut entry.expr)),
        Expr::Struct(message) => {
            message.entries.iter_mut().for_each(|entry| adopt_entry(&mut entry.expr));
        }
        Expr::Comprehension(over) => adopt_comprehension(over),
    }
    if let Expr::Call(call) = &node.expr
        && call.func_name == "format"
        && call.target.is_some()
    {
        wrap(node, growth::FITS);
    }
}

fn adopt_entry(entry: &mut EntryExpr) {
    match entry {
        EntryExpr::StructField(field) => adopt(&mut field.value),
        EntryExpr::MapEntry(entry) => {
            adopt(&mut entry.key);
            adopt(&mut entry.value);
        }
    }
}

fn adopt_comprehension(over: &mut ComprehensionExpr) {
    let parts = [
        &mut over.iter_range,
        &mut over.accu_init,
        &mut over.loop_cond,
        &mut over.loop_step,
        &mut over.result,
    ];
    parts.into_iter().for_each(adopt);
    let has_order = match &over.iter_range.expr {
        Expr::List(_) => true,
        Expr::Call(call) => call.func_name == macros::PAIRS,
        _ => false,
    };
    if !has_order {
        wrap(&mut over.iter_range, ordered::ORDERED);
    }
}

fn adopt_call(call: &mut CallExpr) {
    call.target.iter_mut().for_each(|target| adopt(target));
    call.args.iter_mut().for_each(adopt);
    // The interpreter knows folds that only append, and does not copy the list
    // each time; it knows them by this operator.
    if is_append(call) {
        return;
    }
    if let Some(name) = replacement(call) {
        call.func_name = name.to_owned();
        if name == growth::RANGE.1 {
            call.target = None;
        }
    }
}

fn is_append(call: &CallExpr) -> bool {
    call.func_name == names::ADD
        && matches!(&call.args[..], [IdedExpr { expr: Expr::Ident(name), .. }, IdedExpr { expr: Expr::List(_), .. }]
            if name.starts_with('@'))
}

fn replacement(call: &CallExpr) -> Option<&'static str> {
    let (name, count) = (call.func_name.as_str(), call.args.len());
    match call.target.as_deref() {
        None if name == "matches" && count == 2 => Some(pattern::MATCHES),
        None => {
            let found = operators::REPLACED.iter().find(|(known, ..)| *known == name);
            found.map(|(_, replacement, _)| *replacement)
        }
        Some(IdedExpr { expr: Expr::Ident(namespace), .. })
            if namespace == "lists" && name == growth::RANGE.0 && count == 1 =>
        {
            Some(growth::RANGE.1)
        }
        Some(_) if name == "matches" && count == 1 => Some(pattern::MATCHES),
        Some(_) if name == time::MILLISECONDS.0 && count == 0 => Some(time::MILLISECONDS.1),
        Some(_) => {
            let mut bounded = growth::BOUNDED.iter();
            let found = bounded.find(|(known, args, _)| *known == name && *args == count);
            found.map(|(_, _, replacement)| *replacement)
        }
    }
}

/// Makes `node` the argument of a call.
fn wrap(node: &mut IdedExpr, function: &str) {
    let (id, inner) = (node.id, std::mem::take(node));
    let call = CallExpr { func_name: function.to_owned(), target: None, args: vec![inner] };
    *node = IdedExpr { id, expr: Expr::Call(call) };
}
