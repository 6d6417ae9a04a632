//! Files and folders for the host's own user alone, which a power cut does not take
//! away: a name is safe only when the folder that it is in has been synced.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// The folder that a path is in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Makes a folder and those that it is in. Those that are there keep their permissions.
///
/// # Errors
/// When one cannot be made or made safe.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let parent = folder_of(folder);
    if folder.is_dir() {
        // A host that was killed may have made it and not come to this.
        return match sync_folder(parent) {
            // Whoever keeps this user out of the parent has made the folder.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        };
    }
    make_folder(parent)?;
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        // The umask may have taken more away.
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    sync_folder(parent)
}

/// Makes the names in a folder safe.
///
/// # Errors
/// When the folder cannot be opened, or the disk fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Opens a file to write to its end. One that was not there is private, whatever the
/// umask takes away; its name is safe once the folder is synced.
pub(crate) fn make_file(path: &Path) -> io::Result<File> {
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

/// Gives a finished file its name, which nothing has yet, and makes both safe.
pub(crate) fn publish(finished: &Path, name: &Path) -> io::Result<()> {
    File::open(finished)?.sync_all()?;
    // A link never takes the place of another file, as renaming would.
    match fs::hard_link(finished, name) {
        Ok(()) => fs::remove_file(finished)?,
        Err(error) if knows_no_links(&error) && !name.try_exists()? => fs::rename(finished, name)?,
        Err(error) => return Err(error),
    }
    sync_folder(folder_of(name))
}

/// Memory sticks and some network shares have none.
fn knows_no_links(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}
