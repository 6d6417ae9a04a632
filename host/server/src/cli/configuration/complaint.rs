//! What is wrong with the files, told with file, line and field.

use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use super::tree::Tree;

/// A file that was read.
#[derive(Debug)]
pub(super) struct ReadFile {
    pub(super) path: PathBuf,
    pub(super) tree: Tree,
}

/// Where an item stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) file: Rc<ReadFile>,
    /// To the item in the file.
    pub(super) pointer: String,
}

impl Place {
    /// Something is wrong with the item, or with what is at a pointer into it.
    pub(super) fn wrong(&self, pointer: &str, detail: impl Into<String>) -> Complaint {
        let pointer = format!("{}{pointer}", self.pointer);
        Complaint {
            at: Some((self.file.path.clone(), self.file.tree.line(&pointer))),
            field: field(&pointer),
            detail: detail.into(),
        }
    }

    /// The folder of its file, from where files are named in it.
    pub(super) fn folder(&self) -> PathBuf {
        self.file.path.parent().map(PathBuf::from).unwrap_or_default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.path.display(), self.file.tree.line(&self.pointer))
    }
}

/// One thing that is wrong.
#[derive(Debug, PartialEq)]
pub(super) struct Complaint {
    /// File and line; absent for what is in no file.
    pub(super) at: Option<(PathBuf, u64)>,
    /// As people write it, such as `rules[0].condition`; empty for the whole file.
    pub(super) field: String,
    pub(super) detail: String,
}

impl Complaint {
    /// About something that the host has and no file.
    pub(super) fn of_host(detail: impl Into<String>) -> Self {
        Self { at: None, field: String::new(), detail: detail.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, line)) = &self.at {
            write!(f, "{}:{line}: ", file.display())?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.detail)
    }
}

/// A JSON pointer as people write it.
pub(super) fn field(pointer: &str) -> String {
    let mut field = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.parse::<usize>().is_ok() {
            field += &format!("[{part}]");
        } else {
            field += if field.is_empty() { "" } else { "." };
            field += &part;
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_told_as_people_write_it() {
        assert_eq!(field("/rules/3/retry_policy/max_retries"), "rules[3].retry_policy.max_retries");
        assert_eq!(field("/endpoints/0/headers/a~1b"), "endpoints[0].headers.a/b");
        assert_eq!(field(""), "");
    }

    #[test]
    fn a_complaint_names_file_line_and_field() {
        let tree = Tree::read("rules:\n- name: x\n  condition: a >\n").unwrap();
        let file = Rc::new(ReadFile { path: "config/rules.yaml".into(), tree });
        let place = Place { file, pointer: "/rules/0".into() };
        let told = place.wrong("/condition", "does not compile").to_string();
        assert_eq!(told, "config/rules.yaml:3: rules[0].condition: does not compile");
        assert_eq!(Complaint::of_host("two are named x").to_string(), "two are named x");
    }
}
