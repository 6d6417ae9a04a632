//! Which parts of an event a condition looks at, so that a large event is made
//! into CEL's values only as far as that. Rather too much than too little: what
//! is not wanted is missing when the condition is evaluated.

use std::collections::BTreeMap;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use crate::variable::EVENT;

/// How much of a value is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Some fields of an object; of no fields, only that it is there.
    Fields(BTreeMap<String, Wanted>),
    /// All of it.
    All,
}

impl Wanted {
    pub(crate) fn of(condition: &IdedExpr) -> Self {
        let mut wanted = Self::nothing();
        wanted.visit(condition);
        wanted
    }

    /// Whether that is the event's data as a whole, or more.
    pub(crate) fn has_all_data(&self) -> bool {
        match self {
            Self::All => true,
            Self::Fields(fields) => matches!(fields.get("data"), Some(Self::All)),
        }
    }

    fn nothing() -> Self {
        Self::Fields(BTreeMap::new())
    }

    fn add(&mut self, path: &[String], end: Self) {
        match (self, path) {
            (Self::All, _) => {}
            (Self::Fields(fields), [name, rest @ ..]) => {
                fields.entry(name.clone()).or_insert_with(Self::nothing).add(rest, end);
            }
            (this @ Self::Fields(_), []) => {
                if end == Self::All {
                    *this = Self::All;
                }
            }
        }
    }

    fn visit(&mut self, node: &IdedExpr) {
        if let Some(path) = path(node) {
            return self.add(&path, Self::All);
        }
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Select(select) => match path(&select.operand) {
                // `has(event.a.b)`: whether it is there.
                Some(mut path) if select.test => {
                    path.push(select.field.clone());
                    self.add(&path, Self::nothing());
                }
                _ => self.visit(&select.operand),
            },
            Expr::Call(CallExpr { target, args, .. }) => {
                target.iter().for_each(|target| self.visit(target));
                args.iter().for_each(|arg| self.visit(arg));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.visit_entry(&entry.expr)),
            Expr::Struct(message) => {
                message.entries.iter().for_each(|entry| self.visit_entry(&entry.expr));
            }
            Expr::Comprehension(over) => {
                // Of a variable that is called `event` too, parts are wanted that
                // need not be: that does no harm.
                let parts = [&over.iter_range, &over.accu_init, &over.loop_cond];
                parts.into_iter().for_each(|part| self.visit(part));
                self.visit(&over.loop_step);
                self.visit(&over.result);
            }
        }
    }

    fn visit_entry(&mut self, entry: &EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key);
                self.visit(&entry.value);
            }
        }
    }
}

/// The fields of `event.a['b']`, also of the optional `event.?a[?'b']`.
fn path(node: &IdedExpr) -> Option<Vec<String>> {
    let (operand, field) = match &node.expr {
        Expr::Ident(name) if name.strip_prefix('.').unwrap_or(name) == EVENT => {
            return Some(Vec::new());
        }
        Expr::Select(select) if !select.test => (select.operand.as_ref(), select.field.as_str()),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT, [operand, field]) => {
                match &field.expr {
                    Expr::Literal(LiteralValue::String(field)) => (operand, field.inner()),
                    _ => return None,
                }
            }
            _ => return None,
        },
        _ => return None,
    };
    let mut path = path(operand)?;
    path.push(field.to_owned());
    Some(path)
}
