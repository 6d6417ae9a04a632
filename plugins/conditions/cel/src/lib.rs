//! The Common Expression Language as a condition language. The event is the
//! variable `event`: `event.type`, `event.subject`, `event.data.graph_name`. Expressions
//! that make values, of other variables, are in `mapping`.
//!
//! Owns how an event is seen by CEL, what numbers mean to each other, what a
//! tenant is told when a condition is wrong, the libraries that the `cel` crate
//! does not have, and a shortcut for plain conditions; the rest of the language is
//! the crate's. Also a plain library, so that the benchmark can run the same code
//! outside the sandbox.

mod bounds;
mod check;
mod event;
mod explain;
mod functions;
mod growth;
mod library;
mod macros;
mod mapping;
mod node;
mod numbers;
mod operators;
mod ordered;
mod rewrite;
mod shortcut;
mod syntax;
mod value;
mod variable;
mod wanted;

use std::cell::OnceCell;
use std::sync::Arc;

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::common::types::CelBool;
use cel::common::value::Val;
use cel::{Context, Value};
use exosphere_alerts_sdk::{Diagnostic, EvalError, Language, export_language, export_mapping};

use functions::pattern;
use library::ENV;
pub use mapping::Values;
use node::Node;
use regex::Regex;
use shortcut::Shortcut;
pub use variable::EVENT;
use wanted::Wanted;

/// A compiled condition.
pub struct Cel {
    expression: IdedExpr,
    /// Those that are written out in it.
    patterns: Vec<Regex>,
    shortcut: Shortcut,
    wanted: Wanted,
}

/// An event, parsed.
pub struct Event<'e> {
    tree: Node<'e>,
    /// With all of the event; made when the first condition wants that.
    scope: OnceCell<Context<'e, 'e>>,
}

/// The scope in which the `cel` crate evaluates a condition.
fn scope<'e>(event: Box<dyn Val + 'e>) -> Context<'e, 'e> {
    let mut scope = Context::with_env(Arc::clone(&ENV));
    scope.add_variable_as_val(EVENT, event);
    scope
}

export_language!(Cel);
export_mapping!(Values);

impl Language for Cel {
    type Event<'e> = Event<'e>;

    fn parse_event(json: &[u8]) -> Result<Event<'_>, EvalError> {
        let tree: Node<'_> = serde_json::from_slice(json)
            .map_err(|error| EvalError::new(format!("the event is not JSON: {error}")))?;
        match tree {
            Node::Object(_) => Ok(Event { tree, scope: OnceCell::new() }),
            _ => Err(EvalError::new("the event is not a JSON object")),
        }
    }

    fn compile(source: &str) -> Result<Self, Vec<Diagnostic>> {
        if let Some(exceeded) = bounds::exceeded(source) {
            return Err(vec![exceeded]);
        }
        let (expression, places) = parse(source)?;
        pattern::exchange(Vec::new());
        let problems = check::of_condition(&expression, &places);
        if problems.is_empty() { Ok(Self::adopt(expression)) } else { Err(problems) }
    }

    fn evaluate(&self, event: &Event<'_>) -> Result<bool, EvalError> {
        match self.shortcut.verdict(&event.tree) {
            Some(verdict) => Ok(verdict),
            None => self.interpret(event),
        }
    }
}

fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), Vec<Diagnostic>> {
    // Names of fields in backquotes are of the language; the crate leaves them to its users.
    let parser = ENV.parser().enable_ident_escape_syntax(true);
    parser.parse_with_source_info(source).map_err(|errors| explain::parse_errors(source, &errors))
}

impl Cel {
    fn adopt(mut expression: IdedExpr) -> Self {
        // Both know the operators by their own names.
        let shortcut = Shortcut::compile(&expression);
        let wanted = Wanted::of(&expression);
        rewrite::adopt(&mut expression);
        let patterns = pattern::exchange(Vec::new());
        Self { expression, patterns, shortcut, wanted }
    }

    /// The verdict of the `cel` crate, without the shortcut.
    fn interpret(&self, event: &Event<'_>) -> Result<bool, EvalError> {
        if self.wanted.has_all_data() {
            return self.interpret_in(event.scope.get_or_init(|| scope(event::whole(&event.tree))));
        }
        self.interpret_in(&scope(event::part(&event.tree, &self.wanted)))
    }

    fn interpret_in(&self, scope: &Context<'_, '_>) -> Result<bool, EvalError> {
        pattern::exchange(self.patterns.clone());
        // Not `Program::execute`, which copies the result into another type.
        let value =
            Value::resolve_val(&self.expression, scope).map_err(explain::execution_error)?;
        match value.downcast_ref::<CelBool>() {
            Some(verdict) => Ok(*verdict.inner()),
            None => Err(EvalError::new(format!(
                "the condition gave a value of type `{}`; it must give `bool`, so compare it with \
                 something",
                value.get_type().name()
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
