//! Why a command of an author could not do its work.

use std::path::{Path, PathBuf};

use alerts_domain::json::JsonError;
use alerts_domain::problem::FieldError;
use alerts_engine::EngineError;
use alerts_package::{EncodeError, InvalidManifest, ManifestError, PackError};
use alerts_sandbox::{CallError, LoadError, SandboxError};

/// Why a command could not do its work; for the person who typed it.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// A file does not read.
    #[error("{} does not read: {source}{}", path.display(), advice(path, source))]
    Read {
        /// As given.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// As given.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file is not the JSON that it should be.
    #[error("{} is not the JSON that is expected here: {source}", path.display())]
    Json {
        /// As given.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A file is JSON that no host would take.
    #[error("{}: {source}", path.display())]
    Refused {
        /// As given.
        path: PathBuf,
        /// Where and why.
        source: JsonError,
    },
    /// A `plugin.toml` is wrong.
    #[error("{}: {source}", path.display())]
    Manifest {
        /// As given.
        path: PathBuf,
        /// Which field, and what to write.
        source: InvalidManifest,
    },
    /// A file is not a plugin.
    #[error("{}: {source}", path.display())]
    NotAPlugin {
        /// As given.
        path: PathBuf,
        /// What it is instead.
        source: ManifestError,
    },
    /// A core module did not become a plugin.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A component did not become a plugin.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The sandbox did not start.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The sandbox refused the file.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The plugin failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The way out could not be set up.
    #[error(transparent)]
    Egress(#[from] EngineError),
    /// The event is not a CloudEvent.
    #[error("the event is not one that the host takes: {}", joined(.0))]
    Event(Vec<FieldError>),
    /// The settings are refused, as saving an endpoint with them would be.
    #[error("the settings are refused: {}", joined(.0))]
    Settings(Vec<FieldError>),
    /// The threads did not start.
    #[error("the threads did not start: {0}")]
    Threads(#[source] std::io::Error),
    /// A host's API did not give what was asked.
    #[error("{url}: {detail}")]
    Api {
        /// What was asked for.
        url: String,
        /// What it answered, and what to change.
        detail: String,
    },
    /// The arguments do not fit together; the text says how.
    #[error("{0}")]
    Arguments(String),
}

impl AuthorError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}

/// What to do about a file that is not there.
fn advice(path: &Path, error: &std::io::Error) -> &'static str {
    if error.kind() != std::io::ErrorKind::NotFound {
        return "";
    }
    let ends_with = |ending: &str| path.extension().is_some_and(|extension| extension == ending);
    match path {
        _ if ends_with("wasm") => "; `./build.sh` in the project's folder makes it",
        _ if ends_with("toml") => {
            "; run this in the project's folder, or name it with `--manifest`"
        }
        _ => "; check the path",
    }
}

/// Problems in one line, each with its place.
pub(crate) fn joined(problems: &[FieldError]) -> String {
    let one = |problem: &FieldError| match problem.pointer.as_str() {
        "" => problem.detail.clone(),
        pointer => format!("`{pointer}` {}", problem.detail),
    };
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_comes_with_what_to_do() {
        let missing = |path: &str| {
            AuthorError::read(Path::new(path))(std::io::ErrorKind::NotFound.into()).to_string()
        };
        assert!(missing("a.wasm").ends_with("`./build.sh` in the project's folder makes it"));
        assert!(missing("plugin.toml").ends_with("name it with `--manifest`"));
        let denied =
            AuthorError::read(Path::new("a.wasm"))(std::io::ErrorKind::PermissionDenied.into());
        assert!(!denied.to_string().contains("build.sh"));
    }
}
