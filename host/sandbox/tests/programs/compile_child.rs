//! The program that tests name in `Compiler::Child`. Never shipped: the host's
//! own executable does the same under a subcommand.

use std::process::ExitCode;

fn main() -> ExitCode {
    alerts_sandbox::compile_child_main()
}
