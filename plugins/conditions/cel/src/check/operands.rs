//! Operands that an operator does not take.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::Check;
use super::types::Type;

impl<'s> Check<'s> {
    /// The type of an operator's result; nothing if the call is none of an operator.
    pub(super) fn visit_operator(
        &mut self,
        node: &'s IdedExpr,
        call: &'s CallExpr,
    ) -> Option<Type> {
        if call.target.is_some() {
            return None;
        }
        let name = call.func_name.as_str();
        Some(match (name, &call.args[..]) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                self.expect_bool(left);
                self.expect_bool(right);
                Type::Bool
            }
            (operators::LOGICAL_NOT, [operand]) => {
                self.expect_bool(operand);
                Type::Bool
            }
            (operators::NOT_STRICTLY_FALSE, [operand]) => {
                self.visit(operand);
                Type::Bool
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.expect_bool(condition);
                self.visit(yes).or(self.visit(no))
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                let (left, right) = (self.visit(left), self.visit(right));
                if !may_equal(&left, &right) {
                    let message = format!(
                        "`{}` has the same answer always: what has type `{left}` never equals \
                         what has type `{right}`",
                        sign(name)
                    );
                    self.report(node, message);
                }
                Type::Bool
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [left, right],
            ) => {
                let (left, right) = (self.visit(left), self.visit(right));
                if !may_compare(&left, &right) {
                    self.report(node, mismatch(name, &left, &right));
                }
                Type::Bool
            }
            (operators::IN, [item, container]) => {
                self.visit(item);
                let container = self.visit(container);
                let is_container = matches!(container, Type::List(_) | Type::Map(..) | Type::Event);
                if container == Type::Text {
                    let message = "`in` looks into lists and maps; for a part of a text write \
                                   `whole.contains(part)`";
                    self.report(node, message.to_owned());
                } else if !is_container && !container.is_open() {
                    self.report(
                        node,
                        format!("`in` looks into lists and maps, and this has type `{container}`"),
                    );
                }
                Type::Bool
            }
            (operators::NEGATE, [operand]) => {
                let operand = self.visit(operand);
                if !operand.may_be_number() || operand == Type::Uint {
                    self.report(node, format!("`-` does not take type `{operand}`"));
                }
                if operand.is_number() { operand } else { Type::Number }
            }
            (
                operators::ADD
                | operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO,
                [left, right],
            ) => {
                let (left, right) = (self.visit(left), self.visit(right));
                arithmetic(name, &left, &right).unwrap_or_else(|| {
                    self.report(node, mismatch(name, &left, &right));
                    Type::Dyn
                })
            }
            (operators::INDEX, [whole, index]) => self.visit_index(node, whole, index),
            (operators::OPT_INDEX, [whole, index]) => {
                self.visit(whole);
                self.visit(index);
                Type::optional(Type::Dyn)
            }
            (operators::OPT_SELECT, [whole, field]) => {
                let whole = self.visit(whole);
                if let Expr::Literal(LiteralValue::String(name)) = &field.expr
                    && whole == Type::Event
                {
                    self.field(node, &whole, name.inner());
                }
                Type::optional(Type::Dyn)
            }
            _ => return None,
        })
    }

    fn expect_bool(&mut self, operand: &'s IdedExpr) {
        let found = self.visit(operand);
        if !found.may_be_bool() {
            let message = format!("a truth value is wanted here, and this has type `{found}`");
            self.report_from(operand, message);
        }
    }

    fn visit_index(&mut self, node: &IdedExpr, whole: &'s IdedExpr, index: &'s IdedExpr) -> Type {
        let (of, by) = (self.visit(whole), self.visit(index));
        match of {
            Type::List(item) => {
                if !by.may_be_number() {
                    self.report(
                        node,
                        format!("a list is indexed with a number, not with type `{by}`"),
                    );
                }
                *item
            }
            Type::Map(_, value) => *value,
            Type::Optional(_) => Type::optional(Type::Dyn),
            Type::Event => Type::Dyn,
            of if of.is_open() => Type::Dyn,
            of => {
                self.report(node, format!("what has type `{of}` has no index"));
                Type::Dyn
            }
        }
    }
}

