//! What is wrong with a rule when it is saved, so that a typing error shows
//! there and not as a rule that never fires.

use exosphere_alerts_sdk::Diagnostic;

use crate::EVENT;
use crate::operator::{self, Shape};
use crate::source::{Piece, Source};

/// Deepest nesting. Compiling and evaluating go down the rule's tree by
/// recursion, on a stack that is small in the sandbox.
const MAX_DEPTH: usize = 64;

/// One diagnostic for each problem, in the order of the source.
pub(crate) fn problems(text: &str) -> Vec<Diagnostic> {
    let source = match Source::parse(text) {
        Ok(source) => source,
        Err(problem) => return vec![problem],
    };
    let mut check = Check { source, found: Vec::new() };
    check.visit(source.root, Scope::Event, 1);
    check.found
}

/// What a variable names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// A field of the data, which has but one.
    Event,
    /// A field of an item of some array, of which nothing is known.
    Item,
}

struct Check<'s> {
    source: Source<'s>,
    found: Vec<Diagnostic>,
}

impl<'s> Check<'s> {
    fn visit(&mut self, piece: Piece<'s>, scope: Scope, depth: usize) {
        if depth > MAX_DEPTH {
            let message = format!("a rule may be nested at most {MAX_DEPTH} deep");
            return self.report(piece, message);
        }
        if let Some(fields) = piece.fields() {
            match fields[..] {
                [] => {}
                [(name, operands)] => self.visit_operation(name, operands, scope, depth),
                [_, (second, _), ..] => self.report(
                    second,
                    "an operation is an object with one field; join several with `and` or `or`",
                ),
            }
        } else {
            for item in piece.items().unwrap_or_default() {
                self.visit(item, scope, depth + 1);
            }
        }
    }

    fn visit_operation(&mut self, name: Piece<'s>, raw: Piece<'s>, scope: Scope, depth: usize) {
        // A single operand may stand without an array around it.
        let operands = raw.items().unwrap_or_else(|| vec![raw]);
        let text = name.string().unwrap_or_default();
        let Some(shape) = operator::shape(&text) else {
            let message = match text.as_str() {
                "now" => "`now` reads the clock; a rule may depend on nothing but the event, as \
                          in `event.time`"
                    .to_owned(),
                _ => format!("unknown operator `{text}`; known are {}", operator::names()),
            };
            return self.report(name, message);
        };
        match shape {
            Shape::Plain | Shape::Iteration => {}
            Shape::Comparison if operands.len() < 2 => {
                self.report(name, format!("`{text}` compares at least two operands, in an array"));
            }
            Shape::Comparison => {}
            // A path may end in a default value, which is no name.
            Shape::Variable | Shape::Path => {
                operands.iter().take(1).for_each(|name| self.visit_name(*name, shape, scope));
            }
            Shape::Names => operands.iter().for_each(|name| self.visit_name(*name, shape, scope)),
        }
        for (index, operand) in operands.into_iter().enumerate() {
            let scope = if shape == Shape::Iteration && index == 1 { Scope::Item } else { scope };
            self.visit(operand, scope, depth + 1);
        }
    }

    /// Names that the rule computes show only when it runs.
    fn visit_name(&mut self, piece: Piece<'s>, shape: Shape, scope: Scope) {
        if scope == Scope::Item {
            return;
        }
        if let Some(inner) = piece.items().filter(|_| shape == Shape::Names) {
            return inner.into_iter().for_each(|name| self.visit_name(name, shape, scope));
        }
        let Some(path) = piece.string() else { return };
        let root = match shape {
            Shape::Path => path.as_str(),
            _ => path.split('.').next().unwrap_or_default(),
        };
        // Without a name, a variable is the whole of the data.
        if !path.is_empty() && root != EVENT {
            let message = format!(
                "unknown name `{root}`; the event is `{EVENT}`, as in \
                 `{{\"var\": \"{EVENT}.data.graph_name\"}}`"
            );
            self.report(piece, message);
        }
    }

    fn report(&mut self, piece: Piece<'_>, message: impl Into<String>) {
        self.found.push(self.source.complain(piece, message));
    }
}
