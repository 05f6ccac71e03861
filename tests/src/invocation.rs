//! A command line in a fixture, built step by step and then run.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, LazyLock, Once, atomic::AtomicBool},
};

use camino::Utf8Path;

use crate::{
    Fixture, Outcome, Refusal,
    fixture::ON_PATH,
    images::is_root,
    programs::{path_entry, run},
};

/// Where the system's programs are.
#[cfg(target_os = "linux")]
const SYSTEM: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What starts a program in namespaces of its own.
#[cfg(target_os = "linux")]
const UNSHARE: &str = "/usr/bin/unshare";

/// A program with arguments, variables and a directory, in a fixture.
#[derive(Clone, Debug)]
#[must_use]
pub struct Invocation<'a> {
    fixture: &'a Fixture,
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: BTreeMap<String, OsString>,
    path: Vec<PathBuf>,
    directory: PathBuf,
}

impl<'a> Invocation<'a> {
    pub(crate) fn new(fixture: &'a Fixture, program: &Utf8Path) -> Self {
        accept_interrupts();
        Self {
            fixture,
            program: program.into(),
            arguments: Vec::new(),
            variables: fixture.variables().into_iter().collect(),
            path: ON_PATH.map(|name| path_entry(name).into()).to_vec(),
            directory: fixture.root().into(),
        }
    }

