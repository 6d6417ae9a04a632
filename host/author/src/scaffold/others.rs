//! Projects in languages that bring a runtime, or none at all.

use alerts_package::Kind;

use super::ProjectFile;

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
        ("build.sh", template!("javascript/build.sh")),
        ("README.md", template!("javascript/README.md")),
    ])
}

pub(super) fn python(kind: Kind) -> Vec<ProjectFile> {
    let mut files = vec![
        ("requirements.txt", template!("python/requirements.txt")),
        ("build.sh", template!("python/build.sh")),
        ("README.md", template!("python/README.md")),
    ];
    match kind {
        Kind::Target => {
            files.push(("app.py", template!("python/target.py")));
            files.push(("message.py", template!("python/message.py")));
            files.push(("test_plugin.py", template!("python/test_target.py")));
        }
        Kind::Condition => {
            files.push(("app.py", template!("python/condition.py")));
            files.push(("language.py", template!("python/language.py")));
            files.push(("condition.py", template!("python/condition_core.py")));
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
