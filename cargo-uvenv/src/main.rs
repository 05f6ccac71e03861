//! `cargo uvenv`.

use std::process::ExitCode;

use cargo_uvenv::Program;

fn main() -> ExitCode {
    cargo_uvenv::run(std::env::args_os(), &Program::this_executable()).into()
}
