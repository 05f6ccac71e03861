//! `cargo uvenv`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_uvenv::run(std::env::args_os())
}
