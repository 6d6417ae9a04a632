//! Rows in the text form that Postgres's COPY reads.
//!
//! <https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS>

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::batch::Column as Kind;
use crate::tables::Column;

/// Adds a row. Says which column does not hold what its type says, which SQLite lets
/// happen and Postgres does not.
pub(super) fn push_row(
    text: &mut Vec<u8>,
    columns: &[Column],
    row: &AnyRow,
) -> Result<(), (String, String)> {
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            text.push(b'\t');
        }
        let wrong = |detail: String| (column.name.clone(), detail);
        let refused = |error: sqlx::Error| wrong(error.to_string());
        match column.kind {
            Kind::Text => match row.try_get::<Option<String>, _>(index).map_err(refused)? {
                Some(value) if value.contains('\0') => {
                    return Err(wrong("holds a NUL, which Postgres does not store".to_owned()));
                }
                Some(value) => push_text(text, &value),
                None => push_null(text),
            },
            Kind::Number => match row.try_get::<Option<i64>, _>(index).map_err(refused)? {
                Some(value) => text.extend_from_slice(value.to_string().as_bytes()),
                None => push_null(text),
            },
            Kind::Bytes => match row.try_get::<Option<Vec<u8>>, _>(index).map_err(refused)? {
                Some(value) => push_bytes(text, &value),
                None => push_null(text),
            },
        }
    }
    text.push(b'\n');
    Ok(())
}

fn push_null(text: &mut Vec<u8>) {
    text.extend_from_slice(b"\\N");
}

fn push_text(text: &mut Vec<u8>, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            b'\t' => text.extend_from_slice(b"\\t"),
            other => text.push(other),
        }
    }
}

fn push_bytes(text: &mut Vec<u8>, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.reserve(3 + 2 * value.len());
    text.extend_from_slice(b"\\\\x");
    for byte in value {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_column_or_a_row_is_escaped() {
        let mut text = Vec::new();
        push_text(&mut text, "a\tb\nc\rd\\e\\N");
        assert_eq!(text, b"a\\tb\\nc\\rd\\\\e\\\\N");
    }

    #[test]
    fn bytes_are_written_as_digits() {
        let mut text = Vec::new();
        push_bytes(&mut text, &[0, 0xab, 0xff]);
        assert_eq!(text, b"\\\\x00abff");
    }
}
