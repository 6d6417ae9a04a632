//! Mappings: expressions that make JSON values of what other programs send.

use std::marker::PhantomData;

use crate::bindings::mapped::exports::exosphere::alerts::mapping;
use crate::{Diagnostic, EvalError};

/// A condition language in which values can be written too.
///
/// ```
/// use exosphere_alerts_sdk::{Diagnostic, EvalError, Mapping, export_mapping};
/// use serde_json::Value;
///
/// /// A JSON pointer (RFC 6901) into the input.
/// struct Pointers;
///
/// impl Mapping for Pointers {
///     fn check(expression: &str, _names: &[String]) -> Vec<Diagnostic> {
///         match expression.starts_with('/') {
///             true => Vec::new(),
///             false => vec![Diagnostic::at(0, 1, "a JSON pointer begins with `/`")],
///         }
///     }
///
///     fn evaluate(expressions: &[String], input: &[u8]) -> Vec<Result<Vec<u8>, EvalError>> {
///         let input: Value = serde_json::from_slice(input).unwrap_or_default();
///         let found = |expression: &String| {
///             let found = input.pointer(expression).ok_or_else(|| EvalError::new("not there"))?;
///             Ok(found.to_string().into_bytes())
///         };
///         expressions.iter().map(found).collect()
///     }
/// }
///
/// export_mapping!(Pointers);
/// ```
pub trait Mapping {
    /// What is wrong with an expression that can use the variables `names`; nothing if it
    /// is good.
    fn check(expression: &str, names: &[String]) -> Vec<Diagnostic>;

    /// What each expression makes of the input, in order, as a JSON text. The input is a
    /// JSON object with one member for each variable.
    fn evaluate(expressions: &[String], input: &[u8]) -> Vec<Result<Vec<u8>, EvalError>>;
}

/// Makes a type that implements [`Mapping`] part of the plugin, beside
/// [`export_language!`](crate::export_language).
///
/// Does nothing outside WebAssembly, so that the crate can be tested natively.
#[macro_export]
macro_rules! export_mapping {
    ($mapping:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type __Mapping = $crate::glue::Mapped<$mapping>;
    $crate::bindings::mapped::export!(__Mapping with_types_in $crate::bindings::mapped);
        };
    };
}

/// A [`Mapping`] as the generated bindings want it.
pub struct Mapped<T>(PhantomData<T>);

impl<T: Mapping> mapping::Guest for Mapped<T> {
    fn check(expressions: Vec<String>, names: Vec<String>) -> Vec<Vec<mapping::Diagnostic>> {
        let told = |Diagnostic { message, offset, length }: Diagnostic| mapping::Diagnostic {
            message,
            offset,
            length,
        };
        let checked = expressions.iter().map(|expression| T::check(expression, &names));
        checked.map(|found| found.into_iter().map(told).collect()).collect()
    }

    fn evaluate(expressions: Vec<String>, input: Vec<u8>) -> Vec<Result<Vec<u8>, String>> {
        let values = T::evaluate(&expressions, &input).into_iter();
        values.map(|value| value.map_err(|error| error.message)).collect()
    }
}
