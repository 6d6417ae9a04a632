//! A folder of files, read into what they ask for. Knows nothing of what a host has.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::complaint::{Complaint, Place, ReadFile};
use super::tree::Tree;
use super::types::{ConfigurationFile, Endpoint, Plugin, Rule, Tenant};
use crate::api::body::parse;

/// Largest file, in bytes: thousands of rules.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Most files: more are not somebody's configuration, but a wrong folder.
const MAX_FILES: usize = 1_000;

/// All that the files ask for, each with its place.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) endpoints: Vec<(Place, Endpoint)>,
    pub(super) rules: Vec<(Place, Rule)>,
    pub(super) tenants: Vec<(Place, Tenant)>,
    pub(super) plugins: Vec<(Place, Plugin)>,
}

/// Reads every `.yaml` and `.yml` of a folder and of the folders in it, or one file.
pub(super) fn read(from: &Path) -> Result<Read, Vec<Complaint>> {
    let mut files = Vec::new();
    if from.is_dir() {
        collect(from, &mut files).map_err(|error| vec![unreadable(from, &error)])?;
    } else {
        files.push(from.into());
    }
    if files.is_empty() {
        let detail = "there is no .yaml or .yml file in it";
        return Err(vec![unreadable(from, &detail)]);
    }
    if files.len() > MAX_FILES {
        let detail = format!("there are more than {MAX_FILES} files in it; name another folder");
        return Err(vec![unreadable(from, &detail)]);
    }
    let (mut read, mut wrong) = (Read::default(), Vec::new());
    for file in files {
        match read_file(&file) {
            Ok((file, content)) => read.take(&file, content),
            Err(complaint) => wrong.push(complaint),
        }
    }
    if wrong.is_empty() { Ok(read) } else { Err(wrong) }
}

/// In the order of their names, so that complaints come in the same order each time.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        entries.push(entry?.path());
    }
    entries.sort();
    for path in entries {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if is_hidden || files.len() > MAX_FILES {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if is_yaml {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Complaint {
    Complaint::of_host(format!("{}: {error}", path.display()))
}

fn read_file(path: &Path) -> Result<(Rc<ReadFile>, ConfigurationFile), Complaint> {
    let bytes = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if bytes > MAX_FILE_BYTES {
        let detail = format!("has {bytes} bytes, more than {MAX_FILE_BYTES}; split it");
        return Err(unreadable(path, &detail));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let tree = Tree::read(&text).map_err(|wrong| Complaint {
        at: Some((path.to_owned(), wrong.line)),
        field: String::new(),
        detail: wrong.detail,
    })?;
    let json = tree.value.to_string();
    let file = Rc::new(ReadFile { path: path.to_owned(), tree });
    match parse::<ConfigurationFile>(json.as_bytes()) {
        Ok(content) => Ok((file, content)),
        Err(problem) => {
            let place = Place { file, pointer: String::new() };
            let first = problem.errors().first();
            Err(first.map_or_else(
                || place.wrong("", problem.detail()),
                |error| place.wrong(&error.pointer, error.detail.as_str()),
            ))
        }
    }
}

impl Read {
    fn take(&mut self, file: &Rc<ReadFile>, content: ConfigurationFile) {
        fn placed<T>(file: &Rc<ReadFile>, section: &str, items: Vec<T>) -> Vec<(Place, T)> {
            let place =
                |index| Place { file: file.clone(), pointer: format!("/{section}/{index}") };
            items.into_iter().enumerate().map(|(index, item)| (place(index), item)).collect()
        }
        self.endpoints.extend(placed(file, "endpoints", content.endpoints));
        self.rules.extend(placed(file, "rules", content.rules));
        self.tenants.extend(placed(file, "tenants", content.tenants));
        self.plugins.extend(placed(file, "plugins", content.plugins));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(files: &[(&str, &str)]) -> Result<Read, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let root = format!("{}/", folder.path().display());
        read(folder.path()).map_err(|wrong| {
            wrong.iter().map(|complaint| complaint.to_string().replace(&root, "")).collect()
        })
    }

    #[test]
    fn a_folder_is_read_with_the_folders_in_it_and_nothing_hidden() {
        let endpoint = "endpoints: [{name: a, target_url: https://example.com/}]\n";
        let read = read_of(&[
            ("a.yaml", endpoint),
            ("b/c.yml", "rules: [{name: r, event_type: x, endpoint: a}]\n"),
            ("b/notes.txt", "endpoints: oh\n"),
            (".git/x.yaml", "endpoints: oh\n"),
        ])
        .unwrap();
        assert_eq!((read.endpoints.len(), read.rules.len()), (1, 1));
        assert!(read.rules[0].0.to_string().ends_with("b/c.yml:1"));
        assert!(read_of(&[("b/notes.txt", "")]).unwrap_err()[0].contains("no .yaml"));
    }

    #[test]
    fn what_is_wrong_is_told_with_file_line_and_field_and_all_files_are_read_first() {
        let wrong = read_of(&[
            ("a.yaml", "endpoints:\n- name: a\n  taget: http\n"),
            ("b.yaml", "rules:\n- name: r\n  event_type: x\n"),
            ("c.yaml", "endpoints:\n- name: a\n  secrets:\n    token: tok-1234567890\n"),
            ("d.yaml", "tenants: [\n"),
        ])
        .unwrap_err();
        assert!(wrong[0].starts_with("a.yaml:3: endpoints[0].taget: unknown field"), "{wrong:?}");
        assert!(wrong[1].starts_with("b.yaml:2: rules[0].endpoint: missing field"), "{wrong:?}");
        assert!(wrong[2].starts_with("c.yaml:4: endpoints[0].secrets.token: "), "{wrong:?}");
        assert!(wrong[3].starts_with("d.yaml:"), "{wrong:?}");
        assert!(!wrong.concat().contains("tok-1234"), "a secret in the wrong place is not shown");
    }
}