    /// Its working directory.
    pub fn fixture(&self) -> &'a Fixture {
        self.fixture
    }

    /// More arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Asks uvenv for JSON. The option comes first, so that a command after `--` does not get it.
    pub fn arg_json(mut self) -> Self {
        let first =
            self.arguments.iter().position(|argument| argument == "uvenv").map_or(0, |subcommand| subcommand + 1);
        self.arguments.splice(first..first, ["--message-format".into(), "json".into()]);
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// Removes a variable.
    pub fn env_remove(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// The variables that the program sees.
    pub fn variables(&self) -> Vec<(String, OsString)> {
        let path = std::env::join_paths(&self.path).expect("no separator in the directories");
        let mut variables = self.variables.clone();
        variables.insert("PATH".to_owned(), path);
        variables.into_iter().collect()
    }

    /// Puts a directory first on `PATH`.
    pub fn on_path(mut self, directory: impl Into<PathBuf>) -> Self {
        self.path.insert(0, directory.into());
        self
    }

    /// Adds the system's programs after those of the fixture, such as a linker for cargo.
    pub fn with_system(mut self) -> Self {
        self.path.extend(["/usr/bin", "/bin"].map(PathBuf::from));
        self
    }

    /// Removes a program from `PATH`.
    pub fn without(mut self, program: &str) -> Self {
        let entry = path_entry(program);
        self.path.retain(|directory| *directory != entry);
        self
    }

    /// Runs in this directory, relative to the monorepo's root.
    pub fn within(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = self.directory.join(directory.into());
        self
    }

    /// Lets the script `setup` run it as `"$@"` in a mount namespace of its own, where it may mount what it likes; `None`
    /// where the machine allows no such thing.
    #[cfg(target_os = "linux")]
    pub fn in_mount_namespace(mut self, setup: &str) -> Option<Self> {
        self.path.extend(SYSTEM.map(PathBuf::from));
        self.entering(setup)
    }

    /// Mounts this directory of the monorepo read-only, for it alone. Not even root can write there then.
    #[cfg(target_os = "linux")]
    pub fn with_read_only(self, directory: &Utf8Path) -> Option<Self> {
        let system = SYSTEM.join(":");
        self.entering(&format!(
            "path=$PATH; PATH={system}
             mount --bind '{directory}' '{directory}'; mount -o remount,bind,ro '{directory}'
             PATH=$path; cd \"$PWD\"; exec \"$@\""
        ))
    }

    /// Runs it in a network namespace of its own, without interfaces; `None` where the machine allows no such thing.
    #[cfg(target_os = "linux")]
    pub fn without_network(mut self) -> Option<Self> {
        const ENTER: [&str; 2] = ["--map-root-user", "--net"];
        static POSSIBLE: LazyLock<bool> = LazyLock::new(|| {
            let tried = Command::new(UNSHARE).args(ENTER).arg("true").output();
            tried.is_ok_and(|output| output.status.success())
        });
        if !*POSSIBLE {
            return None;
        }
        let program = std::mem::replace(&mut self.program, UNSHARE.into());
        self.arguments.splice(0..0, ENTER.map(OsString::from).into_iter().chain([program.into()]));
        Some(self)
    }

    /// Runs it in a network namespace of its own that has only the loopback interface; without one where the machine allows no
    /// such thing.
    #[cfg(target_os = "linux")]
    pub fn with_loopback_alone(self) -> Self {
        let own = self.clone().without_network();
        own.map_or(self, |mut own| {
            let up = ["/bin/sh", "-euc", "PATH=\"$PATH:/usr/sbin:/sbin\"; ip link set lo up; exec \"$@\"", "sh"];
            own.arguments.splice(2..2, up.map(OsString::from));
            own
        })
    }

    /// Runs it as a user who owns nothing but the fixture, and lets nobody else read what it makes. Where the tests do not run
    /// as root, it is the same user with that setting.
    #[cfg(target_os = "linux")]
    pub fn as_another_user(mut self) -> Self {
        let command = if is_root() {
            run(Command::new("chown").args(["-R", "65534:65534", self.fixture.temporary().as_str()]));
            "umask 077; exec /usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\""
        } else {
            "umask 077; exec \"$@\""
        };
        let program = std::mem::replace(&mut self.program, "/bin/sh".into());
        let before = ["-c", command, "sh"].map(OsString::from).into_iter().chain([program.into()]);
        self.arguments.splice(0..0, before);
        self
    }

    #[cfg(target_os = "linux")]
    fn entering(mut self, setup: &str) -> Option<Self> {
        const ENTER: [&str; 4] = ["--map-root-user", "--mount", "/bin/sh", "-euc"];
        static POSSIBLE: LazyLock<bool> = LazyLock::new(|| {
            let tried = Command::new(UNSHARE).args(ENTER).args(["mount -t tmpfs tmpfs /tmp"]).output();
            tried.is_ok_and(|output| output.status.success())
        });
        if !*POSSIBLE {
            return None;
        }
        let program = std::mem::replace(&mut self.program, UNSHARE.into());
        let before = ENTER.map(OsString::from).into_iter().chain([setup.into(), "sh".into(), program.into()]);
        self.arguments.splice(0..0, before);
        Some(self)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.variables())
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        command
    }

    /// Runs it and returns the outcome, successful or not.
    pub fn run(self) -> Outcome {
        let mut command = self.command();
        let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Outcome::new(format!("{} {:?}", self.program.display(), self.arguments), &output, self.fixture.redactions())
    }

    /// Runs it; it must succeed.
    pub fn ok(self) -> Outcome {
        self.ends(0)
    }

    /// Runs it; it must exit with this code.
    pub fn ends(self, status: i32) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.status(), Some(status), "{outcome}");
        outcome
    }

    /// Runs it with JSON; it must succeed.
    pub fn json(self) -> Outcome {
        self.arg_json().ok()
    }

    /// Runs it with JSON; it must fail with exit code 2 and one error with this code.
    pub fn refused(self, code: &str) -> Refusal {
        self.errs(2, code)
    }

    /// Runs it with JSON; it must fail with exit code 1 and one error with this code.
    pub fn fails(self, code: &str) -> Refusal {
        self.errs(1, code)
    }

    fn errs(self, status: i32, code: &str) -> Refusal {
        let refusal = self.arg_json().ends(status).refusal();
        assert_eq!(refusal.code, code, "{refusal:?}");
        refusal
    }

    /// Starts it as the leader of a process group, its standard output readable.
    #[cfg(unix)]
    pub fn start(self) -> Child {
        use std::os::unix::process::CommandExt as _;
        let mut command = self.command();
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
    }
}

/// Lets the programs that are started be interrupted. A shell without job control, and `nohup`, start the tests with these
/// signals ignored, which programs inherit; a signal that is handled is back at its default in them.
fn accept_interrupts() {
    #[cfg(unix)]
    {
        use signal_hook::{
            consts::{SIGINT, SIGQUIT},
            flag::register_conditional_shutdown,
        };
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            for signal in [SIGINT, SIGQUIT] {
                let always = Arc::new(AtomicBool::new(true));
                register_conditional_shutdown(signal, 128 + signal, always).expect("the signal can be handled");
            }
        });
    }
}
