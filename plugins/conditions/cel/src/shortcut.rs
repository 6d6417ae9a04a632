//! A shortcut for what most conditions are made of: fields of the event,
//! literals, comparisons, `&&`, `||`, `!`, `in`, `has`, arithmetic and patterns
//! that are written out. Some fifty times as fast as the general interpreter.
//!
//! It answers only where the answer is certain, and gives up at anything else:
//! a missing field, operands of types that it does not know together, an
//! overflow, any other function. Then the `cel` crate evaluates the whole
//! condition, so that what a condition means, errors included, is never
//! decided here in any other way.

use std::borrow::Cow;
use std::cmp::Ordering;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators};

use regex::Regex;

use crate::functions::pattern;
use crate::node::{Name, Node, same};
use crate::numbers::{Arithmetic, Number};
use crate::variable::EVENT;

/// A condition, as far as the shortcut goes.
#[derive(Debug)]
pub(crate) enum Shortcut {
    /// Where it gives up.
    Unknown,
    Literal(Node<'static>),
    /// `event.a.b`, as its field names.
    Field(Vec<Name<'static>>),
    /// `has(event.a.b)`: the fields up to the object, and the one that is asked for.
    Has(Vec<Name<'static>>, Name<'static>),
    Not(Box<Shortcut>),
    And(Box<[Shortcut; 2]>),
    Or(Box<[Shortcut; 2]>),
    Compare(Comparison, Box<[Shortcut; 2]>),
    In(Box<[Shortcut; 2]>),
    Text(TextTest, Box<[Shortcut; 2]>),
    Matches(Box<Shortcut>, Box<Regex>),
    Arithmetic(Arithmetic, Box<[Shortcut; 2]>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

impl Shortcut {
    pub(crate) fn compile(node: &IdedExpr) -> Self {
        match &node.expr {
            Expr::Literal(literal) => Self::literal(literal),
            Expr::Select(select) => Self::select(select),
            Expr::Call(call) => Self::call(call),
            Expr::List(list) if list.optional_indices.is_empty() => {
                let items = list.elements.iter().map(|item| match Self::compile(item) {
                    Self::Literal(value) => Some(value),
                    _ => None,
                });
                items
                    .collect::<Option<_>>()
                    .map_or(Self::Unknown, |items| Self::Literal(Node::List(items)))
            }
            _ => Self::Unknown,
        }
    }

    fn literal(literal: &LiteralValue) -> Self {
        Self::Literal(match literal {
            LiteralValue::Null => Node::Null,
            LiteralValue::Boolean(value) => Node::Bool(*value.inner()),
            LiteralValue::Int(value) => Node::Int(*value.inner()),
            LiteralValue::UInt(value) => Node::Uint(*value.inner()),
            LiteralValue::Double(value) => Node::Double(*value.inner()),
            LiteralValue::String(value) => Node::Text(Cow::Owned(value.inner().to_owned())),
            LiteralValue::Bytes(_) => return Self::Unknown,
        })
    }

    fn select(select: &SelectExpr) -> Self {
        let Some(mut path) = path(&select.operand) else {
            return Self::Unknown;
        };
        if select.test {
            return Self::Has(path, name(&select.field));
        }
        path.push(name(&select.field));
        Self::Field(path)
    }

    fn call(call: &CallExpr) -> Self {
        let name = call.func_name.as_str();
        match (&call.target, call.args.as_slice()) {
            (Some(text), [part]) if name == "matches" => match &part.expr {
                Expr::Literal(LiteralValue::String(written)) => pattern::compile(written.inner())
                    .map_or(Self::Unknown, |pattern| {
                        Self::Matches(Box::new(Self::compile(text)), Box::new(pattern))
                    }),
                _ => Self::Unknown,
            },
            (Some(text), [part]) => {
                let test = match name {
                    "startsWith" => TextTest::StartsWith,
                    "endsWith" => TextTest::EndsWith,
                    "contains" => TextTest::Contains,
                    _ => return Self::Unknown,
                };
                Self::Text(test, both(text, part))
            }
            (None, [operand]) if name == operators::LOGICAL_NOT => {
                Self::Not(Box::new(Self::compile(operand)))
            }
            (None, [left, right]) => Self::binary(name, left, right),
            _ => Self::Unknown,
        }
    }

    fn binary(operator: &str, left: &IdedExpr, right: &IdedExpr) -> Self {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};

        let operands = || both(left, right);
        match operator {
            operators::LOGICAL_AND => Self::And(operands()),
            operators::LOGICAL_OR => Self::Or(operands()),
            operators::EQUALS => Self::Compare(Equal, operands()),
            operators::NOT_EQUALS => Self::Compare(NotEqual, operands()),
            operators::LESS => Self::Compare(Less, operands()),
            operators::LESS_EQUALS => Self::Compare(LessOrEqual, operands()),
            operators::GREATER => Self::Compare(Greater, operands()),
            operators::GREATER_EQUALS => Self::Compare(GreaterOrEqual, operands()),
            operators::IN => Self::In(operands()),
            operators::ADD => Self::Arithmetic(Number::add, operands()),
            operators::SUBSTRACT => Self::Arithmetic(Number::subtract, operands()),
            operators::MULTIPLY => Self::Arithmetic(Number::multiply, operands()),
            operators::DIVIDE => Self::Arithmetic(Number::divide, operands()),
            operators::MODULO => Self::Arithmetic(Number::remainder, operands()),
            operators::INDEX => match (path(left), &right.expr) {
                (Some(mut path), Expr::Literal(LiteralValue::String(field))) => {
                    path.push(name(field.inner()));
                    Self::Field(path)
                }
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    /// The verdict, where it is certain.
    pub(crate) fn verdict(&self, event: &Node<'_>) -> Option<bool> {
        match self {
            Self::And(operands) => connect(operands, event, false),
            Self::Or(operands) => connect(operands, event, true),
            Self::Not(operand) => operand.verdict(event).map(|verdict| !verdict),
            Self::Has(path, name) => match find(event, path)? {
                object @ Node::Object(_) => Some(object.field(name).is_some()),
                _ => None,
            },
            Self::Compare(comparison, operands) => {
                let [left, right] = operands.as_ref();
                comparison.holds(left.value(event)?, right.value(event)?)
            }
            Self::In(operands) => {
                let [item, list] = operands.as_ref();
                let item = item.value(event)?;
                match list.value(event)? {
                    Value::List(list) => contains(list, item),
                    _ => None,
                }
            }
            Self::Text(test, operands) => {
                let [text, part] = operands.as_ref();
                match (text.value(event)?, part.value(event)?) {
                    (Value::Text(text), Value::Text(part)) => Some(match test {
                        TextTest::StartsWith => text.starts_with(part),
                        TextTest::EndsWith => text.ends_with(part),
                        TextTest::Contains => text.contains(part),
                    }),
                    _ => None,
                }
            }
            Self::Matches(text, pattern) => match text.value(event)? {
                Value::Text(text) => Some(pattern.is_match(text)),
                _ => None,
            },
            Self::Field(_) | Self::Literal(_) => match self.value(event)? {
                Value::Bool(verdict) => Some(verdict),
                _ => None,
            },
            Self::Arithmetic(..) | Self::Unknown => None,
        }
    }

    fn value<'n>(&'n self, event: &'n Node<'_>) -> Option<Value<'n>> {
        match self {
            Self::Literal(value) => Some(Value::of(value)),
            Self::Field(path) => find(event, path).map(Value::of),
            Self::Arithmetic(operation, operands) => {
                let [left, right] = operands.as_ref();
                match (left.value(event)?, right.value(event)?) {
                    (Value::Number(left), Value::Number(right)) => {
                        operation(left, right).ok().map(Value::Number)
                    }
                    _ => None,
                }
            }
            Self::Unknown => None,
            _ => self.verdict(event).map(Value::Bool),
        }
    }
}

/// An operand: of the event, of the condition, or just computed.
#[derive(Clone, Copy)]
enum Value<'n> {
    Null,
    Bool(bool),
    Number(Number),
    Text(&'n str),
    List(&'n [Node<'n>]),
    /// Nothing that the shortcut computes with.
    Other,
}

impl<'n> Value<'n> {
    fn of(node: &'n Node<'_>) -> Self {
        match node {
            Node::Null => Self::Null,
            Node::Bool(value) => Self::Bool(*value),
            Node::Int(value) => Self::Number(Number::Int(*value)),
            Node::Uint(value) => Self::Number(Number::Uint(*value)),
            Node::Double(value) => Self::Number(Number::Double(*value)),
            Node::Text(value) => Self::Text(value),
            Node::List(value) => Self::List(value),
            Node::Object(_) => Self::Other,
        }
    }
}

impl Comparison {
    fn holds(self, left: Value<'_>, right: Value<'_>) -> Option<bool> {
        match self {
            Self::Equal => equal(left, right),
            Self::NotEqual => equal(left, right).map(|equal| !equal),
            Self::Less => order(left, right).map(Ordering::is_lt),
            Self::LessOrEqual => order(left, right).map(Ordering::is_le),
            Self::Greater => order(left, right).map(Ordering::is_gt),
            Self::GreaterOrEqual => order(left, right).map(Ordering::is_ge),
        }
    }
}

fn equal(left: Value<'_>, right: Value<'_>) -> Option<bool> {
    use Value::{Bool, Null, Number, Text};

    match (left, right) {
        // Not by their order, which has to look at texts of unlike length.
        (Text(left), Text(right)) => Some(same(left, right)),
        (Number(left), Number(right)) => Some(left.equals(right)),
        (Bool(left), Bool(right)) => Some(left == right),
        (Null, Null) => Some(true),
        (Null, Bool(_) | Number(_) | Text(_)) | (Bool(_) | Number(_) | Text(_), Null) => {
            Some(false)
        }
        _ => None,
    }
}

fn order(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.compare(right),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn contains(list: &[Node<'_>], item: Value<'_>) -> Option<bool> {
    let mut found = false;
    for other in list {
        found |= equal(Value::of(other), item)?;
    }
    Some(found)
}

/// `&&` (decided by false) and `||` (decided by true): in CEL the operand that
/// decides does so on either side, even beside an error.
fn connect(operands: &[Shortcut; 2], event: &Node<'_>, deciding: bool) -> Option<bool> {
    let left = operands[0].verdict(event);
    if left == Some(deciding) {
        return left;
    }
    let right = operands[1].verdict(event);
    if right == Some(deciding) { right } else { left.and(right) }
}

fn both(left: &IdedExpr, right: &IdedExpr) -> Box<[Shortcut; 2]> {
    Box::new([Shortcut::compile(left), Shortcut::compile(right)])
}

fn find<'n, 'e>(event: &'n Node<'e>, path: &[Name<'_>]) -> Option<&'n Node<'e>> {
    path.iter().try_fold(event, |node, name| node.field(name))
}

/// The field names of `event.a.b` or `event['a'].b`; none for `event` itself.
fn path(node: &IdedExpr) -> Option<Vec<Name<'static>>> {
    match &node.expr {
        Expr::Ident(name) if name == EVENT => Some(Vec::new()),
        Expr::Select(_) | Expr::Call(_) => match Shortcut::compile(node) {
            Shortcut::Field(path) => Some(path),
            _ => None,
        },
        _ => None,
    }
}

fn name(text: &str) -> Name<'static> {
    Name::new(Cow::Owned(text.to_owned()))
}
