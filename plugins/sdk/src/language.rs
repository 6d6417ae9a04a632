//! Condition languages: the trait an author implements, and how one event is
//! parsed once for all the programs that look at it.

use crate::bindings::condition::exports::exosphere::alerts::language::{
    self, GuestProgram, Program, ProgramBorrow,
};
use crate::{Diagnostic, EvalError};

/// A condition language. The implementing type is a compiled program.
///
/// An instance of the plugin serves one tenant and is kept warm with all of the
/// tenant's programs compiled, so the work belongs in [`compile`](Self::compile).
///
/// ```
/// use exosphere_alerts_sdk::{Diagnostic, EvalError, Language, export_language};
/// use serde_json::Value;
///
/// /// A JSON pointer (RFC 6901); holds where it finds `true`.
/// struct IsTrue(String);
///
/// impl Language for IsTrue {
///     type Event<'e> = Value;
///
///     fn parse_event(event: &[u8]) -> Result<Value, EvalError> {
///         serde_json::from_slice(event).map_err(EvalError::new)
///     }
///
///     fn compile(source: &str) -> Result<Self, Vec<Diagnostic>> {
///         if source.starts_with('/') {
///             Ok(Self(source.to_owned()))
///         } else {
///             Err(vec![Diagnostic::at(0, 1, "a JSON pointer begins with `/`")])
///         }
///     }
///
///     fn evaluate(&self, event: &Value) -> Result<bool, EvalError> {
///         let found = event.pointer(&self.0).and_then(Value::as_bool);
///         found.ok_or_else(|| EvalError::new(format!("no boolean at `{}`", self.0)))
///     }
/// }
///
/// export_language!(IsTrue);
/// ```
pub trait Language: Sized + 'static {
    /// An event, parsed. May borrow from the bytes it was parsed from.
    type Event<'e>;

    /// Parses an event: a CloudEvents 1.0 event as a JSON object. Called once
    /// however many programs are evaluated against it.
    fn parse_event(event: &[u8]) -> Result<Self::Event<'_>, EvalError>;

    /// Compiles a source text. Must be deterministic: it runs when a rule is
    /// saved, and again whenever a fresh instance is warmed up.
    fn compile(source: &str) -> Result<Self, Vec<Diagnostic>>;

    /// Whether the condition holds. An error neither fires the rule nor stops
    /// other rules; it is shown on the rule.
    fn evaluate(&self, event: &Self::Event<'_>) -> Result<bool, EvalError>;
}

/// Makes a type that implements [`Language`] the plugin's export.
///
/// Does nothing outside WebAssembly, so that the crate can be tested natively.
#[macro_export]
macro_rules! export_language {
    ($language:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type __Language = $crate::glue::Compiled<$language>;
            $crate::bindings::condition::export!(__Language with_types_in $crate::bindings::condition);
        };
    };
}

impl Diagnostic {
    /// A complaint about `length` bytes of the source from byte `offset` on.
    pub fn at(offset: u32, length: u32, message: impl Into<String>) -> Self {
        Self { message: message.into(), offset, length }
    }
}

impl EvalError {
    /// Why there is no verdict.
    pub fn new(message: impl ToString) -> Self {
        Self { message: message.to_string() }
    }
}

/// A [`Language`]'s program as the generated bindings want it.
pub struct Compiled<L>(L);

impl<L: Language> language::Guest for Compiled<L> {
    type Program = Self;

    fn evaluate_all(
        programs: Vec<ProgramBorrow<'_>>,
        event: Vec<u8>,
    ) -> Vec<Result<bool, EvalError>> {
        match L::parse_event(&event) {
            Ok(event) => {
                programs.iter().map(|program| program.get::<Self>().0.evaluate(&event)).collect()
            }
            Err(error) => programs.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

impl<L: Language> GuestProgram for Compiled<L> {
    fn compile(source: String) -> Result<Program, Vec<Diagnostic>> {
        L::compile(&source).map(|program| Program::new(Self(program)))
    }

    fn evaluate(&self, event: Vec<u8>) -> Result<bool, EvalError> {
        self.0.evaluate(&L::parse_event(&event)?)
    }
}
