//! Projects of `plugin new`, built and used from a shell in an empty folder, as
//! an author does; and what this test already has of the tools they need.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a script; answers with what it printed. `alerts` is on its path.
pub(crate) fn run(folder: &Path, script: &str, environment: &[(&str, String)]) -> String {
    let deps = std::env::current_exe().unwrap();
    let built = deps.parent().and_then(Path::parent).unwrap();
    let path = format!("{}:{}", built.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("timeout");
    // What is waited for comes in seconds, or in minutes where much else is
    // built, or never.
    bash.args(["900", "bash", "-euo", "pipefail", "-c", script]).current_dir(folder);
    // What this test was built with is not what a plugin is built with.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_") && name != "CARGO_HOME" || name == "RUSTUP_TOOLCHAIN" {
            bash.env_remove(name.as_ref());
        }
    }
    bash.env("PATH", path)
        // The crates of a template are those of the built-in plugins.
        .env("CARGO_NET_OFFLINE", "true")
        // Both installed by `cargo xtask examples`, as the templates ask for them.
        .env("COMPONENTIZE_PY", root().join("target/examples/python/bin/componentize-py"))
        .env("INSTALLED", root().join("plugins/examples/javascript/node_modules"))
        .envs(environment.iter().map(|(name, value)| (*name, value)));
    let output = bash.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{printed}\n{said}");
    printed
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Where a JavaScript project finds its compiler without a registry.
pub(crate) const LINK_NODE_MODULES: &str = "ln -s \"$INSTALLED\" node_modules\n";

/// Makes a project for a condition language, tests, builds and checks it.
fn condition(language: &str, prepare: &str, test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "exosphere-alerts plugin new my-language --lang {language} --kind condition\n\
         cd my-language\n{prepare}{test}\n./build.sh\n\
         exosphere-alerts plugin check my-language.wasm --source 'status = FAILED'\n\
         exosphere-alerts plugin run my-language.wasm --event event.json --source 'status = FAILED'"
    );
    let printed = run(folder.path(), &script, &[]);
    assert!(printed.contains("11 passed, 0 failed"), "{printed}");
    assert!(printed.lines().any(|line| line == "true"), "{printed}");
}

#[test]
fn a_condition_language_in_rust_builds_and_keeps_every_promise() {
    condition("rust", "", "cargo test");
}

#[test]
fn a_condition_language_in_c_builds_and_keeps_every_promise() {
    condition("c", "mkdir build\n", "cc -Wall -Werror -o build/test test.c && build/test");
}

#[test]
#[ignore = "takes a minute; `cargo xtask examples --check` runs it"]
fn a_condition_language_in_python_builds_and_keeps_every_promise() {
    condition("python", "", "python3 -m unittest");
}

#[test]
#[ignore = "takes a minute; `cargo xtask examples --check` runs it"]
fn a_condition_language_in_javascript_builds_and_keeps_every_promise() {
    condition("javascript", LINK_NODE_MODULES, "npm test");
}

/// One that nothing was linked for: its tools are not there.
#[test]
fn a_build_without_its_tools_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    for (language, variables, advice) in [
        ("c", "CLANG=no-such-clang", "install clang and lld"),
        ("rust", "EXOSPHERE_ALERTS=no-such-program", "set EXOSPHERE_ALERTS to where it is"),
        ("python", "COMPONENTIZE_PY= PYTHON=false", "install Python 3.10 or newer with venv"),
    ] {
        let script = format!(
            "exosphere-alerts plugin new my-{language} --lang {language}\ncd my-{language}\n\
             if {variables} ./build.sh 2>&1; then exit 1; fi"
        );
        let printed = run(folder.path(), &script, &[]);
        assert!(printed.contains(advice), "{language}: {printed}");
    }
}
