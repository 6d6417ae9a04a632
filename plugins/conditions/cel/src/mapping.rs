//! Expressions that make values: the same language, with variables of the caller's in
//! place of `event`, and a JSON value in place of a verdict.

use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::{Context, ExecutionError, Value};
use exosphere_alerts_sdk::{Diagnostic, EvalError, Mapping};
use regex::Regex;

use crate::functions::pattern;
use crate::library::ENV;
use crate::node::Node;
use crate::{bounds, check, event, explain, parse, rewrite, value};

/// CEL as a language of values.
pub struct Values;

impl Mapping for Values {
    fn check(expression: &str, names: &[String]) -> Vec<Diagnostic> {
        Expression::compile(expression, names).err().unwrap_or_default()
    }

    fn evaluate(expressions: &[String], input: &[u8]) -> Vec<Result<Vec<u8>, EvalError>> {
        let tree: Node<'_> = match serde_json::from_slice(input) {
            Ok(tree) => tree,
            Err(error) => {
                let error = EvalError::new(format!("the input is not JSON: {error}"));
                return vec![Err(error); expressions.len()];
            }
        };
        let Node::Object(members) = &tree else {
            return vec![Err(EvalError::new("the input is not a JSON object")); expressions.len()];
        };
        let names: Vec<String> = members.iter().map(|(name, _)| name.text().to_string()).collect();
        let mut scope = Context::with_env(Arc::clone(&ENV));
        for (name, member) in members {
            scope.add_variable_as_val(name.text().as_ref(), event::whole(member));
        }
        let evaluate = |source: &String| {
            let compiled = Expression::compile(source, &names);
            compiled.map_err(|found| uncompilable(&found))?.value(&scope)
        };
        expressions.iter().map(evaluate).collect()
    }
}

/// A compiled expression.
struct Expression {
    tree: IdedExpr,
    /// The patterns that are written out in it.
    patterns: Vec<Regex>,
}

impl Expression {
    fn compile(source: &str, names: &[String]) -> Result<Self, Vec<Diagnostic>> {
        if let Some(exceeded) = bounds::exceeded(source) {
            return Err(vec![exceeded]);
        }
        let (mut tree, places) = parse(source)?;
        pattern::exchange(Vec::new());
        let problems = check::of_value(&tree, &places, names);
        if !problems.is_empty() {
            return Err(problems);
        }
        rewrite::adopt(&mut tree);
        Ok(Self { tree, patterns: pattern::exchange(Vec::new()) })
    }

    fn value(&self, scope: &Context<'_, '_>) -> Result<Vec<u8>, EvalError> {
        pattern::exchange(self.patterns.clone());
        let made = Value::resolve_val(&self.tree, scope).map_err(explained)?;
        Ok(value::json(made.as_ref())?.to_string().into_bytes())
    }
}

/// Of a mapping that was checked when it was saved only another version of this plugin
/// says that.
fn uncompilable(found: &[Diagnostic]) -> EvalError {
    let first = found.first().map_or("it is empty", |first| first.message.as_str());
    EvalError::new(format!("the expression does not compile: {first}"))
}

fn explained(error: ExecutionError) -> EvalError {
    match error {
        ExecutionError::NoSuchKey(key) => EvalError::new(format!(
            "there is no field `{key}` there; where it may be missing, write \
             `.?{key}.orValue(…)` with what holds then, `null` for nothing"
        )),
        other => explain::execution_error(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn names() -> Vec<String> {
        vec!["request".to_owned()]
    }

    fn made(expression: &str) -> Result<Value, String> {
        let input = json!({"request": {
            "headers": {"x-event": "build"},
            "body": {"job": "etl", "n": 3, "at": "2026-01-01T00:00:00Z", "tags": ["a", "b"],
                "big": 18446744073709551615_u64, "none": null},
        }});
        let expressions = [expression.to_owned()];
        let mut values = Values::evaluate(&expressions, input.to_string().as_bytes());
        let value = values.pop().unwrap().map_err(|error| error.message)?;
        Ok(serde_json::from_slice(&value).unwrap())
    }

    fn wrong(expression: &str) -> (u32, String) {
        let found = Values::check(expression, &names());
        let first = found.into_iter().next().unwrap_or_else(|| panic!("{expression} is good"));
        (first.offset, first.message)
    }

    #[test]
    fn an_expression_makes_any_json_value() {
        for (expression, value) in [
            ("request.body.job", json!("etl")),
            ("request.body.job + '/' + string(request.body.n)", json!("etl/3")),
            (
                "request.body",
                json!({"job": "etl", "n": 3, "at": "2026-01-01T00:00:00Z",
                "tags": ["a", "b"], "big": 18446744073709551615_u64, "none": null}),
            ),
            (
                "{'a': request.body.n * 2, 'b': [1.5, true, null]}",
                json!({"a": 6, "b": [1.5, true, null]}),
            ),
            ("request.body.n > 2 ? 'workflow.failed' : null", json!("workflow.failed")),
            ("request.body.?missing.orValue(null)", json!(null)),
            ("request.body.?missing", json!(null)),
            ("request.body.?n", json!(3)),
            ("request.headers['x-event']", json!("build")),
            ("timestamp(request.body.at) + duration('90s')", json!("2026-01-01T00:01:30Z")),
            ("duration('90s')", json!("90s")),
            ("duration('1500ms')", json!("1.5s")),
            ("request.body.tags.map(t, t + '!')", json!(["a!", "b!"])),
            ("request.body.job.matches('^e')", json!(true)),
            ("b'ab'", json!("YWI=")),
            ("{1: 'a', true: 'b'}", json!({"1": "a", "true": "b"})),
        ] {
            assert_eq!(made(expression), Ok(value), "{expression}");
        }
    }

    #[test]
    fn what_is_no_json_value_is_an_error_that_names_its_type() {
        for (expression, name) in [("int", "type"), ("ip('10.0.0.1')", "net.IP"), ("1.0 / 0.0", "")]
        {
            let error = made(expression).unwrap_err();
            assert!(error.contains(name), "{expression}: {error}");
        }
    }

    #[test]
    fn a_missing_field_is_an_error_that_says_how_to_do_without() {
        let error = made("request.body.nope").unwrap_err();
        assert!(error.contains("no field `nope`") && error.contains(".?nope.orValue("), "{error}");
    }

    #[test]
    fn a_wrong_expression_is_refused_with_its_place() {
        assert_eq!(wrong("request.body.job +").0, 18);
        let (offset, message) = wrong("'x' + event.type");
        assert_eq!(offset, 6);
        assert!(message.contains("unknown name `event`") && message.contains("`request`"));
        assert!(wrong("reqest.body").1.contains("did you mean `request`"));
        assert!(wrong("request.body.a.matches('(')").1.contains("("));
        assert!(!Values::check("", &names()).is_empty());
        assert_eq!(Values::check("request.body.a ? 1 : 'x'", &names()), []);
    }

    #[test]
    fn an_input_that_is_no_object_is_an_error_for_each_expression() {
        let expressions = ["1".to_owned(), "2".to_owned()];
        for input in ["[]", "{", ""] {
            let values = Values::evaluate(&expressions, input.as_bytes());
            assert_eq!(values.len(), 2);
            assert!(values.iter().all(Result::is_err), "{input}");
        }
    }
}
