//! Refuses names that nothing stands behind when a rule is saved, so that a
//! typing error shows there and not as a rule that never fires.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use cel::{Context, Env, ExecutionError, Program, Value};
use exosphere_alerts_sdk::Diagnostic;
use std::sync::Arc;

use crate::explain::MAX_DIAGNOSTICS;
use crate::variable::EVENT;

/// One diagnostic for each use of a variable, type or function that does not exist.
pub(crate) fn unknown(program: &Program, env: &Arc<Env>) -> Vec<Diagnostic> {
    let mut search = Search {
        env,
        // Without variables: evaluating a call here tells functions apart, never values.
        empty: Context::with_env(Arc::clone(env)),
        source: program.source_info(),
        bound: vec![EVENT],
        found: Vec::new(),
    };
    search.visit(program.expression());
    search.found.truncate(MAX_DIAGNOSTICS);
    search.found
}

struct Search<'s> {
    env: &'s Env,
    empty: Context<'s, 's>,
    source: &'s SourceInfo,
    /// Variables in scope: the event, and those of the comprehensions around.
    bound: Vec<&'s str>,
    found: Vec<Diagnostic>,
}

impl<'s> Search<'s> {
    fn visit(&mut self, node: &'s IdedExpr) {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.visit_name(node, name),
            Expr::Select(select) => {
                // `google.protobuf.Timestamp` is one name, although written as a selection.
                let is_type = qualified_name(node)
                    .is_some_and(|name| self.env.types().find_type(&name).is_some());
                if !is_type {
                    self.visit(&select.operand);
                }
            }
            Expr::Call(call) => self.visit_call(node, call),
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.visit_entry(&entry.expr)),
            Expr::Struct(message) => {
                message.entries.iter().for_each(|entry| self.visit_entry(&entry.expr));
            }
            Expr::Comprehension(over) => {
                self.visit(&over.iter_range);
                self.visit(&over.accu_init);
                let outside = self.bound.len();
                self.bound.extend([over.iter_var.as_str(), over.accu_var.as_str()]);
                self.bound.extend(over.iter_var2.as_deref());
                self.visit(&over.loop_cond);
                self.visit(&over.loop_step);
                self.visit(&over.result);
                self.bound.truncate(outside);
            }
        }
    }

    fn visit_entry(&mut self, entry: &'s EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key);
                self.visit(&entry.value);
            }
        }
    }

    fn visit_name(&mut self, node: &IdedExpr, name: &str) {
        let plain = name.strip_prefix('.').unwrap_or(name);
        if !self.bound.contains(&plain) && self.env.types().find_type(plain).is_none() {
            let message = format!(
                "unknown name `{plain}`; the event is `{EVENT}`, as in `{EVENT}.data.graph_name`"
            );
            self.report(self.offset(node), plain, message);
        }
    }

    fn visit_call(&mut self, node: &'s IdedExpr, call: &'s CallExpr) {
        // `optional.of(x)` is a function with a dot in its name, not a method of `optional`.
        let namespace = call.target.as_deref().filter(|target| {
            qualified_name(target)
                .and_then(|name| name.split('.').next().map(|root| !self.bound.contains(&root)))
                .unwrap_or(false)
        });
        let exists_in_namespace =
            namespace.is_some_and(|target| self.exists(&call.func_name, Some(target.clone())));
        if !exists_in_namespace {
            let receiver = call.target.is_some().then(null);
            if !self.exists(&call.func_name, receiver) {
                self.report_function(node, &call.func_name);
            }
            if let Some(target) = &call.target {
                self.visit(target);
            }
        }
        call.args.iter().for_each(|arg| self.visit(arg));
    }

    /// Whether there is a function of this name. The environment does not list
    /// its functions, but a call of one that exists fails for another reason
    /// than that it does not.
    fn exists(&self, function: &str, target: Option<IdedExpr>) -> bool {
        // An operator, which the parser gives a name like `_==_` or `@in`.
        if !function.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return true;
        }
        let call = CallExpr {
            func_name: function.to_owned(),
            target: target.map(Box::new),
            args: Vec::new(),
        };
        let call = IdedExpr { id: 0, expr: Expr::Call(call) };
        !matches!(
            Value::resolve_val(&call, &self.empty),
            Err(ExecutionError::UndeclaredReference(_))
        )
    }

    fn report_function(&mut self, node: &IdedExpr, name: &str) {
        // A call's place is its parenthesis; its name is what stands before that.
        let parenthesis = self.offset(node);
        let before = self.source.source.get(..parenthesis).unwrap_or_default();
        let offset = before.rfind(name).unwrap_or(parenthesis);
        self.report(offset, name, format!("unknown function `{name}`"));
    }

    fn report(&mut self, offset: usize, name: &str, message: String) {
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        self.found.push(Diagnostic::at(bytes(offset), bytes(name.len()), message));
    }

    fn offset(&self, node: &IdedExpr) -> usize {
        let start = self.source.offset_for(node.id).map_or(0, |(start, _)| start);
        usize::try_from(start).unwrap_or(0)
    }
}

fn null() -> IdedExpr {
    IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::Null) }
}

/// `a.b.c`, if that is all that the expression is.
fn qualified_name(node: &IdedExpr) -> Option<String> {
    match &node.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            qualified_name(&select.operand).map(|operand| format!("{operand}.{}", select.field))
        }
        _ => None,
    }
}
