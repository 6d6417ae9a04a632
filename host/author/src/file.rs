//! Reading the files that an author names.

use std::path::Path;

use alerts_domain::json::{check, without_byte_order_mark};
use serde::de::DeserializeOwned;

use crate::AuthorError;

pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, AuthorError> {
    std::fs::read(path).map_err(AuthorError::read(path))
}

/// Reads JSON that a host would read: of the same file it must make the same.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, AuthorError> {
    let bytes = bytes(path)?;
    let json = without_byte_order_mark(&bytes);
    check(json).map_err(|source| AuthorError::Refused { path: path.to_owned(), source })?;
    serde_json::from_slice(json)
        .map_err(|source| AuthorError::Json { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_member_that_is_there_twice_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            json::<Value>(&path)
        };
        assert!(read("\u{feff}{\"a\": 1}").is_ok());
        let refused = read(r#"{"a": {"b": 1, "b": 2}}"#).unwrap_err().to_string();
        assert!(refused.contains("settings.json: `/a/b` is there twice"), "{refused}");
    }
}
