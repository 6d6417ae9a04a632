//! The compiling child process: reads a component from its standard input,
//! writes machine code to its standard output, and may use only so much.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use crate::compiler::{INVALID_PLUGIN, precompile};
use crate::engine::code_config;

/// Three times what the largest known plugin, a Python runtime, takes.
const MAX_CPU_SECONDS: u64 = 60;
/// Cranelift takes some hundred MB for such a file; its threads reserve more
/// address space than they use.
const MAX_ADDRESS_BYTES: u64 = 4 << 30;

/// The whole of the child's work. A program that names itself in
/// [`Compiler::Child`](crate::Compiler::Child) calls this, and nothing before
/// it, when it is started with the arguments given there.
pub fn compile_child_main() -> ExitCode {
    match compile_stdin() {
        Ok(code) => code,
        Err(error) => complain(&format!("could not work: {error}"), ExitCode::FAILURE),
    }
}

fn compile_stdin() -> Result<ExitCode, Box<dyn std::error::Error>> {
    limit(Resource::Cpu, MAX_CPU_SECONDS)?;
    limit(Resource::As, MAX_ADDRESS_BYTES)?;
    // A crash is the file's doing; its memory is of no use to anyone.
    limit(Resource::Core, 0)?;
    let mut wasm = Vec::new();
    io::stdin().lock().read_to_end(&mut wasm)?;
    let engine = Engine::new(&code_config()).map_err(|error| format!("{error:#}"))?;
    match precompile(&engine, &wasm) {
        Ok(compiled) => {
            io::stdout().lock().write_all(&compiled)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(detail) => Ok(complain(&detail, ExitCode::from(INVALID_PLUGIN as u8))),
    }
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    // The host may have been given less, and only root could have more again.
    let most = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    Ok(())
}

fn complain(detail: &str, code: ExitCode) -> ExitCode {
    // The parent may be gone; then there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{detail}");
    code
}
