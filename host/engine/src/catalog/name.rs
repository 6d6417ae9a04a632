//! What endpoints, rules and sources may be called.

use alerts_domain::problem::FieldError;

/// Longest name of anything, in characters.
const MAX_NAME_CHARS: usize = 200;

/// What is wrong with a name.
pub fn problems(name: &str) -> Vec<FieldError> {
    let chars = name.chars().count();
    if (1..=MAX_NAME_CHARS).contains(&chars) && !name.chars().any(char::is_control) {
        return Vec::new();
    }
    let detail = format!("must be 1 to {MAX_NAME_CHARS} characters without control characters");
    vec![FieldError::new("/name", detail)]
}
