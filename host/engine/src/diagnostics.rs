//! What a language says about a text that somebody wrote in it, as that person is told.

use alerts_domain::problem::FieldError;
use alerts_sandbox::Diagnostic;

/// What is wrong with `source`, which stands at `pointer`, each with its line and column.
pub(crate) fn in_source(
    source: &str,
    pointer: &str,
    diagnostics: Vec<Diagnostic>,
) -> Vec<FieldError> {
    let told = diagnostics.into_iter().map(|diagnostic| {
        let (line, column) = position(source, diagnostic.offset as usize);
        let bytes = match diagnostic.length {
            0 => String::new(),
            length => format!(" (byte {} and the next {length})", diagnostic.offset),
        };
        let message = diagnostic.message;
        let detail = format!("does not compile at line {line}, column {column}{bytes}: {message}");
        FieldError::new(pointer, detail)
    });
    told.collect()
}

/// Line and column, both from 1, of a byte offset.
fn position(source: &str, offset: usize) -> (usize, usize) {
    let before = &source[..source.floor_char_boundary(offset.min(source.len()))];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_told_as_editors_count_them() {
        assert_eq!(position("a && b", 5), (1, 6));
        assert_eq!(position("a\nbö &&", 6), (2, 4));
        assert_eq!(position("a", 99), (1, 2));
    }
}
