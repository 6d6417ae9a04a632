//! Compiled plugins on disk: made once, never trusted blindly.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use alerts_sandbox::{Compiler, LoadError, Sandbox, SandboxConfig, SandboxError};
use tempfile::TempDir;

use crate::bench::config;
use crate::guest::{Language, Target};

fn kept_in(dir: &Path) -> Sandbox {
    Sandbox::new(SandboxConfig { cache_dir: Some(dir.to_owned()), ..config() })
        .expect("the sandbox starts")
}

/// A sandbox that must find what it loads, because it cannot compile.
fn without_compiler(dir: &Path) -> Sandbox {
    let compiler = Compiler::Child { program: "/nonexistent".into(), args: Vec::new() };
    Sandbox::new(SandboxConfig { cache_dir: Some(dir.to_owned()), compiler, ..config() })
        .expect("the sandbox starts")
}

/// The files there, with when they were written.
fn files(dir: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("the folder is there")
        .map(|entry| {
            let path = entry.expect("it is readable").path();
            let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
            (path, modified.expect("the file is there"))
        })
        .collect();
    files.sort();
    files
}

fn folder() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("there is room for a folder");
    let dir = parent.path().join("cache");
    (parent, dir)
}

#[test]
fn a_plugin_is_compiled_once_and_then_taken_from_the_folder() {
    let (_parent, dir) = folder();
    let (adapter, language) = (Target::new().pack(), Language::new().pack());
    let sandbox = kept_in(&dir);
    sandbox.load(&adapter).unwrap();
    let first = files(&dir);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0.extension().unwrap(), "cwasm");
    sandbox.load(&language).unwrap();
    let both = files(&dir);
    assert_eq!(both.len(), 2);

    for sandbox in [sandbox, kept_in(&dir), without_compiler(&dir)] {
        sandbox.load(&adapter).unwrap();
        sandbox.load(&language).unwrap();
    }
    assert_eq!(files(&dir), both, "nothing was written again");
}

#[test]
fn a_file_that_differs_in_its_manifest_alone_is_another_plugin() {
    let (_parent, dir) = folder();
    kept_in(&dir).load(&Target::new().pack()).unwrap();
    let asks = Target::new().manifest("limits.fuel = 1000000").pack();
    let error = without_compiler(&dir).load(&asks).unwrap_err();
    assert!(matches!(error, LoadError::Compiler { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_compiled_again_and_mended() {
    let (_parent, dir) = folder();
    let wasm = Target::new().pack();
    let sandbox = kept_in(&dir);
    sandbox.load(&wasm).unwrap();
    let [(path, _)] = &files(&dir)[..] else { panic!("one file is kept") };
    let whole = fs::read(path).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    for (damage, bytes) in [
        ("emptied", Vec::new()),
        ("a bit of its machine code changed", flipped(whole.len() / 2)),
        ("its first bit changed", flipped(0)),
        ("its seal changed", flipped(whole.len() - 1)),
        ("cut short", whole[..whole.len() / 2].to_vec()),
        ("cut below its seal", whole[..31].to_vec()),
        ("made longer", [&whole[..], b"more"].concat()),
        ("another file altogether", b"\x7fELF".repeat(64)),
    ] {
        fs::write(path, &bytes).unwrap();
        let error = without_compiler(&dir).load(&wasm).unwrap_err();
        assert!(matches!(error, LoadError::Compiler { .. }), "{damage}: {error}");
        sandbox.load(&wasm).unwrap();
        assert_eq!(fs::read(path).unwrap(), whole, "{damage}");
    }
}

#[test]
fn the_folder_is_this_users_alone_also_when_it_was_not_before() {
    let (_parent, dir) = folder();
    let mode = || fs::metadata(&dir).unwrap().permissions().mode() & 0o777;
    let sandbox = kept_in(&dir);
    assert_eq!(mode(), 0o700);
    drop(sandbox);
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
    drop(kept_in(&dir));
    assert_eq!(mode(), 0o700);
}

#[test]
fn a_folder_that_cannot_be_one_stops_the_start_and_says_which() {
    let (parent, _) = folder();
    let file = parent.path().join("file");
    fs::write(&file, b"").unwrap();
    let dir = file.join("cache");
    let config = SandboxConfig { cache_dir: Some(dir.clone()), ..config() };
    let error = Sandbox::new(config).unwrap_err();
    assert!(matches!(&error, SandboxError::CacheDir { path, .. } if *path == dir), "{error}");
    assert!(error.to_string().contains(dir.to_str().unwrap()), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_costs_time_and_nothing_else() {
    let (_parent, dir) = folder();
    let wasm = Target::new().pack();
    let sandbox = kept_in(&dir);
    fs::remove_dir(&dir).unwrap();
    sandbox.load(&wasm).unwrap();
    // And a folder where the file should be.
    fs::create_dir(&dir).unwrap();
    sandbox.load(&wasm).unwrap();
    let [(path, _)] = &files(&dir)[..] else { panic!("one file is kept") };
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
    sandbox.load(&wasm).unwrap();
}

#[test]
fn a_refused_file_is_not_kept_when_its_code_does_not_fit() {
    let (_parent, dir) = folder();
    let sandbox = kept_in(&dir);
    let large = Target::new().memory("(memory (export \"memory\") 65536)").pack();
    assert!(matches!(sandbox.load(&large), Err(LoadError::Resources { .. })));
    let broken = Target::new().with("(func (result i32) (i64.const 0))").pack();
    assert!(matches!(sandbox.load(&broken), Err(LoadError::Compile { .. })));
    assert_eq!(files(&dir), []);
}

#[test]
fn what_else_is_in_the_folder_is_left_alone() {
    let (_parent, dir) = folder();
    let sandbox = kept_in(&dir);
    fs::create_dir(dir.join("photos")).unwrap();
    let letters: Vec<PathBuf> = (0..80).map(|index| dir.join(format!("{index}.txt"))).collect();
    for letter in &letters {
        fs::write(letter, b"dear").unwrap();
    }
    sandbox.load(&Target::new().pack()).unwrap();
    assert!(letters.iter().all(|letter| letter.exists()));
    without_compiler(&dir).load(&Target::new().pack()).unwrap();
}
