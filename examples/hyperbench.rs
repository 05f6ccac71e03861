//! Sets the example up from its own packages and takes it to a synced prod environment: the README's first command.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use cargo_uvenv::{
    Program,
    new::{Packages, Request, lay_out},
};
use uvenv_core::Variables;

/// The commands, as one types them after `cargo`. All name the backend, so that no variable of the user's decides it.
const STEPS: [&[&str]; 3] = [
    &["uvenv", "lock", "--all-profiles"],
    &["uvenv", "sync", "--profile", "prod", "--backend", "cu124"],
    &["uvenv", "run", "--profile", "prod", "--backend", "cu124", "--", "hyperbench-report"],
];

fn main() -> ExitCode {
    match set_up() {
        Ok(()) => STEPS.into_iter().map(step).find(|code| *code != ExitCode::SUCCESS).unwrap_or_default(),
        Err(problem) => {
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(io::stderr(), "{problem}");
            ExitCode::from(2)
        }
    }
}

/// Lays the example out anew, in cargo's target directory, and goes there.
fn set_up() -> Result<(), String> {
    let root = root().map_err(|error| format!("error: no directory for the example: {error}"))?;
    let remotes = root.with_file_name("hyperbench-remotes");
    for old in [&root, &remotes] {
        remove(old).map_err(|error| format!("error: `{}`: {error}", old.display()))?;
    }
    let path = root.to_str().ok_or_else(|| format!("error: `{}` is not Unicode", root.display()))?;
    let request = Request { path: path.into(), packages: Packages::All, local_remotes: true };
    let report = lay_out(&request, &Variables::from_process()).map_err(|error| {
        let help = error.help().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        format!("error[{}]: {error}{help}", error.code())
    })?;
    say(&format!("Made {}, and beside it the git remotes of:", report.path));
    for remote in &report.remotes {
        let tags: Vec<_> = remote.tags.iter().map(|tag| tag.name.as_str()).collect();
        say(&format!("  {} ({})", remote.package, tags.join(", ")));
    }
    say(&format!("\n$ cd {path}"));
    env::set_current_dir(&root).map_err(|error| format!("error: `{path}`: {error}"))
}

/// `target/hyperbench`, where this program is `target/debug/hyperbench`.
fn root() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or(io::ErrorKind::NotFound)?;
    Ok(target.join("hyperbench"))
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Runs `cargo` with `arguments`, as far as it is the `cargo uvenv` of this build.
fn step(arguments: &[&str]) -> ExitCode {
    say(&format!("\n$ cargo {}", arguments.join(" ")));
    let program = ["cargo-uvenv"].iter().chain(arguments);
    cargo_uvenv::run(program.map(|argument| (*argument).into()), &Program::this_executable()).into()
}

fn say(line: &str) {
    // A closed stdout is no reason to stop: the commands are what matters.
    let _ = writeln!(io::stdout(), "{line}");
}
