//! `cargo xtask examples`: builds the example plugins, one per language.
//!
//! Owns which tools that takes and where they come from. Each example can be
//! built by hand too; its README says how.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use alerts_package::{Manifest, encode, pack};

use crate::command::{cargo, finish, fresh_cargo, has_npm, program, succeeds};
use crate::plugins::{read, write_if_changed};
use crate::toolchain::{Choice, TARGET, Toolchain, install_with_apt, is_root};
use crate::venv::{self, Venv};
use crate::{Outcome, plugins, root, target_dir};

/// Build the example plugins into plugins/examples/dist/*.wasm.
///
/// Tools that are missing are installed where that is possible: npm's and
/// PyPI's for the project alone, Debian's clang for root. A language whose
/// tools cannot be had is passed over, with a line that says what to install.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which Rust builds the Rust example.
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    toolchain: Choice,
    /// Then run them in the real sandbox, and the tutorials of all languages.
    #[arg(long)]
    check: bool,
    /// Only this language.
    #[arg(value_enum)]
    language: Option<Language>,
}

impl Default for Args {
    fn default() -> Self {
        Self { toolchain: Choice::Auto, check: false, language: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    Rust,
    #[value(name = "javascript")]
    JavaScript,
    Python,
    C,
}

/// What a language's own tools made.
enum Built {
    /// A core module, which is made a component here.
    Module(PathBuf),
    Component(PathBuf),
    /// Nothing: the tools are not there. Says what to install.
    Missing(&'static str),
}

const LANGUAGES: [Language; 4] =
    [Language::Rust, Language::C, Language::JavaScript, Language::Python];

pub(crate) fn run(args: &Args) -> Outcome {
    let languages = LANGUAGES.into_iter();
    for language in languages.filter(|one| args.language.is_none_or(|wanted| wanted == *one)) {
        build(language, args.toolchain)?;
    }
    if args.check {
        check()?;
    }
    Ok(())
}

/// Steps each through its answers. Fails for one that was passed over.
fn check() -> Outcome {
    // The tests' other parts hold the built-in ones.
    plugins::run(&plugins::Args::default())?;
    // The tutorials start the program.
    finish(cargo().args(["build", "--package", "alerts-server"]))?;
    let tests = ["test", "--package", "alerts-tests", "--test", "examples"];
    finish(cargo().args(tests).args(["--", "--include-ignored"]))
}

fn build(language: Language, toolchain: Choice) -> Outcome {
    let started = Instant::now();
    let folder = language.folder();
    let manifest_file = folder.join("plugin.toml");
    let manifest = Manifest::from_toml(&String::from_utf8(read(&manifest_file)?)?)
        .map_err(|error| format!("{}: {error}", manifest_file.display()))?;
    let file = root().join("plugins/examples/dist").join(format!("{}.wasm", manifest.id));
    // A build that freezes an interpreter takes seconds and gives other bytes
    // each time, which the sandbox then compiles anew.
    let freezes = matches!(language, Language::JavaScript | Language::Python);
    if freezes && is_newer(&file, &[&folder, &root().join("wit")])? {
        println!("examples: {} is there", shown(&file));
        return Ok(());
    }
    let built = match language {
        Language::Rust => rust(toolchain)?,
        Language::C => c(&folder)?,
        Language::JavaScript => javascript(&folder)?,
        Language::Python => python(&folder)?,
    };
    let plugin = match built {
        Built::Module(module) => encode(&read(&module)?, &manifest)?,
        Built::Component(component) => pack(&read(&component)?, &manifest)?,
        Built::Missing(advice) => {
            println!("examples: {} is passed over: {advice}", shown(&file));
            return Ok(());
        }
    };
    std::fs::create_dir_all(root().join("plugins/examples/dist"))?;
    write_if_changed(&file, &plugin)?;
    println!(
        "examples: {} is {} KB, after {:.1} s",
        shown(&file),
        plugin.len().div_ceil(1000),
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

fn rust(toolchain: Choice) -> Outcome<Built> {
    let toolchain = match Toolchain::find(toolchain) {
        Ok(toolchain) => toolchain,
        Err(error) => {
            println!("examples: {error}");
            return Ok(Built::Missing("it needs the Rust that `cargo xtask plugins` needs"));
        }
    };
    let build_dir = target_dir().join(toolchain.folder());
    finish(
        toolchain
            .cargo_build()
            .args(["--release", "--quiet", "--locked", "--manifest-path", "plugins/Cargo.toml"])
            .args(["--package", "alerts-opsgenie", "--target-dir"])
            .arg(&build_dir),
    )?;
    Ok(Built::Module(build_dir.join(TARGET).join("release/alerts_opsgenie.wasm")))
}

/// The newest first: each name is a program of Debian's.
const CLANGS: [&str; 4] = ["clang-19", "clang-20", "clang-21", "clang"];

fn c(folder: &Path) -> Outcome<Built> {
    // clang looks for `wasm-ld` of its own version.
    const PACKAGES: [&str; 2] = ["clang-19", "lld-19"];
    let installed = || CLANGS.into_iter().find(|clang| can_link(clang));
    let clang = installed().or_else(|| {
        if is_root() && succeeds(program("apt-get").arg("--version")) {
            println!("examples: installing {} with apt-get", PACKAGES.join(", "));
            let _ = install_with_apt(&PACKAGES);
        }
        installed()
    });
    let Some(clang) = clang else {
        return Ok(Built::Missing("install clang and lld (Debian: clang-19 and lld-19)"));
    };
    let bindings = target_dir().join("examples/c");
    finish(
        fresh_cargo("cargo")
            .args(["run", "--quiet", "--locked", "--manifest-path", "plugins/Cargo.toml"])
            .args(["--package", "alerts-c-bindings", "--target-dir"])
            .arg(target_dir().join("guests"))
            .arg("--")
            .arg(&bindings),
    )?;
    let module = bindings.join("ntfy.module.wasm");
    finish(
        program(clang)
            .current_dir(folder)
            .args(C_FLAGS)
            .arg("-I")
            .arg(&bindings)
            .args(["ntfy.c", "date.c", "json.c", "text.c", "libc/libc.c"])
            .args(["target.c", "target_component_type.o"].map(|file| bindings.join(file)))
            .arg("-o")
            .arg(&module),
    )?;
    Ok(Built::Module(module))
}

/// No operating system and no C library; all that the file exports, the
/// bindings mark themselves.
const C_FLAGS: [&str; 10] = [
    "--target=wasm32-unknown-unknown",
    "-std=c17",
    "-ffreestanding",
    "-nostdlib",
    "-isystem",
    "libc",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Wl,--no-entry,--strip-debug",
];

/// Whether this clang knows WebAssembly, and finds a linker for it.
fn can_link(clang: &str) -> bool {
    let empty = target_dir().join("examples/empty.wasm");
    let _ = std::fs::create_dir_all(target_dir().join("examples"));
    succeeds(
        program(clang)
            .args(["--target=wasm32-unknown-unknown", "-nostdlib", "-Wl,--no-entry", "-x", "c"])
            .args(["/dev/null", "-o"])
            .arg(empty),
    )
}

fn javascript(folder: &Path) -> Outcome<Built> {
    if !has_npm() {
        return Ok(Built::Missing("install Node.js 20 or newer, with npm"));
    }
    let installed = folder.join("node_modules/.package-lock.json");
    if !is_newer(&installed, &[&folder.join("package-lock.json")])? {
        println!("examples: npm ci");
        let install = ["ci", "--no-audit", "--no-fund", "--silent"];
        if let Err(error) = finish(program("npm").current_dir(folder).args(install)) {
            println!("examples: {error}");
            return Ok(Built::Missing("npm could not install what package-lock.json names"));
        }
    }
    finish(program("npm").current_dir(folder).args(["run", "--silent", "build"]))?;
    Ok(Built::Component(folder.join("discord.wasm")))
}

fn python(folder: &Path) -> Outcome<Built> {
    let requirements = folder.join("requirements.txt");
    let made_in = target_dir().join("examples/python");
    let Some(venv) = Venv::if_possible("examples", made_in, &requirements) else {
        return Ok(Built::Missing(venv::ADVICE));
    };
    let component = target_dir().join("examples/teams.wasm");
    finish(
        venv.program("componentize-py")
            .current_dir(folder)
            .args(["--quiet", "--wit-path", "../../../wit", "--world", "target"])
            .args(["componentize", "--stub-wasi", "teams", "--output"])
            .arg(&component),
    )?;
    Ok(Built::Component(component))
}

impl Language {
    fn folder(self) -> PathBuf {
        root().join("plugins/examples").join(match self {
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
            Self::Python => "python",
            Self::C => "c",
        })
    }
}

/// Whether `file` is there, and was written after everything in `sources`:
/// files, or folders with what lies directly in them.
fn is_newer(file: &Path, sources: &[&Path]) -> Outcome<bool> {
    let Ok(written) = std::fs::metadata(file).and_then(|metadata| metadata.modified()) else {
        return Ok(false);
    };
    for source in sources {
        if !source.is_dir() {
            if changed(source)? > written {
                return Ok(false);
            }
            continue;
        }
        for entry in std::fs::read_dir(source)? {
            let path = entry?.path();
            // Neither what a build leaves there nor what people read is a source.
            let passed_over = path.extension().is_some_and(|one| one == "wasm" || one == "md");
            if path.is_file() && !passed_over && changed(&path)? > written {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn changed(path: &Path) -> Outcome<SystemTime> {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    Ok(modified.map_err(|error| format!("{}: {error}", path.display()))?)
}

fn shown(file: &Path) -> std::path::Display<'_> {
    file.strip_prefix(root()).unwrap_or(file).display()
}
