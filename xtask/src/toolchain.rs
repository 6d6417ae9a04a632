//! Finds a Rust that can build guests: the installed one, one that rustup can
//! complete, or Debian's, which builds the standard library from its source.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use crate::Outcome;
use crate::command::{finish, fresh_cargo, output, program, succeeds};

/// What guests are compiled to: no operating system, so nothing to import.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Which Rust builds the guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    /// The first that works.
    Auto,
    /// The default toolchain, with the target installed.
    Rustup,
    /// Debian's rustc-web, cargo-web, rust-web-src and lld-19.
    Debian,
}

/// A Rust that can build guests.
pub(crate) enum Toolchain {
    /// Has the target's standard library.
    Installed,
    /// Builds the standard library too, with the linker at this path.
    Debian { linker: PathBuf },
}

/// Debian's toolchain: its compiler, its cargo, the standard library's source, a linker.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

const NONE_FOUND: &str = "no Rust that can build the plugins. Do one of these:
  - `rustup target add wasm32-unknown-unknown`
  - on Debian, as root: `apt-get install rustc-web cargo-web rust-web-src lld-19`";

impl Toolchain {
    /// The first that works, installing what is missing where that is possible.
    pub(crate) fn find(choice: Choice) -> Outcome<Self> {
        if choice != Choice::Debian {
            if target_is_installed() {
                return Ok(Self::Installed);
            }
            println!("plugins: adding the target {TARGET} with rustup");
            if succeeds(fresh_program("rustup").args(["target", "add", TARGET]))
                && target_is_installed()
            {
                return Ok(Self::Installed);
            }
        }
        if choice != Choice::Rustup {
            if let Some(toolchain) = debian() {
                return Ok(toolchain);
            }
            install_debian_packages();
            if let Some(toolchain) = debian() {
                return Ok(toolchain);
            }
        }
        Err(NONE_FOUND.into())
    }

    /// A `cargo build` for [`TARGET`]; packages and folders are the caller's to add.
    pub(crate) fn cargo_build(&self) -> Command {
        match self {
            Self::Installed => {
                let mut cargo = fresh_cargo("cargo");
                cargo.args(["build", "--target", TARGET]);
                cargo
            }
            Self::Debian { linker } => {
                let mut cargo = fresh_cargo(DEBIAN_CARGO);
                cargo
                    // rustup's proxies, if any, come after Debian's own programs.
                    .env("PATH", debian_path())
                    .env("RUSTC", DEBIAN_RUSTC)
                    // Debian ships no standard library for the target, and building
                    // one is an unstable flag of a stable compiler.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .args(["build", "--target", TARGET, "-Z", "build-std=std,panic_abort"]);
                cargo
            }
        }
    }

    /// Keeps the builds of different compilers apart.
    pub(crate) fn folder(&self) -> &'static str {
        match self {
            Self::Installed => "guests",
            Self::Debian { .. } => "guests-debian",
        }
    }
}

fn target_is_installed() -> bool {
    let libraries =
        output(fresh_program("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    libraries.is_some_and(|dir| {
        let entries = std::fs::read_dir(dir.trim());
        entries.is_ok_and(|mut entries| {
            entries.any(|entry| {
                entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
            })
        })
    })
}

fn fresh_program(name: &str) -> Command {
    fresh_cargo(name)
}

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Debian's toolchain, if all of it is there.
fn debian() -> Option<Toolchain> {
    let linker = ["/usr/bin/wasm-ld-19", "/usr/bin/wasm-ld"].map(Path::new);
    let linker = linker.into_iter().find(|path| path.exists())?;
    let sysroot = output(fresh_program(DEBIAN_RUSTC).args(["--print", "sysroot"]))?;
    let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    (Path::new(DEBIAN_CARGO).exists() && source.exists())
        .then(|| Toolchain::Debian { linker: linker.to_owned() })
}

fn debian_path() -> String {
    let inherited = std::env::var("PATH").unwrap_or_default();
    format!("/usr/bin:/bin:{inherited}")
}

/// Tries; whether it worked is seen by looking again.
fn install_debian_packages() {
    if !is_root() || !succeeds(program("apt-get").arg("--version")) {
        return;
    }
    println!("plugins: installing {} with apt-get", DEBIAN_PACKAGES.join(", "));
    let _ = install_with_apt(&DEBIAN_PACKAGES);
}

/// Installs Debian packages; only for root.
pub(crate) fn install_with_apt(packages: &[&str]) -> Outcome {
    finish(program("apt-get").args(["update", "-qq"]))?;
    finish(
        program("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "--yes", "--no-install-recommends", "-qq"])
            .args(packages),
    )
}

/// Whether this process may install packages.
pub(crate) fn is_root() -> bool {
    output(program("id").arg("-u")).is_some_and(|uid| uid.trim() == "0")
}
