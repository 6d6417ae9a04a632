//! The file of a SQLite database: where it is, whose it is, and who may read it.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::private_files::{folder_of, make_file, make_folder, sync_folder};

/// The path in a `sqlite:` URL.
pub(crate) fn path(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    if path.is_empty() || path.contains(['?', '#', '%']) || path == ":memory:" {
        return Err(StoreError::Url(format!(
            "`{url}` must be `sqlite://` and the path of a file, without parameters"
        )));
    }
    Ok(path.into())
}

/// Makes the file and its folder, if they are not there, and takes the file for
/// this process. Freed by the system when the process ends, however it ends.
pub(crate) fn take(database: &Path) -> Result<File, String> {
    let lock = lock(database)?;
    // SQLite gives the files beside it the same permissions.
    make_file(database)
        .and_then(|_| sync_folder(folder_of(database)))
        .map_err(|error| cannot_be_made(database, &error))?;
    Ok(lock)
}

/// The same without the file itself: keeps hosts away from where one is to be.
pub(crate) fn lock(database: &Path) -> Result<File, String> {
    let folder = folder_of(database);
    make_folder(folder).map_err(|error| cannot_be_made(folder, &error))?;
    let path = lock_of(database);
    let lock = make_file(&path).map_err(|error| cannot_be_made(&path, &error))?;
    lock.try_lock().map_err(|_| {
        "another host has it open; stop that one first, or use Postgres to run several".to_owned()
    })?;
    Ok(lock)
}

/// Whether a process has taken this file. Makes nothing.
pub(crate) fn is_taken(database: &Path) -> bool {
    File::open(lock_of(database)).is_ok_and(|lock| lock.try_lock_shared().is_err())
}

/// Where the driver finds a file, whatever is in its name.
pub(crate) fn url_of(file: &Path, parameters: &str) -> Result<String, StoreError> {
    let unusable = |detail: &dyn Display| {
        StoreError::Url(format!("the path {} cannot be used: {detail}", file.display()))
    };
    let absolute = std::path::absolute(file).map_err(|error| unusable(&error))?;
    let text = absolute.to_str().ok_or_else(|| unusable(&"it is not UTF-8"))?;
    let text = text.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{text}?{parameters}"))
}

/// A file that SQLite keeps beside a database.
pub(crate) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn lock_of(database: &Path) -> PathBuf {
    database.with_added_extension("lock")
}

fn cannot_be_made(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be made: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_names_no_file_is_refused() {
        for url in ["sqlite://", "sqlite::memory:", "sqlite://a.db?mode=ro"] {
            assert!(path(url).is_err(), "{url}");
        }
    }
}
