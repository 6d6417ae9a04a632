//! Where the keys that encrypt secrets come from: the operator, or a file
//! beside the SQLite database that is made at the first start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use alerts_domain::keyring::Keyring;
use alerts_domain::secret::Secret;
use alerts_engine::Entropy;
use alerts_store::{folder_of, make_folder, sync_folder};

use super::database::Database;
use super::error::SettingError;

/// The file's name, beside the database.
const FILE_NAME: &str = "encryption.key";
/// Id of the key that is made.
const FIRST_ID: &str = "k1";
const SETTING: &str = "ALERTS_ENCRYPTION_KEYS";

/// Where the keys are.
#[derive(Debug)]
pub enum EncryptionKeys {
    /// With the operator.
    Given(Keyring),
    /// In a file that may have to be made.
    File {
        /// The file.
        path: PathBuf,
        /// The database that needs it.
        database: PathBuf,
    },
}

/// Where the keys are kept that are not given, beside this SQLite file.
pub(crate) fn encryption_key_file(database: &Path) -> PathBuf {
    database.with_file_name(FILE_NAME)
}

impl EncryptionKeys {
    /// Those that are given, or else the file's.
    pub(crate) fn read(given_keys: Option<&Secret>, of: &Database) -> Result<Self, SettingError> {
        Self::choose(given(given_keys)?, of)
    }

    pub(super) fn choose(
        given: Option<Keyring>,
        database: &Database,
    ) -> Result<Self, SettingError> {
        match (given, database) {
            (Some(keyring), _) => Ok(Self::Given(keyring)),
            (None, Database::Sqlite { file, .. }) => {
                Ok(Self::File { path: encryption_key_file(file), database: file.clone() })
            }
            (None, Database::Postgres { .. }) => Err(SettingError::new(
                SETTING,
                "it is required with Postgres, where all hosts share it",
                "make one with `echo \"k1:$(openssl rand -base64 32)\"` and give it to every host",
            )),
        }
    }

    /// The keys; the file is made if neither it nor the database is there.
    pub fn open(&self, entropy: &Entropy) -> Result<Keyring, SettingError> {
        match self {
            Self::Given(keyring) => Ok(keyring.clone()),
            Self::File { path, database } => match read(path) {
                Ok(Some(text)) => parse(path, &text),
                // A new key would not open what the database holds.
                Ok(None) if holds_something(database) => Err(SettingError::new(
                    SETTING,
                    format!("{} is missing beside an existing database", path.display()),
                    "put the file back from a backup, or give the keys in this setting",
                )),
                Ok(None) => {
                    make_folder_of(path)?;
                    let text = Keyring::generate(FIRST_ID, entropy.bytes());
                    make(path, &text).map_err(|error| unusable(path, &error))?;
                    parse(path, &text)
                }
                Err(error) => Err(unusable(path, &error)),
            },
        }
    }

    /// Old and new keys, the new one first. In the file one is added, unless an
    /// earlier rotation did and was cut off.
    pub(crate) fn begin_rotation(&self, entropy: &Entropy) -> Result<Keyring, SettingError> {
        let keyring = self.open(entropy)?;
        match self {
            _ if keyring.ids().len() > 1 => Ok(keyring),
            Self::Given(_) => {
                let id = keyring.ids().next().unwrap_or_default();
                Err(SettingError::new(
                    SETTING,
                    format!("`{id}` is the only key there, so there is none to change to"),
                    format!("put a new one before it: `new:$(openssl rand -base64 32),{id}:…`"),
                ))
            }
            Self::File { path, .. } => rewrite(path, |old| {
                let new = Keyring::generate(&free_id(&keyring), entropy.bytes());
                format!("{new},{old}")
            }),
        }
    }

    /// Takes the old keys out of the file.
    pub(crate) fn end_rotation(&self) -> Result<(), SettingError> {
        match self {
            Self::Given(_) => Ok(()),
            Self::File { path, .. } => {
                let first = |text: &str| text.split(',').next().unwrap_or_default().to_owned();
                rewrite(path, first).map(drop)
            }
        }
    }
}

/// The keys in the setting, if there are any.
pub(super) fn given(keys: Option<&Secret>) -> Result<Option<Keyring>, SettingError> {
    let keys = keys.map(Secret::expose).filter(|keys| !keys.is_empty());
    keys.map(Keyring::parse).transpose().map_err(|error| {
        SettingError::new(
            SETTING,
            error.to_string(),
            "write `id:base64`, several with commas between them; the first one encrypts",
        )
    })
}

