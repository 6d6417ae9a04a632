//! What is wrong with a condition that shows without an event: names that
//! nothing stands behind, operands that do not go together, patterns that do not
//! compile, and a result that is no truth value. So a mistake shows when the rule
//! is written, and not as a rule that never fires.
//!
//! It is sure of what it refuses and lets the rest through: most of an event has
//! no known type.

mod attributes;
mod calls;
mod nearest;
mod operands;
mod signatures;
mod types;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo,
    operators,
};
use exosphere_alerts_sdk::Diagnostic;

use crate::bounds::next_token;
use crate::explain::MAX_DIAGNOSTICS;
use crate::library::ENV;
use crate::variable::EVENT;
use nearest::nearest;
use types::Type;

/// What is wrong with a condition, in the order of its source.
pub(crate) fn of_condition(expression: &IdedExpr, source: &SourceInfo) -> Vec<Diagnostic> {
    let advice = format!("the event is `{EVENT}`, as in `{EVENT}.data.graph_name`");
    let mut check = Check { source, bound: vec![(EVENT, Type::Event)], advice, found: Vec::new() };
    let result = check.visit(expression);
    if check.found.is_empty() {
        check.expect_truth(expression, &result);
    }
    check.in_order()
}

/// What is wrong with an expression that makes a value of variables of which nothing but
/// the name is known.
pub(crate) fn of_value(
    expression: &IdedExpr,
    source: &SourceInfo,
    names: &[String],
) -> Vec<Diagnostic> {
    let bound = names.iter().map(|name| (name.as_str(), Type::Dyn)).collect();
    let advice = format!("what is there is `{}`", names.join("`, `"));
    let mut check = Check { source, bound, advice, found: Vec::new() };
    check.visit(expression);
    check.in_order()
}

struct Check<'s> {
    source: &'s SourceInfo,
    /// Variables in scope, innermost last.
    bound: Vec<(&'s str, Type)>,
    /// What to write in place of a name that is not known.
    advice: String,
    found: Vec<Diagnostic>,
}

