//! From a component to machine code, in this process or in a child.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

use crate::config::Compiler;

/// A Python runtime takes 20 CPU-seconds; the child's own limit on CPU time
/// ends it earlier than this unless it hangs.
const CHILD_DEADLINE: Duration = Duration::from_secs(120);
/// Machine code is five to ten times its WebAssembly.
const MAX_COMPILED_BYTES: u64 = 512 << 20;
/// An explanation that is longer does not help.
const MAX_STDERR_BYTES: u64 = 4 << 10;
/// How a child says that the plugin is at fault, and not the host: it ends with this.
pub(crate) const INVALID_PLUGIN: i32 = 3;

/// Why there is no machine code.
pub(crate) enum Uncompiled {
    /// The plugin is at fault, in the compiler's words.
    Invalid(String),
    /// The compiling process did not come through.
    Process(String),
}

/// Compiles a component. `engine` must have the configuration of the child's.
pub(crate) fn compile(
    compiler: &Compiler,
    engine: &Engine,
    wasm: &[u8],
) -> Result<Vec<u8>, Uncompiled> {
    match compiler {
        Compiler::InProcess => precompile(engine, wasm).map_err(Uncompiled::Invalid),
        Compiler::Child { program, args } => {
            let mut command = Command::new(program);
            // The host's environment holds its keys and its database's password.
            command.args(args).env_clear();
            in_child(command, wasm)
        }
    }
}

/// Compiles here and now. Refuses the text form, which `precompile_component`
/// would take when some other crate turns wasmtime's `wat` feature on.
pub(crate) fn precompile(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>, String> {
    if !wasm.starts_with(b"\0asm") {
        return Err("it is not a WebAssembly binary".to_owned());
    }
    engine.precompile_component(wasm).map_err(|error| format!("{error:#}"))
}

fn in_child(mut command: Command, wasm: &[u8]) -> Result<Vec<u8>, Uncompiled> {
    let failed =
        |what: &str, error: std::io::Error| Uncompiled::Process(format!("{what}: {error}"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed("did not start", error))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        // A child that died early says why in its exit; a broken pipe adds nothing.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(wasm)));
        let complaint = scope.spawn(move || {
            let mut text = Vec::new();
            // What came before an error is still worth showing.
            let _ = stderr.map(|pipe| pipe.take(MAX_STDERR_BYTES).read_to_end(&mut text));
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        let (done, reader_done) = mpsc::channel();
        let compiled = scope.spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.map(|pipe| pipe.take(MAX_COMPILED_BYTES + 1).read_to_end(&mut bytes));
            // Nobody listens any more when the child was killed.
            let _ = done.send(());
            read.transpose().map(|_| bytes)
        });
        let in_time = reader_done.recv_timeout(CHILD_DEADLINE).is_ok();
        // Ends whatever is still there; a child that has finished is not touched.
        if !in_time {
            child.kill().map_err(|error| failed("could not be stopped", error))?;
        }
        let bytes = compiled.join().map_err(|_| Uncompiled::Process("was not read".to_owned()))?;
        let bytes = bytes.map_err(|error| failed("was not read", error))?;
        if bytes.len() as u64 > MAX_COMPILED_BYTES {
            child.kill().map_err(|error| failed("could not be stopped", error))?;
        }
        let status = child.wait().map_err(|error| failed("could not be waited for", error))?;
        let complaint = complaint.join().unwrap_or_default();
        match status.code() {
            _ if !in_time => Err(Uncompiled::Process(format!("took over {CHILD_DEADLINE:?}"))),
            Some(0) => Ok(bytes),
            Some(INVALID_PLUGIN) => Err(Uncompiled::Invalid(complaint)),
            _ => Err(Uncompiled::Process(format!("ended with {status} {complaint}"))),
        }
    })
}
