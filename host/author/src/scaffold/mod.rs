//! `plugin new`: a project that builds, with everything in it that it needs.

mod names;
mod others;
mod rust;

use std::path::{Path, PathBuf};

use alerts_package::Kind;

use crate::{AuthorError, Paper};
use names::Names;

include!(concat!(env!("OUT_DIR"), "/copied_files.rs"));

/// Arguments of `plugin new`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plugin's id, and the folder to make: lower-case letters, digits and hyphens.
    name: String,
    /// What it is written in.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// Which world of the contract it implements.
    #[arg(long, value_enum, default_value_t = World::Target)]
    kind: World,
    /// Where to make the folder.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    within: PathBuf,
}

/// What a plugin can be begun in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    Rust,
    Javascript,
    Python,
    C,
}

/// As [`Kind`], for the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum World {
    Target,
    Condition,
}

impl World {
    fn kind(self) -> Kind {
        match self {
            Self::Target => Kind::Target,
            Self::Condition => Kind::Condition,
        }
    }
}

/// A file of a project: its path, and its text.
type ProjectFile = (String, String);

/// Writes the project, into a folder that is not there yet.
pub fn run(args: &Args, paper: &mut Paper<'_>) -> Result<(), AuthorError> {
    let names = Names::of(&args.name).map_err(AuthorError::Arguments)?;
    let folder = args.within.join(&args.name);
    if folder.exists() {
        return Err(AuthorError::Arguments(format!(
            "{} is there already; choose another name, or move it away",
            folder.display()
        )));
    }
    for (path, text) in files(args.lang, args.kind.kind(), &names) {
        write(&folder.join(&path), text.as_bytes())?;
    }
    if args.lang == Language::C {
        for (name, content) in others::c_bindings(args.kind.kind()) {
            write(&folder.join("gen").join(name), content)?;
        }
    }
    paper.line(format_args!(
        "{} is a {} in {}. README.md says how to build it; in short:\n\n  cd {}\n  ./build.sh\n  \
         exosphere-alerts plugin check {}.wasm{}",
        folder.display(),
        args.kind.kind().word(),
        args.lang.word(),
        folder.display(),
        args.name,
        names::check_flags(args.kind.kind())
    ));
    Ok(())
}

impl Language {
    fn word(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Javascript => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        }
    }
}

/// All files of a project, but those that are no text.
fn files(language: Language, kind: Kind, names: &Names) -> Vec<ProjectFile> {
    let manifest = match (kind, language) {
        // Its target sends the alert as it is, so it has nothing to set.
        (Kind::Target, Language::C) => include_str!("../../templates/c/target.toml"),
        (Kind::Target, _) => include_str!("../../templates/target.toml"),
        (Kind::Condition, _) => include_str!("../../templates/condition.toml"),
    };
    let mut files: Vec<ProjectFile> = vec![
        ("plugin.toml".to_owned(), names.fill(manifest, kind)),
        ("event.json".to_owned(), include_str!("../../templates/event.json").to_owned()),
        (".gitignore".to_owned(), include_str!("../../templates/gitignore").to_owned()),
    ];
    files.extend(WIT_FILES.iter().map(|(name, text)| (format!("wit/{name}"), (*text).to_owned())));
    let own = match language {
        Language::Rust => rust::files(kind),
        Language::Javascript => others::javascript(kind),
        Language::Python => others::python(kind),
        Language::C => others::c(kind),
    };
    files.extend(own.into_iter().map(|(path, text)| (path, names.fill(&text, kind))));
    if language == Language::Rust {
        files.extend(rust::sdk());
    }
    files
}

fn write(path: &Path, content: &[u8]) -> Result<(), AuthorError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(AuthorError::write(folder))?;
    }
    std::fs::write(path, content).map_err(AuthorError::write(path))?;
    #[cfg(unix)]
    if path.extension().is_some_and(|extension| extension == "sh") {
        use std::os::unix::fs::PermissionsExt as _;
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, runs).map_err(AuthorError::write(path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alerts_package::Manifest;

    use super::*;

    const LANGUAGES: [Language; 4] =
        [Language::Rust, Language::Javascript, Language::Python, Language::C];

    #[test]
    fn nothing_is_left_to_fill_in() {
        let names = Names::of("my-plugin").unwrap();
        for language in LANGUAGES {
            for kind in [Kind::Target, Kind::Condition] {
                for (path, text) in files(language, kind, &names) {
                    let own = !path.starts_with("sdk/") && !path.starts_with("wit/");
                    assert!(!own || !text.contains("{{"), "{language:?} {path}");
                }
            }
        }
    }

    #[test]
    fn each_project_has_a_manifest_that_packs_and_a_way_to_build() {
        let names = Names::of("my-plugin").unwrap();
        for language in LANGUAGES {
            for kind in [Kind::Target, Kind::Condition] {
                let files = files(language, kind, &names);
                let text = |name: &str| {
                    files.iter().find(|(path, _)| path == name).map(|(_, text)| text.as_str())
                };
                let manifest = Manifest::from_toml(text("plugin.toml").unwrap()).unwrap();
                assert_eq!((manifest.id.as_str(), manifest.kind), ("my-plugin", kind));
                let build = text("build.sh").unwrap();
                let last = build.trim_end().replace("\\\n", " ");
                assert!(last.lines().last().unwrap().contains("plugin pack"), "{language:?}");
                assert!(text("README.md").is_some() && text("wit/worlds.wit").is_some());
            }
        }
    }
}
