//! The `cargo uvenv` subcommand as a library, so that other programs (the Python package, the examples) can provide the
//! same command line.

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
    /// A check has findings, or a program such as uv failed.
    pub const FAILURE: u8 = 1;
    /// The request or a file is wrong.
    pub const USAGE: u8 = 2;
}

/// The program that runs this command line.
#[derive(Clone, Debug)]
pub struct Program {
    /// The command that starts the program again, without its arguments.
    pub launcher: Vec<OsString>,
    /// A uv that was installed together with the program.
    pub companion_uv: Option<PathBuf>,
}

impl Program {
    /// Returns the executable of this process.
    pub fn this_executable() -> Self {
        let executable = std::env::current_exe().map_or_else(|_| "cargo-uvenv".into(), PathBuf::into_os_string);
        Self { launcher: vec![executable], companion_uv: None }
    }
}

/// Runs the command line `args`, whose first element is the program's name, and returns the exit status. Accepts both
/// `cargo-uvenv uvenv sync`, as called by cargo, and `cargo-uvenv sync`.
///
/// On Unix, `run` replaces this process with its command and does not return.
pub fn run(args: impl IntoIterator<Item = OsString>, program: &Program) -> u8 {
    let variables = Variables::from_process();
    // For the messages of clap.
    Color::of(&variables).set_for_this_process();
    let args = with_subcommand(args);
    let Cargo::Uvenv(cli) = match Cargo::try_parse_from(&args) {
        Ok(cargo) => cargo,
        Err(error) => return refuse(&error, &args),
    };
    cli.global.color(&variables).set_for_this_process();
    let mut output = Output::new(cli.global.message_format, cli.global.verbosity(&variables));
    let status = match commands::run(cli, &variables, program, &mut output) {
        Ok(code) => code,
        Err(error) => {
            output.error(&*error);
            status_of(&*error)
        }
    };
    match output::report_failure() {
        Some(error) => status.max(status_of(&error)),
        None => status,
    }
}

/// Runs a command line that another one has led to.
fn run_within(arguments: Vec<OsString>, program: &Program) -> u8 {
    run(["cargo-uvenv".into()].into_iter().chain(arguments), program)
}

/// Returns the tables and sentences that the command line prints for the result `message`; empty if it prints none.
pub fn text(message: &Message) -> String {
    output::text(message).unwrap_or_default()
}

/// Prints clap's message about an invalid command line, or the help or version, which are not errors.
fn refuse(error: &clap::Error, args: &[OsString]) -> u8 {
    let status = if error.use_stderr() { exit_code::USAGE } else { exit_code::SUCCESS };
    if error.use_stderr() && wants_json(args) {
        Output::new(MessageFormat::Json, Verbosity::Normal).error(&usage::UsageError::from(error));
    } else if error.print().is_err() {
        return exit_code::FAILURE;
    }
    status
}

/// Whether an invalid command line requests JSON.
fn wants_json(args: &[OsString]) -> bool {
    let args = || args.iter().take_while(|arg| *arg != "--");
    let in_two = args().zip(args().skip(1)).any(|(flag, value)| flag == "--message-format" && value == "json");
    in_two || args().any(|arg| arg == "--message-format=json")
}

/// Returns `args` with the name of the subcommand after the name of the program, if cargo has not added it.
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

/// Returns the exit status of a command that fails with `error`.
fn status_of(error: &dyn Diagnostic) -> u8 {
    match error.fault() {
        Fault::Finding => exit_code::FAILURE,
        Fault::Request => exit_code::USAGE,
    }
}

impl MessageFormat {
    fn is_json(self) -> bool {
        self == Self::Json
    }
}
