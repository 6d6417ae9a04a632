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
        .env("NODE_MODULES", root().join("plugins/examples/javascript/node_modules"))
        // Fat LTO is for what is shipped; here it is minutes.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("TARGET", shared_target())
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

/// What projects in Rust have compiled, kept from one to the next.
fn shared_target() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects");
    std::fs::create_dir_all(&target).unwrap();
    target
}

/// Where a JavaScript project finds its compiler without a registry.
pub(crate) const LINK_NODE_MODULES: &str = "ln -s \"$NODE_MODULES\" node_modules\n";

/// Where a project in Rust finds what another one has compiled.
pub(crate) const LINK_TARGET: &str = "ln -s \"$TARGET\" target\n";

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
    condition("rust", LINK_TARGET, "cargo test");
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

/// Checks examples as an author checks a plugin.
fn examples_keep_every_promise(ids: &[&str]) {
    for id in ids {
        let file = root().join(format!("plugins/examples/dist/{id}.wasm"));
        let script = format!("exosphere-alerts plugin check '{}'", file.display());
        let printed = run(&root(), &script, &[]);
        assert!(printed.contains(" passed, 0 failed"), "{printed}");
    }
}

#[test]
fn the_examples_in_rust_and_c_keep_every_promise() {
    examples_keep_every_promise(&["opsgenie", "ntfy"]);
}

#[test]
#[ignore = "takes a minute; `cargo xtask examples --check` runs it"]
fn the_examples_in_javascript_and_python_keep_every_promise() {
    examples_keep_every_promise(&["discord", "teams"]);
}

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
