//! A project in Rust: a crate with a copy of the SDK in it, at the versions
//! that the built-in plugins are built with.

use alerts_package::Kind;

use super::{ProjectFile, SDK_FILES};

/// The manifests that versions come from, and the lock that holds them.
const GUESTS: &str = include_str!("../../../../plugins/Cargo.toml");
const GUESTS_LOCK: &str = include_str!("../../../../plugins/Cargo.lock");
const SDK: &str = include_str!("../../../../plugins/sdk/Cargo.toml");

pub(super) fn files(kind: Kind) -> Vec<ProjectFile> {
    let (library, needs): (_, &[&str]) = match kind {
        Kind::Target => (include_str!("../../templates/rust/target.rs"), &["serde", "serde_json"]),
        Kind::Condition => (include_str!("../../templates/rust/condition.rs"), &["serde_json"]),
    };
    let dependencies: Vec<_> = needs.iter().filter_map(|name| entry(GUESTS, name)).collect();
    let manifest = include_str!("../../templates/rust/Cargo.toml");
    vec![
        ("Cargo.toml".to_owned(), manifest.replace("{{dependencies}}", &dependencies.join("\n"))),
        ("src/lib.rs".to_owned(), library.to_owned()),
        ("build.sh".to_owned(), include_str!("../../templates/rust/build.sh").to_owned()),
        ("README.md".to_owned(), include_str!("../../templates/rust/README.md").to_owned()),
    ]
}

/// The copy of the SDK, and the lock. Taken as they are: a template's marks
/// mean nothing in them.
pub(super) fn sdk() -> Vec<ProjectFile> {
    let sources = SDK_FILES.iter().map(|(name, text)| {
        // One folder deeper than in its own workspace.
        (format!("sdk/src/{name}"), text.replace("\"../../wit", "\"../wit"))
    });
    let mut files: Vec<ProjectFile> = sources.collect();
    files.push(("sdk/Cargo.toml".to_owned(), standalone(SDK, GUESTS)));
    // Cargo drops from it what this project does not need.
    files.push(("Cargo.lock".to_owned(), GUESTS_LOCK.to_owned()));
    files
}

/// A member's manifest, with what it inherits from its workspace written out.
fn standalone(member: &str, workspace: &str) -> String {
    let mut text = String::new();
    for line in member.lines() {
        if line == "[lints]" {
            break;
        }
        match line.strip_suffix(".workspace = true") {
            Some(name) => text.push_str(entry(workspace, name).unwrap_or_default()),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// The line of a manifest that says this.
fn entry<'a>(manifest: &'a str, name: &str) -> Option<&'a str> {
    manifest
        .lines()
        .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_inherited_from_a_workspace_that_is_not_there() {
        let manifest = standalone(SDK, GUESTS);
        assert!(!manifest.contains("workspace"), "{manifest}");
        assert!(manifest.contains("version = \"") && manifest.contains("wit-bindgen = {"));
    }

    #[test]
    fn the_copy_of_the_sdk_has_its_folders_too() {
        let files = sdk();
        assert!(files.iter().any(|(path, _)| path.matches('/').count() > 2), "sdk/src/…/….rs");
    }

    #[test]
    fn the_copy_of_the_sdk_finds_the_contract() {
        let files = sdk();
        let bindings = files.iter().find(|(path, _)| path == "sdk/src/bindings.rs").unwrap();
        for folder in ["path: \"../wit\"", "path: \"../wit/1.1\""] {
            assert!(bindings.1.contains(folder), "{folder}");
        }
        assert!(!bindings.1.contains("../../wit"));
    }
}
