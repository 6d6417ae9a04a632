//! The file of a SQLite database: where it is, whose it is, and who may read it.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// For the host's own user alone: the file holds what tenants' workflows did.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

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
    if let Some(folder) = database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)
            .map_err(|error| format!("the folder {} cannot be made: {error}", folder.display()))?;
    }
    let path = database.with_added_extension("lock");
    let lock = make_file(&path).map_err(|error| cannot_be_made(&path, &error))?;
    lock.try_lock().map_err(|_| {
        "another host has it open; stop that one first, or use Postgres to run several".to_owned()
    })?;
    // SQLite gives the files beside it the same permissions.
    make_file(database).map_err(|error| cannot_be_made(database, &error))?;
    Ok(lock)
}

fn cannot_be_made(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be made: {error}", path.display())
}

/// Opens a file. One that was not there is private, whatever the umask takes away.
fn make_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).mode(FILE_MODE);
    match options.clone().create_new(true).open(path) {
        Ok(made) => {
            made.set_permissions(Permissions::from_mode(FILE_MODE))?;
            Ok(made)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

/// Makes a folder and those that it is in. Those that are there stay as they are.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folder(parent)?;
    }
    match std::fs::DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Ok(()) => std::fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
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
