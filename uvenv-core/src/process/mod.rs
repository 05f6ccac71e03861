//! Starts other programs, never through a shell, and keeps their output off uvenv's own stdout.

#[cfg(feature = "full")]
mod follow;
#[cfg(feature = "full")]
mod screen;
#[cfg(feature = "full")]
#[cfg_attr(not(unix), path = "no_terminal.rs")]
mod terminal;
#[cfg(feature = "full")]
mod time_limit;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
};

use camino::Utf8PathBuf;

#[cfg(feature = "full")]
pub(crate) use screen::Follower;
#[cfg(all(test, feature = "full"))]
pub(crate) use screen::Screen;

use crate::model::{Observer, Progress, Variables, redact};

/// A program to run, with its arguments and its environment. This is a plain value: creating one starts nothing.
///
/// `Display` shows the command as the user would type it, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    program: OsString,
    arguments: Vec<OsString>,
    variables: BTreeMap<OsString, Option<OsString>>,
    /// The environment to which `variables` are applied, if it is not that of this process.
    seen: Option<BTreeMap<String, OsString>>,
    directory: Option<PathBuf>,
    /// A locked file that the program keeps open, as its stdin, of which it can read nothing.
    held: Option<HeldFile>,
}

/// A file that a program keeps open.
#[derive(Clone, Debug)]
struct HeldFile(Arc<File>);

impl PartialEq for HeldFile {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for HeldFile {}

/// What happens to the child's stderr in [`Invocation::stream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stderr {
    /// The child inherits stderr, so that its progress bars appear on a terminal. Nothing is captured.
    Inherit,
    /// Copied to stderr line by line, without secrets, and captured.
    Tee,
    /// Captured only.
    Capture,
    /// Passed to an observer, and captured.
    Follow,
    /// Like `Follow`, but the observer shows it to the user.
    Relay,
}

/// The exit status and the output of a finished program.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) status: ExitStatus,
    /// The unmodified stdout. It is parsed, not shown.
    pub(crate) stdout: String,
    /// Without secrets.
    pub(crate) stderr: String,
}

impl Captured {
    /// Returns what a program that failed says, without secrets: on stderr or, if there is nothing, on stdout.
    #[cfg(feature = "vendored")]
    pub(crate) fn words(&self) -> std::borrow::Cow<'_, str> {
        if self.stderr.trim().is_empty() { redact(&self.stdout) } else { self.stderr.as_str().into() }
    }
}

/// The exit status of a program whose output was streamed.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) status: ExitStatus,
    /// Without secrets; empty for [`Stderr::Inherit`].
    pub(crate) stderr: String,
    /// Whether the program was followed and then interrupted.
    pub(crate) interrupted: bool,
}

impl Invocation {
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            variables: BTreeMap::new(),
            seen: None,
            directory: None,
            held: None,
        }
    }

    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), Some(value.into()));
        self
    }

    /// Runs the program with `variables` as its environment, if they were given by a caller.
    pub(crate) fn seeing(mut self, variables: &Variables) -> Self {
        self.seen = variables.complete().cloned();
        self
    }

    pub(crate) fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), None);
        self
    }

    pub(crate) fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Keeps `file`, and so a lock on it, open for as long as the program runs, even if this process is killed.
    pub(crate) fn holding(mut self, file: Arc<File>) -> Self {
        self.held = Some(HeldFile(file));
        self
    }

    /// Lets the files that the program makes be readable by all, and writable by their owner only, whatever the user's own
    /// setting is. Arguments can still be added.
    #[cfg(feature = "full")]
    pub(crate) fn with_usual_umask(self) -> Self {
        if cfg!(windows) {
            return self;
        }
        let words = ["-c", "umask 022; exec \"$@\"", "sh"].map(OsString::from).into_iter().chain([self.program]);
        Self { program: "/bin/sh".into(), arguments: words.chain(self.arguments).collect(), ..self }
    }

    /// Returns an empty stdin.
    fn stdin(&self) -> Stdio {
        let held = self.held.as_ref().and_then(|HeldFile(file)| file.try_clone().ok());
        held.map_or_else(Stdio::null, Stdio::from)
    }

    /// Returns the program and its arguments.
    pub(crate) fn words(&self) -> impl Iterator<Item = &OsStr> {
        std::iter::once(&self.program).chain(&self.arguments).map(OsString::as_os_str)
    }

    /// Runs the program with an empty stdin and captures its output.
    pub(crate) fn capture(&self) -> io::Result<Captured> {
        let output = self.command().stdin(self.stdin()).output()?;
        Ok(Captured {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: redact(&String::from_utf8_lossy(&output.stderr)).into_owned(),
        })
    }

    /// Runs the program with its stdout redirected to this process's stderr, so that stdout contains only uvenv's own
    /// messages.
    pub(crate) fn stream(&self, stderr: Stderr) -> io::Result<Streamed> {
        let mut child = self
            .command()
            .stdin(self.stdin())
            .stdout(io::stderr())
            .stderr(match stderr {
                Stderr::Inherit => Stdio::inherit(),
                Stderr::Tee | Stderr::Capture | Stderr::Follow | Stderr::Relay => Stdio::piped(),
            })
            .spawn()?;
        let captured = match child.stderr.take() {
            Some(pipe) => collect(pipe, stderr == Stderr::Tee),
            None => Ok(String::new()),
        };
        // Wait for the child even if its output could not be read, so that no zombie process is left.
        let status = child.wait()?;
        Ok(Streamed { status, stderr: captured?, interrupted: false })
    }

    /// Runs the program with an empty stdin and inherited stdout and stderr, for output that is meant for someone else.
    pub(crate) fn status(&self) -> io::Result<ExitStatus> {
        self.command().stdin(Stdio::null()).status()
    }

    /// Replaces this process with the program, which keeps the terminal, the signals and the parent process. Returns
    /// only if the program could not be started.
    #[cfg(unix)]
    pub(crate) fn exec(&self) -> io::Result<i32> {
        use std::os::unix::process::CommandExt;

        Err(self.command().exec())
    }

    /// Runs the program on the terminal and returns the exit status for this process.
    ///
    /// Windows cannot replace a process. Ctrl-C reaches both processes, and ignoring it here would require unsafe code.
    /// So the shell's prompt can return a moment before the program has ended.
    #[cfg(not(unix))]
    pub(crate) fn exec(&self) -> io::Result<i32> {
        self.command().status().map(exit_code)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that makes a process")]
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if let Some(seen) = &self.seen {
            command.env_clear().envs(seen);
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote(&self.program))?;
        for argument in &self.arguments {
            write!(f, " {}", quote(argument))?;
        }
        Ok(())
    }
}

