//! The `cargo uvenv` subcommand, as a library, so that other programs (the Python package, the examples) are the same
//! command line.

mod cli;
mod commands;
mod explain;
pub mod new;
mod output;
mod usage;

use std::{ffi::OsString, path::PathBuf};

use clap::Parser;
use uvenv_core::{
    Variables,
    error::{Diagnostic, Fault},
    report::Message,
};

use crate::{
    cli::{Cargo, Color, MessageFormat, Verbosity},
    output::Output,
};

/// The exit statuses of all commands.
pub mod exit_code {
    /// Everything worked.
    pub const SUCCESS: u8 = 0;
    /// A check found something, or a program such as uv failed.
    pub const FAILURE: u8 = 1;
    /// The request or a file is wrong.
    pub const USAGE: u8 = 2;
}

/// What runs this command line.
#[derive(Clone, Debug)]
pub struct Program {
    /// The words with which it is started again, before its arguments.
    pub launcher: Vec<OsString>,
    /// A uv that was installed together with it.
    pub companion_uv: Option<PathBuf>,
}

impl Program {
    /// The executable of this process.
    pub fn this_executable() -> Self {
        let executable = std::env::current_exe().map_or_else(|_| "cargo-uvenv".into(), PathBuf::into_os_string);
        Self { launcher: vec![executable], companion_uv: None }
    }
}

/// Runs the command line `args`, the program's name first, and says with which status to exit. Both
/// `cargo-uvenv uvenv sync`, as cargo calls it, and `cargo-uvenv sync` are understood.
///
/// `run` on Unix becomes the command that it runs, and then does not return.
pub fn run(args: impl IntoIterator<Item = OsString>, program: &Program) -> u8 {
    let variables = Variables::from_process();
    // For what clap has to say.
    Color::of(&variables).set_for_this_process();
    let args = with_subcommand(args);
    let Cargo::Uvenv(cli) = match Cargo::try_parse_from(&args) {
        Ok(cargo) => cargo,
        Err(error) => return refuse(&error, &args),
    };
    cli.global.color(&variables).set_for_this_process();
    let mut output = Output::new(cli.global.message_format, cli.global.verbosity(&variables));
    match commands::run(cli, &variables, program, &mut output) {
        Ok(code) => code,
        Err(error) => {
            output.error(error.as_ref());
            status_of(error.as_ref())
        }
    }
}

/// The tables and sentences that the command line prints as the outcome that `message` is; empty where it prints none.
pub fn text(message: &Message) -> String {
    output::text(message).unwrap_or_default()
}

/// Prints what clap has to say of a command line that it does not take, or help and version, which are no errors.
fn refuse(error: &clap::Error, args: &[OsString]) -> u8 {
    let status = if error.use_stderr() { exit_code::USAGE } else { exit_code::SUCCESS };
    if error.use_stderr() && wants_json(args) {
        Output::new(MessageFormat::Json, Verbosity::Normal).error(&usage::UsageError::from(error));
    } else if error.print().is_err() {
        return exit_code::FAILURE;
    }
    status
}

/// Whether a command line that could not be parsed asks for JSON.
fn wants_json(args: &[OsString]) -> bool {
    let args = || args.iter().take_while(|arg| *arg != "--");
    let in_two = args().zip(args().skip(1)).any(|(flag, value)| flag == "--message-format" && value == "json");
    in_two || args().any(|arg| arg == "--message-format=json")
}

/// `args` with the subcommand's name behind the program's, where cargo has not put it there.
fn with_subcommand(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.into_iter().collect();
    if args.is_empty() {
        args.push("cargo-uvenv".into());
    }
    if args.get(1).is_none_or(|first| first != "uvenv") {
        args.insert(1, "uvenv".into());
    }
    args
}

/// Any failure of a command: the core's errors and those of `new`.
type Failure = Box<dyn Diagnostic>;

/// The exit status of what ends with `error`.
fn status_of(error: &dyn Diagnostic) -> u8 {
    match error.fault() {
        Fault::Finding => exit_code::FAILURE,
        Fault::Request => exit_code::USAGE,
    }
}

fn failure(error: impl Into<uvenv_core::Error>) -> Failure {
    Box::new(error.into())
}

impl MessageFormat {
    fn is_json(self) -> bool {
        self == Self::Json
    }
}