/// The id after the newest one: `k2` after `k1`.
fn free_id(keyring: &Keyring) -> String {
    let number = |id: &str| id.strip_prefix('k').and_then(|number| number.parse::<u32>().ok());
    let newest = keyring.ids().filter_map(number).max().unwrap_or_default();
    format!("k{}", newest.saturating_add(1))
}

fn holds_something(database: &Path) -> bool {
    fs::metadata(database).is_ok_and(|about| about.len() > 0)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "other users may read the encryption key: chmod 600");
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Some(text))
}

/// The folder of the database, and so of the key.
fn make_folder_of(path: &Path) -> Result<(), SettingError> {
    let folder = folder_of(path);
    make_folder(folder).map_err(|error| {
        SettingError::new(
            "ALERTS_DATABASE_URL",
            format!("the folder {} cannot be made: {error}", folder.display()),
            "name a file in a folder that this user may write to",
        )
    })
}

fn make(path: &Path, text: &str) -> io::Result<()> {
    // Whole or not at all, and never over an existing one.
    let unfinished = write_beside(path, text)?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    linked?;
    // The name must survive a power cut as well.
    sync_folder(folder_of(path))
}

/// Puts other keys into the file. A power cut leaves the one or the other.
fn rewrite(path: &Path, change: impl Fn(&str) -> String) -> Result<Keyring, SettingError> {
    let replace = || {
        let old = read(path)?.ok_or(io::ErrorKind::NotFound)?;
        let new = change(old.trim());
        fs::rename(write_beside(path, &new)?, path)?;
        sync_folder(folder_of(path))?;
        Ok(new)
    };
    let new: String = replace().map_err(|error: io::Error| unusable(path, &error))?;
    parse(path, &new)
}

fn write_beside(path: &Path, text: &str) -> io::Result<PathBuf> {
    let unfinished = path.with_extension(format!("key.{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    Ok(unfinished)
}

fn parse(path: &Path, text: &str) -> Result<Keyring, SettingError> {
    Keyring::parse(text.trim()).map_err(|error| {
        SettingError::new(
            SETTING,
            format!("{} does not hold a key: {error}", path.display()),
            "put the file back from a backup",
        )
    })
}

fn unusable(path: &Path, error: &io::Error) -> SettingError {
    SettingError::new(
        SETTING,
        format!("{} cannot be used: {error}", path.display()),
        "give this user a folder it may write to, or give the keys in this setting",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_in(folder: &Path) -> EncryptionKeys {
        let file = folder.join("alerts.db");
        let database = Database::Sqlite { url: String::new(), file };
        EncryptionKeys::choose(None, &database).unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("data");
        let entropy = Entropy::from_seed(1);
        let first = keys_in(&within).open(&entropy).unwrap();
        let again = keys_in(&within).open(&entropy).unwrap();
        let sealed = first.seal(b"x", "", [0; 12]);
        assert_eq!(again.open(&sealed, "").unwrap().as_slice(), b"x");
        let mode = fs::metadata(within.join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let of_folder = fs::metadata(&within).unwrap().permissions().mode();
        assert_eq!(of_folder & 0o777, 0o700);
        assert_eq!(fs::read_dir(within).unwrap().count(), 1);
    }

    #[test]
    fn a_lost_key_is_not_replaced_under_a_database_that_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("alerts.db"), "rows").unwrap();
        let error = keys_in(folder.path()).open(&Entropy::from_seed(1)).unwrap_err();
        assert_eq!(error.setting, SETTING);
        assert!(!folder.path().join(FILE_NAME).exists());
    }

    #[test]
    fn a_rotation_that_was_cut_off_goes_on_with_the_key_it_had_made() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, entropy) = (keys_in(folder.path()), Entropy::from_seed(1));
        let sealed = keys.open(&entropy).unwrap().seal(b"x", "", [0; 12]);
        let ids = |ring: &Keyring| ring.ids().map(str::to_owned).collect::<Vec<_>>();
        let begun = keys.begin_rotation(&entropy).unwrap();
        assert_eq!(ids(&begun), ["k2", "k1"]);
        assert_eq!(begun.open(&sealed, "").unwrap().as_slice(), b"x");
        let anew = begun.seal(b"y", "", [1; 12]);

        let again = keys.begin_rotation(&entropy).unwrap();
        assert_eq!(again.open(&anew, "").unwrap().as_slice(), b"y");
        keys.end_rotation().unwrap();
        assert_eq!(ids(&keys.open(&entropy).unwrap()), ["k2"]);
        let mode = fs::metadata(folder.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!((mode & 0o777, fs::read_dir(folder.path()).unwrap().count()), (0o600, 1));
    }
}