/// Returns the programs named `name` on `PATH`, in order.
///
/// Skips empty and relative entries of `PATH`, which would make the program depend on the current directory. Also skips
/// entries that are not Unicode, because no message could name them.
pub(crate) fn on_path(variables: &Variables, name: &str) -> impl Iterator<Item = Utf8PathBuf> {
    // Variable names are not case-sensitive on Windows, where this one is usually spelled `Path`.
    let path = variables.get_os("PATH").or_else(|| variables.get_os("Path")).unwrap_or_default();
    let names = if cfg!(windows) { names_on_windows(name, variables.get("PATHEXT")) } else { vec![name.to_owned()] };
    let directories: Vec<_> = std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .filter_map(|directory| Utf8PathBuf::from_path_buf(directory).ok())
        .collect();
    directories
        .into_iter()
        .flat_map(move |directory| names.iter().map(|name| directory.join(name)).collect::<Vec<_>>())
        .filter(|path| is_program(path.as_std_path()))
}

/// Returns the file names that `name` can refer to on Windows.
fn names_on_windows(name: &str, extensions: Option<&str>) -> Vec<String> {
    extensions
        .unwrap_or(".COM;.EXE;.BAT;.CMD")
        .split(';')
        .filter(|extension| extension.len() > 1 && extension.starts_with('.'))
        .map(|extension| format!("{name}{}", extension.to_ascii_lowercase()))
        .collect()
}

/// Whether `path` is an executable file.
pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && may_run(&metadata))
}

#[cfg(unix)]
fn may_run(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn may_run(_: &std::fs::Metadata) -> bool {
    true
}

/// Returns the exit status that a shell would report: that of the program, or 128 plus the number of the signal that
/// killed it.
#[cfg(any(not(unix), test))]
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| signal(status).map(|signal| 128 + signal)).unwrap_or(1)
}

