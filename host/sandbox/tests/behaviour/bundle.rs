//! Compiled plugins that travel in the program: used where they fit, and never when
//! they are not exactly what was put there.

use std::fs;
use std::path::{Path, PathBuf};

use alerts_sandbox::{Compiler, LoadError, Sandbox, SandboxConfig, bundle};
use tempfile::TempDir;

use crate::bench::config;
use crate::guest::{Language, Target};

/// What stands for a program: its first bytes do not matter.
const PROGRAM: &[u8] = b"a program";

struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        fs::write(folder.path().join("plain"), PROGRAM).expect("it is written");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program with these plugins in it.
    fn program_with(&self, plugins: &[&[u8]]) -> PathBuf {
        let program = self.path("program");
        bundle(&self.path("plain"), &program, plugins).expect("it is bundled");
        program
    }

    /// A first start that cannot compile.
    fn start(&self, program: &Path) -> Sandbox {
        let compiler = Compiler::Child { program: "/nonexistent".into(), args: Vec::new() };
        let (cache_dir, program) = (Some(self.path("cache")), Some(program.to_owned()));
        Sandbox::new(SandboxConfig { cache_dir, program, compiler, ..config() })
            .expect("the sandbox starts")
    }
}

fn must_be_compiled(sandbox: &Sandbox, wasm: &[u8]) {
    let refused = sandbox.load(wasm).expect_err("there is nothing compiled, and no compiler");
    assert!(matches!(refused, LoadError::Compiler { .. }), "{refused}");
}

#[test]
fn what_travels_in_the_program_is_not_compiled_at_a_first_start() {
    let machine = Machine::new();
    let (adapter, language) = (Target::new().pack(), Language::new().pack());
    let program = machine.program_with(&[&adapter, &language]);
    let sandbox = machine.start(&program);
    sandbox.load(&adapter).unwrap();
    sandbox.load(&language).unwrap();
    // Another file of the same plugin is another plugin.
    must_be_compiled(&sandbox, &Target::new().with("(func)").pack());
}

#[test]
fn a_program_that_nothing_travels_in_starts() {
    let machine = Machine::new();
    let adapter = Target::new().pack();
    must_be_compiled(&machine.start(&machine.path("plain")), &adapter);
    must_be_compiled(&machine.start(&machine.path("absent")), &adapter);
}

#[test]
fn what_is_not_exactly_what_was_put_there_is_not_used() {
    let adapter = Target::new().pack();
    let whole = fs::read(Machine::new().program_with(&[&adapter])).unwrap();
    let mark = whole.len() - 16;
    // In the code, in the index, in its length, and a length that is too long.
    for at in [PROGRAM.len() + 5000, mark - 30, mark - 8, mark - 6] {
        let machine = Machine::new();
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(machine.path("program"), &bytes).unwrap();
        let sandbox = machine.start(&machine.path("program"));
        must_be_compiled(&sandbox, &adapter);
    }
}

#[test]
fn bundling_anew_replaces_what_travelled_before() {
    let machine = Machine::new();
    let (adapter, language) = (Target::new().pack(), Language::new().pack());
    let program = machine.program_with(&[&adapter, &language]);
    bundle(&program, &program, &[&language]).unwrap();
    let once = machine.path("once");
    bundle(&machine.path("plain"), &once, &[&language]).unwrap();
    assert!(fs::read(&program).unwrap() == fs::read(&once).unwrap());
    assert!(fs::read(&once).unwrap().starts_with(PROGRAM));
    let sandbox = machine.start(&program);
    sandbox.load(&language).unwrap();
    must_be_compiled(&sandbox, &adapter);
}