impl<'s> Check<'s> {
    /// What was found, as many as a person reads.
    fn in_order(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|problem| problem.offset);
        self.found.dedup_by(|later, one| later.offset == one.offset);
        self.found.truncate(MAX_DIAGNOSTICS);
        self.found
    }

    fn visit(&mut self, node: &'s IdedExpr) -> Type {
        match &node.expr {
            Expr::Unspecified => Type::Dyn,
            Expr::Literal(literal) => of_literal(literal),
            Expr::Ident(name) => self.visit_name(node, name),
            Expr::Select(select) => self.visit_select(node, select),
            Expr::Call(call) => self.visit_call(node, call),
            Expr::List(list) => {
                let items = list.elements.iter().enumerate().map(|(index, item)| {
                    match (self.visit(item), list.optional_indices.contains(&index)) {
                        (Type::Optional(value), true) => *value,
                        (item, _) => item,
                    }
                });
                Type::list(items.fold(Type::Never, Type::or))
            }
            Expr::Map(map) => {
                let (mut keys, mut values) = (Type::Never, Type::Never);
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                    keys = keys.or(self.visit(&entry.key));
                    let value = self.visit(&entry.value);
                    values = values.or(if entry.optional { Type::Dyn } else { value });
                }
                Type::Map(Box::new(keys), Box::new(values))
            }
            Expr::Struct(message) => {
                let message = format!("there are no messages such as `{}`", message.type_name);
                self.report(node, message);
                Type::Dyn
            }
            Expr::Comprehension(over) => self.visit_comprehension(node, over),
        }
    }

    fn visit_name(&mut self, node: &IdedExpr, name: &str) -> Type {
        let plain = name.strip_prefix('.').unwrap_or(name);
        if let Some((_, bound)) = self.bound.iter().rev().find(|(known, _)| *known == plain) {
            return bound.clone();
        }
        if ENV.types().find_type(plain).is_some() {
            return Type::Kind;
        }
        let meant = nearest(plain, self.bound.iter().map(|(known, _)| *known));
        let message = match meant {
            Some(meant) => format!("unknown name `{plain}`; did you mean `{meant}`?"),
            None => format!("unknown name `{plain}`; {}", self.advice),
        };
        self.report_name(node, plain, message);
        Type::Dyn
    }

    fn visit_select(&mut self, node: &'s IdedExpr, select: &'s SelectExpr) -> Type {
        // `google.protobuf.Timestamp` is one name, although written as a selection.
        if let Some(name) = self.free_name(node)
            && ENV.types().find_type(&name).is_some()
        {
            return Type::Kind;
        }
        let of = self.visit(&select.operand);
        let field = self.field(node, &of, &select.field);
        if select.test { Type::Bool } else { field }
    }

    /// The type of a field of a value of that type.
    fn field(&mut self, node: &IdedExpr, of: &Type, name: &str) -> Type {
        match of {
            Type::Event => attributes::attribute(name).unwrap_or_else(|message| {
                self.report_name(node, name, message);
                Type::Dyn
            }),
            Type::Map(_, value) => value.as_ref().clone(),
            Type::Optional(_) => Type::optional(Type::Dyn),
            _ if of.is_open() => Type::Dyn,
            _ => {
                let message = format!("what has type `{of}` has no fields, so no `{name}`");
                self.report_name(node, name, message);
                Type::Dyn
            }
        }
    }

    fn visit_comprehension(&mut self, node: &'s IdedExpr, over: &'s ComprehensionExpr) -> Type {
        let range = self.visit(&over.iter_range);
        let start = self.visit(&over.accu_init);
        let outside = self.bound.len();
        // A name for a value: a fold over nothing.
        let never =
            matches!(&over.loop_cond.expr, Expr::Literal(LiteralValue::Boolean(go)) if !go.inner());
        if never {
            self.bound.push((&over.accu_var, start));
            let result = self.visit(&over.result);
            self.bound.truncate(outside);
            return result;
        }
        let item = match range {
            Type::List(item) => *item,
            Type::Map(key, _) => *key,
            Type::Event => Type::Text,
            range if range.is_open() => Type::Dyn,
            range => {
                let message = format!("what has type `{range}` has no items to go through");
                self.report(&over.iter_range, message);
                Type::Dyn
            }
        };
        self.bound.push((&over.iter_var, item));
        self.bound.push((&over.accu_var, start.clone()));
        self.visit(&over.loop_cond);
        let problems = self.found.len();
        let step = self.visit(&over.loop_step);
        // Of what stands in no source, the place is the macro's.
        for problem in &mut self.found[problems..] {
            if problem.length == 0 {
                problem.offset = offset(self.source, node);
            }
        }
        self.bound.truncate(outside);
        self.bound.push((&over.accu_var, start.or(step)));
        let result = self.visit(&over.result);
        self.bound.truncate(outside);
        result
    }

    /// Refuses what cannot be a truth value where one is wanted for the verdict.
    fn expect_truth(&mut self, node: &'s IdedExpr, result: &Type) {
        if let Expr::Call(CallExpr { func_name, args, .. }) = &node.expr
            && func_name == operators::CONDITIONAL
            && let [_, yes, no] = &args[..]
        {
            for branch in [yes, no] {
                let result = self.visit(branch);
                self.expect_truth(branch, &result);
            }
            return;
        }
        if !result.may_be_bool() {
            let message = format!(
                "a condition is true or false, and this has type `{result}`; compare it with something"
            );
            self.report_from(node, message);
        }
    }

    /// `a.b.c`, if that is all that the expression is and `a` is no variable.
    fn free_name(&self, node: &IdedExpr) -> Option<String> {
        match &node.expr {
            Expr::Ident(name) => {
                let plain = name.strip_prefix('.').unwrap_or(name);
                let is_free = self.bound.iter().all(|(bound, _)| *bound != plain);
                is_free.then(|| plain.to_owned())
            }
            Expr::Select(select) if !select.test => {
                let operand = self.free_name(&select.operand)?;
                Some(format!("{operand}.{}", select.field))
            }
            _ => None,
        }
    }

    /// Complains about a node, at the sign or word that it has its place by.
    fn report(&mut self, node: &IdedExpr, message: String) {
        let at = offset(self.source, node);
        self.report_at(at, message);
    }

    /// Complains about a node, at its first word.
    fn report_from(&mut self, node: &IdedExpr, message: String) {
        let at = start(self.source, node);
        self.report_at(at, message);
    }

    /// Complains about a name that stands at the node's place or behind it.
    fn report_name(&mut self, node: &IdedExpr, name: &str, message: String) {
        let from = offset(self.source, node) as usize;
        let rest = self.source.source.get(from..).unwrap_or_default();
        let at = from + rest.find(name).unwrap_or(0);
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        self.found.push(Diagnostic::at(bytes(at), bytes(name.len()), message));
    }

    fn report_at(&mut self, at: u32, message: String) {
        let mut end = at as usize;
        let length = next_token(&self.source.source, &mut end).map_or(0, str::len);
        self.found.push(Diagnostic::at(at, u32::try_from(length).unwrap_or(0), message));
    }
}

/// Where a node has its place: for an operator that of its sign, for a call that of
/// its parenthesis.
fn offset(source: &SourceInfo, node: &IdedExpr) -> u32 {
    source.offset_for(node.id).map_or(0, |(start, _)| start)
}

/// Where a node begins.
fn start(source: &SourceInfo, node: &IdedExpr) -> u32 {
    let own = offset(source, node);
    match &node.expr {
        Expr::Select(select) => own.min(start(source, &select.operand)),
        Expr::Call(CallExpr { target: Some(first), .. }) => own.min(start(source, first)),
        Expr::Call(CallExpr { func_name, args, .. }) if func_name.starts_with(['_', '@']) => {
            args.first().map_or(own, |first| own.min(start(source, first)))
        }
        Expr::Call(call) => name_place(source, own, &call.func_name),
        Expr::Comprehension(over) => own.min(start(source, &over.iter_range)),
        _ => own,
    }
}

/// Where the name of a function stands that is called at that place: there, or
/// before its parenthesis.
fn name_place(source: &SourceInfo, place: u32, name: &str) -> u32 {
    let at = place as usize;
    let (before, rest) = source.source.split_at_checked(at).unwrap_or_default();
    if rest.starts_with(name) {
        return place;
    }
    before.rfind(name).and_then(|at| u32::try_from(at).ok()).unwrap_or(place)
}

fn of_literal(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Null => Type::Null,
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::UInt(_) => Type::Uint,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::String(_) => Type::Text,
        LiteralValue::Bytes(_) => Type::Bytes,
    }
}