/// Describes how the program ended, to follow its name: `failed with exit status 2`.
pub(crate) fn ending(status: ExitStatus) -> String {
    match (status.code(), signal(status)) {
        (Some(0), _) => "succeeded".to_owned(),
        (Some(code), _) => format!("failed with exit status {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended without an exit status".to_owned(),
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// Prints a line for the user to stderr. It is not an error if nobody reads it.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", redact(line));
}

/// The observer for a user at a terminal. uv itself shows its progress there, and Ctrl-C ends this process.
pub(crate) struct Terminal {
    /// Whether to print nothing.
    pub(crate) quiet: bool,
}

impl Observer for Terminal {
    fn progress(&self, _: &Progress) {}

    fn say(&self, line: &str) {
        if !self.quiet {
            say(line);
        }
    }

    fn wants_stop(&self) -> bool {
        false
    }
}

/// Reads the child's stderr to the end, line by line, so that no URL is split before it is masked.
fn collect(pipe: impl Read, show: bool) -> io::Result<String> {
    let mut reader = BufReader::new(pipe);
    let mut text = String::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let shown = redact(&String::from_utf8_lossy(&line)).into_owned();
        if show {
            // Keep reading the child's stderr even if nobody reads ours. Otherwise the child would block.
            let _ = io::stderr().write_all(shown.as_bytes());
        }
        text.push_str(&shown);
        line.clear();
    }
    Ok(text)
}

/// Returns `argument` as the user would type it in the platform's shell, without secrets.
fn quote(argument: &OsStr) -> String {
    let lossy = argument.to_string_lossy();
    let text = redact(&lossy);
    if !cfg!(windows) {
        return quoted(&text);
    }
    let plain = |character| is_plain(character) && character != '%' || character == '\\';
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// Returns `text` as one word of a POSIX shell, with quotes only where they are necessary.
pub(crate) fn quoted(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_./:@%+=,".contains(character)
}

/// Returns what a program printed as the rest of a message: on lines of its own, if there is anything.
pub(crate) fn on_new_lines(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() { String::new() } else { format!("\n{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn displays_a_command_with_shell_quoting() {
        let invocation = Invocation::new("/opt/my tools/uv").args([
            "sync",
            "--index=https://u:it's@host/simple",
            "",
            "$(rm -rf /)",
            "it's",
            "a=b",
        ]);
        assert_eq!(
            invocation.to_string(),
            r"'/opt/my tools/uv' sync '--index=https://****@host/simple' '' '$(rm -rf /)' 'it'\''s' a=b"
        );
    }

    #[test]
    fn tries_program_extensions_on_windows() {
        assert_eq!(names_on_windows("uv", None), ["uv.com", "uv.exe", "uv.bat", "uv.cmd"]);
        assert_eq!(names_on_windows("uv", Some(".EXE;;PY;.")), ["uv.exe"]);
    }

    #[cfg(unix)]
    mod running {
        use super::*;

        fn shell(script: &str) -> Invocation {
            Invocation::new("/bin/sh").args(["-c", script])
        }

        #[test]
        fn captures_both_streams_and_masks_stderr() {
            let captured = shell("echo out https://u:p@h; echo err https://u:p@h >&2; cat; exit 3").capture().unwrap();
            assert_eq!(exit_code(captured.status), 3);
            assert_eq!(captured.stdout, "out https://u:p@h\n");
            assert_eq!(captured.stderr, "err https://****@h\n");
        }

        #[test]
        fn program_sees_only_the_given_variables() {
            let ask =
                || shell(r#"printf '%s|' "${CARGO_PKG_NAME-unset}" "${GIVEN-unset}" "${MORE-unset}""#).env("MORE", "2");
            let ours = ask().seeing(&Variables::from_process()).capture().unwrap();
            assert_eq!(ours.stdout, "uvenv-core|unset|2|");
            let given = Variables::given([("GIVEN".to_owned(), "1".into()), ("MORE".to_owned(), "1".into())]);
            assert_eq!(ask().seeing(&given).capture().unwrap().stdout, "unset|1|2|");
        }

        #[test]
        fn passes_arguments_variables_and_directory_unchanged() {
            let directory = tempfile::tempdir().unwrap();
            let captured = Invocation::new("/bin/sh")
                .args(["-c", r#"printf '%s|' "$@" "$MADE" "${CARGO_PKG_NAME-unset}"; pwd -P"#, "sh"])
                .args(["", "a b", "$(id)", "--flag"])
                .env("MADE", "x y")
                .env_remove("CARGO_PKG_NAME")
                .current_dir(directory.path())
                .capture()
                .unwrap();
            let physical = directory.path().canonicalize().unwrap();
            assert_eq!(captured.stdout, format!("|a b|$(id)|--flag|x y|unset|{}\n", physical.display()));
        }

        #[test]
        fn keeps_partial_last_lines_and_invalid_utf8() {
            let streamed = shell(r"printf 'a\377b https://t@h\nlast' >&2; exit 1").stream(Stderr::Capture).unwrap();
            assert_eq!(streamed.stderr, "a\u{fffd}b https://****@h\nlast");
            assert_eq!(exit_code(streamed.status), 1);
        }

        #[test]
        fn exit_code_of_a_signal_is_128_plus_its_number() {
            let status = shell("kill -TERM $$").capture().unwrap().status;
            assert_eq!(exit_code(status), 143);
            assert_eq!(ending(status), "was killed by signal 15");
        }

        #[test]
        fn missing_program_is_an_io_error() {
            let error = Invocation::new("/no/such/program").capture().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            let error = Invocation::new("/no/such/program").exec().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    }
}
