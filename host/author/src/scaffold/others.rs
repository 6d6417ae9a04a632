//! Projects in languages that bring a runtime, or none at all.

use alerts_package::Kind;

use super::{C_CONDITION_FILES, C_TARGET_FILES, ProjectFile};

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../templates/", $path)).to_owned()
    };
}

fn project(files: Vec<(&str, String)>) -> Vec<ProjectFile> {
    files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect()
}

pub(super) fn javascript(kind: Kind) -> Vec<ProjectFile> {
    let (plugin, test) = match kind {
        Kind::Target => (template!("javascript/target.js"), template!("javascript/target.test.js")),
        Kind::Condition => {
            (template!("javascript/condition.js"), template!("javascript/condition.test.js"))
        }
    };
    project(vec![
        ("plugin.js", plugin),
        ("plugin.test.js", test),
        ("package.json", template!("javascript/package.json")),
        ("package-lock.json", javascript_lock()),
        ("build.sh", template!("javascript/build.sh")),
        ("README.md", template!("javascript/README.md")),
    ])
}

/// The example's: what a template is built with is what the example is built with.
fn javascript_lock() -> String {
    const LOCK: &str = include_str!("../../../../plugins/examples/javascript/package-lock.json");
    LOCK.replace("\"exosphere-alerts-discord\"", "\"{{name}}\"").replacen(
        "\"version\": \"1.0.0\"",
        "\"version\": \"0.1.0\"",
        2,
    )
}

pub(super) fn python(kind: Kind) -> Vec<ProjectFile> {
    let own = match kind {
        Kind::Target => {
            "| `app.py` | the functions that the host calls; all that knows the contract |\n\
             | `message.py` | what is sent; tested anywhere |"
        }
        Kind::Condition => {
            "| `app.py`, `language.py` | what the host calls; all that knows the contract |\n\
             | `condition.py` | the language; tested anywhere |"
        }
    };
    let mut files = vec![
        ("requirements.txt", template!("python/requirements.txt")),
        ("build.sh", template!("python/build.sh")),
        ("README.md", template!("python/README.md").replace("{{files}}", own)),
    ];
    match kind {
        Kind::Target => {
            files.push(("app.py", template!("python/target_app.py")));
            files.push(("message.py", template!("python/message.py")));
            files.push(("test_plugin.py", template!("python/test_target.py")));
        }
        Kind::Condition => {
            files.push(("app.py", template!("python/condition_app.py")));
            files.push(("language.py", template!("python/language.py")));
            files.push(("condition.py", template!("python/condition.py")));
            files.push(("test_plugin.py", template!("python/test_condition.py")));
        }
    }
    project(files)
}

pub(super) fn c(kind: Kind) -> Vec<ProjectFile> {
    let (plugin, logic, test) = match kind {
        Kind::Target => (
            template!("c/target.c"),
            ("text.h", template!("c/text.h")),
            template!("c/test_target.c"),
        ),
        Kind::Condition => (
            template!("c/condition.c"),
            ("text.h", template!("c/text.h")),
            template!("c/test_condition.c"),
        ),
    };
    project(vec![
        ("plugin.c", plugin),
        logic,
        ("test.c", test),
        ("libc/libc.c", template!("c/libc.c")),
        ("libc/stdlib.h", template!("c/stdlib.h")),
        ("libc/string.h", template!("c/string.h")),
        ("build.sh", template!("c/build.sh")),
        ("README.md", template!("c/README.md")),
    ])
}

/// The contract in C: a header, its code, and an object file.
pub(super) fn c_bindings(kind: Kind) -> &'static [(&'static str, &'static [u8])] {
    match kind {
        Kind::Target => C_TARGET_FILES,
        Kind::Condition => C_CONDITION_FILES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_holds_what_the_package_asks_for() {
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let (lock, package) =
            (read(&javascript_lock()), read(&template!("javascript/package.json")));
        let root = &lock["packages"][""];
        assert_eq!(root["devDependencies"], package["devDependencies"]);
        for lock in [&lock, root] {
            assert_eq!((&lock["name"], &lock["version"]), (&package["name"], &package["version"]));
        }
    }
}
