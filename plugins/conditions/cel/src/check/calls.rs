//! Calls of functions that do not exist, or not for such arguments, and of some
//! that can be tried out without an event.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use cel::{Context, ExecutionError, Value};
use std::sync::Arc;

use super::signatures::{SIGNATURES, Signature};
use super::types::Type;
use super::{Check, name_place, nearest::nearest, offset};
use crate::explain;
use crate::functions::pattern;
use crate::library::ENV;
use crate::macros;

/// Functions whose argument is mostly written out, and then either right or wrong.
const TRIED_OUT: [&str; 4] = ["timestamp", "duration", "ip", "cidr"];

impl<'s> Check<'s> {
    pub(super) fn visit_call(&mut self, node: &'s IdedExpr, call: &'s CallExpr) -> Type {
        if let Some(result) = self.visit_operator(node, call) {
            return result;
        }
        if let Some(result) = self.visit_internal(call) {
            return result;
        }
        let name = call.func_name.as_str();
        // `optional.of(x)` is a function with a dot in its name, not a method of `optional`.
        let qualified = call
            .target
            .as_deref()
            .and_then(|target| self.free_name(target))
            .map(|namespace| format!("{namespace}.{name}"));
        let is_namespace = qualified.as_ref().is_some_and(|qualified| {
            let namespace = qualified.rsplit_once('.').map_or("", |(namespace, _)| namespace);
            SIGNATURES.iter().any(|known| {
                known.name.rsplit_once('.').is_some_and(|(known, _)| known == namespace)
            })
        });
        let (name, receiver) = match qualified {
            Some(qualified) if is_namespace => (qualified, None),
            _ => (name.to_owned(), call.target.as_deref().map(|target| self.visit(target))),
        };
        let before = self.found.len();
        let arguments: Vec<Type> = call.args.iter().map(|arg| self.visit(arg)).collect();
        let result = Self::result(&name, receiver.as_ref(), &arguments);
        if result.is_ok() {
            self.try_out(node, call);
        }
        result.unwrap_or_else(|message| {
            // Of a macro whose name is mistyped, the variables are unknown as well.
            self.found.truncate(before);
            self.report_function(node, call, message);
            Type::Dyn
        })
    }

    /// What the macros with two variables are made of.
    fn visit_internal(&mut self, call: &'s CallExpr) -> Option<Type> {
        let [range] = &call.args[..] else { return None };
        let result = match call.func_name.as_str() {
            macros::PAIRS => Type::list(Type::list(Type::Dyn)),
            macros::MAP_OF_PAIRS | macros::MAP_OF_MAPS => Type::named("map"),
            _ => return None,
        };
        let found = self.visit(range);
        let has_items = matches!(found, Type::List(_) | Type::Map(..) | Type::Event);
        if call.func_name == macros::PAIRS && !has_items && !found.is_open() {
            self.report_from(range, format!("what has type `{found}` has no items to go through"));
        }
        Some(result)
    }

    /// The type of what the call gives, or why there is no such function.
    fn result(name: &str, receiver: Option<&Type>, arguments: &[Type]) -> Result<Type, String> {
        let named: Vec<&Signature> = SIGNATURES
            .iter()
            .filter(|known| known.name == name && known.receiver.is_some() == receiver.is_some())
            .collect();
        if named.is_empty() {
            return Err(unknown(name, receiver.is_some()));
        }
        let mut fitting = named.iter().filter(|known| known.takes(receiver, arguments));
        match fitting.next() {
            Some(first) => Ok(fitting.fold(first.result.clone(), |result, next| {
                if result == next.result { result } else { Type::Dyn }
            })),
            None => {
                let list = |types: &[Type]| {
                    types.iter().map(Type::to_string).collect::<Vec<_>>().join(", ")
                };
                let on = receiver.map(|of| format!(" of type `{of}`")).unwrap_or_default();
                let ways: Vec<String> = named.iter().map(|known| known.shown()).collect();
                let given = list(arguments);
                Err(format!(
                    "`{name}`{on} does not take `({given})`; there is {}",
                    ways.join(" and ")
                ))
            }
        }
    }

    /// Refuses what is written out and wrong, such as a pattern that does not compile.
    fn try_out(&mut self, node: &'s IdedExpr, call: &'s CallExpr) {
        let text = |node: &'s IdedExpr| match &node.expr {
            Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
            _ => None,
        };
        let name = call.func_name.as_str();
        let Some(last) = call.args.last() else { return };
        let Some(written) = text(last) else { return };
        let why = if name == "matches" {
            pattern::compile(written)
                .err()
                .map(|why| format!("`{written}` is not a regular expression: {why}"))
        } else if TRIED_OUT.contains(&name) && call.target.is_none() {
            fault(node)
        } else if name.starts_with("get") && call.target.is_some() && call.args.len() == 1 {
            fault(&at_some_time(call))
        } else {
            None
        };
        if let Some(why) = why {
            self.report(last, why);
        }
    }

    fn report_function(&mut self, node: &IdedExpr, call: &CallExpr, message: String) {
        let place = offset(self.source, node);
        self.report_at(name_place(self.source, place, &call.func_name), message);
    }
}

fn unknown(name: &str, is_method: bool) -> String {
    if name == "now" {
        return "there is no `now`: a verdict depends on the event alone; its time is \
                `timestamp(event.time)`"
            .to_owned();
    }
    let alike = SIGNATURES
        .iter()
        .filter(|known| known.receiver.is_some() == is_method)
        .map(|known| known.name);
    match nearest(name, alike.chain(MACROS.into_iter().filter(|_| is_method))) {
        Some(meant) => format!("unknown function `{name}`; did you mean `{meant}`?"),
        None => format!("unknown function `{name}`"),
    }
}

/// Macros leave no call behind when they are written right.
const MACROS: [&str; 12] = [
    "all",
    "exists",
    "existsOne",
    "exists_one",
    "filter",
    "map",
    "optFlatMap",
    "optMap",
    "sortBy",
    "transformList",
    "transformMap",
    "transformMapEntry",
];

/// Why a call that needs no event fails.
fn fault(call: &IdedExpr) -> Option<String> {
    let context = Context::with_env(Arc::clone(&ENV));
    let error: ExecutionError = Value::resolve_val(call, &context).err()?;
    Some(explain::execution_error(error).message)
}

/// The same accessor with the same time zone, of a timestamp that is known.
fn at_some_time(call: &CallExpr) -> IdedExpr {
    let zero = IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::Int(0.into())) };
    let epoch = CallExpr { func_name: "timestamp".to_owned(), target: None, args: vec![zero] };
    let call = CallExpr {
        target: Some(Box::new(IdedExpr { id: 0, expr: Expr::Call(epoch) })),
        ..call.clone()
    };
    IdedExpr { id: 0, expr: Expr::Call(call) }
}