/// How people write the operator.
pub(super) fn sign(operator: &str) -> &str {
    match operator {
        operators::IN => "in",
        operators::INDEX => "[]",
        other => other.trim_matches('_'),
    }
}

fn mismatch(operator: &str, left: &Type, right: &Type) -> String {
    let hint = match (left, right) {
        (Type::Text, Type::Timestamp) | (Type::Timestamp, Type::Text) => {
            "; make a time of the text, as in `timestamp(event.time)`"
        }
        (Type::Text, Type::Duration) | (Type::Duration, Type::Text) => {
            "; make a duration of the text, as in `duration('90s')`"
        }
        (Type::Text, other) | (other, Type::Text) if other.is_number() => {
            "; make a number of the text with `int(…)` or `double(…)`, or a text of the number \
             with `string(…)`"
        }
        _ => "",
    };
    format!("`{}` does not take `{left}` and `{right}`{hint}", sign(operator))
}

/// `null` may be where anything else is expected, so it is compared with anything.
fn may_equal(left: &Type, right: &Type) -> bool {
    let are_numbers = left.may_be_number() && right.may_be_number();
    *left == Type::Null || *right == Type::Null || are_numbers || left.may_be(right)
}

fn may_compare(left: &Type, right: &Type) -> bool {
    let has_order = |one: &Type| {
        let is_time = matches!(one, Type::Timestamp | Type::Duration);
        let is_text = matches!(one, Type::Text | Type::Bytes | Type::Bool);
        one.may_be_number() || is_time || is_text
    };
    let are_numbers = left.may_be_number() && right.may_be_number();
    has_order(left) && has_order(right) && (are_numbers || left.may_be(right))
}

/// The type of a result, if there can be one.
fn arithmetic(operator: &str, left: &Type, right: &Type) -> Option<Type> {
    use Type::{Bytes, Computed, Double, Duration, Int, List, Number, Text, Timestamp, Uint};

    if left.is_number() && right.is_number() {
        return match (left, right) {
            (Double, Double) if operator == operators::MODULO => None,
            _ if operator == operators::MODULO && *left != *right => Some(Number),
            (Double, _) | (_, Double) => Some(Double),
            (Int, Int) => Some(Int),
            (Uint, Uint) => Some(Uint),
            _ => Some(Number),
        };
    }
    let are_numbers = left.may_be_number() && right.may_be_number();
    match operator {
        operators::ADD => match (left, right) {
            (Text, Text) => Some(Text),
            (Bytes, Bytes) => Some(Bytes),
            (List(left), List(right)) => {
                Some(Type::list(left.as_ref().clone().or(right.as_ref().clone())))
            }
            (Duration, Duration) => Some(Duration),
            (Timestamp, Duration) | (Duration, Timestamp) => Some(Timestamp),
            (known, open) | (open, known) if open.is_open() => match known {
                Text | Bytes | List(_) | Timestamp => Some(known.clone()),
                known if known.is_number() => Some(Number),
                Duration | Computed | Type::Dyn | Type::Never => Some(Computed),
                _ => None,
            },
            (Computed, other) | (other, Computed) => other.may_be(&Computed).then_some(Computed),
            _ => None,
        },
        operators::SUBSTRACT => match (left, right) {
            (Duration, Duration) | (Timestamp, Timestamp) => Some(Duration),
            (Timestamp, Duration) => Some(Timestamp),
            (Timestamp | Duration, open) | (open, Timestamp | Duration)
                if open.is_open() || *open == Computed =>
            {
                Some(Computed)
            }
            _ => are_numbers.then_some(Computed),
        },
        _ => are_numbers.then_some(Number),
    }
}
