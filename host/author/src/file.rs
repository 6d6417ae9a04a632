//! Reading the files that an author names.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::AuthorError;

pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, AuthorError> {
    std::fs::read(path).map_err(AuthorError::read(path))
}

pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, AuthorError> {
    serde_json::from_slice(&bytes(path)?)
        .map_err(|source| AuthorError::Json { path: path.to_owned(), source })
}
