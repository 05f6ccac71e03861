//! The port to uv: the program that resolves, builds and installs. It is found here, or fetched, and its version checked.

pub(crate) mod cache_keys;
mod command;
#[cfg(feature = "full")]
mod fetch;
mod find;
pub(crate) mod messages;
mod progress;
pub(crate) mod settings;
pub mod variables;
mod versions;
pub(crate) mod workspace;

use std::{fmt, io, process::ExitStatus};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, Serializer};
use thiserror::Error;

pub use command::Appearance;
pub(crate) use command::{LockCommand, LockfileMode, SyncCommand};
pub(crate) use find::find;
pub(crate) use progress::follow;
pub(crate) use versions::is_uv_itself;

use crate::{
    fs::cache::CacheError,
    model::{Diagnostic, Fault, Observer, Variables},
    process::{Invocation, ending},
};

/// The version that uvenv fetches where there is no uv.
pub(crate) const PINNED: Version = Version { major: 0, minor: 13, patch: 9 };

/// The oldest version that uvenv works with.
pub(crate) const OLDEST: Version = Version { major: 0, minor: 7, patch: 16 };

/// A uv that runs and is new enough.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uv {
    /// The executable.
    pub path: Utf8PathBuf,
    /// Its version.
    pub version: Version,
    /// Where it was found.
    pub origin: Origin,
}

/// Where a uv was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The variable `UVENV_UV`.
    Chosen,
    /// The variable `UV`, which uv sets for the programs that it runs.
    Parent,
    /// What was installed together with the program that uses uvenv.
    Companion,
    /// A directory of `PATH`.
    SearchPath,
    /// uvenv's cache, where it keeps the uv that it fetched.
    Cache,
}

/// Whether a missing uv may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fetch {
    /// Yes, with pip; a line says so. Needs the Cargo feature `full`.
    Allowed,
    /// No, because the user forbids the network.
    Offline,
    /// No, because a command that only looks changes nothing.
    Never,
}

/// A version of uv.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

/// Why there is no uv to use, or what it failed at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UvError {
    /// There is none anywhere.
    #[error(
        "uv was not found: `UVENV_UV` and `UV` name none, none came with uvenv, and none is on `PATH` or in uvenv's cache{}",
        .not_fetched.clause()
    )]
    NotFound {
        /// Why it was not fetched.
        not_fetched: NotFetched,
    },
    /// `UVENV_UV` names something else than a program.
    #[error("`UVENV_UV` names `{path}`, which {problem}")]
    NotAProgram {
        /// What the variable says.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What was found does not run, or is no uv.
    #[error("`{path}`, found by {origin}, cannot be used as uv: {problem}")]
    Unusable {
        /// The executable.
        path: Utf8PathBuf,
        /// Where it was found.
        origin: Origin,
        /// What happened.
        problem: String,
    },
    /// What was found is older than what uvenv works with.
    #[error("`{path}`, found by {origin}, is uv {version}, and uvenv needs {OLDEST} or newer")]
    TooOld {
        /// The executable.
        path: Utf8PathBuf,
        /// Where it was found.
        origin: Origin,
        /// Its version.
        version: Version,
    },
    /// pip could not get uv.
    #[error("uv {PINNED} could not be fetched: {problem}")]
    FetchFailed {
        /// What happened; without secrets.
        problem: String,
    },
    /// uv could not be started.
    #[error("`{command}` could not be started: {source}")]
    NotStarted {
        /// The command; without secrets.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// uv ran and failed.
    #[error("`{command}` {}{}", ending(*.status), on_new_lines(.stderr))]
    Failed {
        /// The command; without secrets.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What uv wrote to stderr, without secrets; empty where the user has already seen it.
        stderr: String,
    },
    /// The cache is needed and cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Why a uv that is missing was not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFetched {
    /// [`Fetch::Never`], or a build of uvenv without the feature `full`.
    NotAsked,
    /// [`Fetch::Offline`].
    Offline,
    /// No Python on `PATH` has pip.
    NoPip,
}

impl Uv {
    /// A command that starts this uv.
    pub(crate) fn invocation(&self) -> Invocation {
        Invocation::new(self.path.as_str())
    }

    /// Asks the program at `path` for its version, unless it has said that before.
    fn probe(path: Utf8PathBuf, origin: Origin, variables: &Variables) -> Result<Self, UvError> {
        let query = versions::VersionQuery::new(&path, variables);
        if let Some(version) = query.known().filter(|version| *version >= OLDEST) {
            return Ok(Self { path, version, origin });
        }
        let problem = match Invocation::new(path.as_str()).arg("--version").seeing(variables).capture() {
            Err(error) => error.to_string(),
            Ok(answer) if !answer.status.success() => {
                format!("`uv --version` {}{}", ending(answer.status), on_new_lines(&answer.stderr))
            }
            Ok(answer) => match Version::from_answer(&answer.stdout) {
                Some(version) if version < OLDEST => {
                    return Err(UvError::TooOld { path, origin, version });
                }
                Some(version) => {
                    query.keep(version);
                    return Ok(Self { path, version, origin });
                }
                None => "its answer to `--version` is not that of uv".to_owned(),
            },
        };
        Err(UvError::Unusable { path, origin, problem })
    }
}

/// Finds uv: `UVENV_UV`, the uv that runs us, `companion`, `PATH`, uvenv's own cache; else fetches it if that is allowed.
///
/// The first that is there decides: one that is too old or does not run is an error, not a reason to look further, so
/// that what runs never depends on what is broken.
pub fn locate(
    variables: &Variables,
    companion: Option<&Utf8Path>,
    fetch: Fetch,
    #[cfg_attr(not(feature = "full"), expect(unused_variables, reason = "told of a fetch"))] observer: &dyn Observer,
) -> Result<Uv, UvError> {
    if let Some((path, origin)) = find(variables, companion)? {
        return Uv::probe(path, origin, variables);
    }
    let not_fetched = match fetch {
        #[cfg(feature = "full")]
        Fetch::Allowed => match fetch::fetch(variables, observer)? {
            Some(path) => return Uv::probe(path, Origin::Cache, variables),
            None => NotFetched::NoPip,
        },
        Fetch::Offline => NotFetched::Offline,
        _ => NotFetched::NotAsked,
    };
    Err(UvError::NotFound { not_fetched })
}

/// The executable in what pip made: `bin/uv`.
fn executable_in(directory: &Utf8Path) -> Utf8PathBuf {
    directory.join("bin").join(if cfg!(windows) { "uv.exe" } else { "uv" })
}

fn on_new_lines(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() { String::new() } else { format!("\n{text}") }
}

impl Version {
    /// Reads `uv 0.7.16`, `uv 0.13.9 (x86_64-unknown-linux-gnu)` and their like.
    fn from_answer(answer: &str) -> Option<Self> {
        let mut words = answer.split_whitespace();
        if words.next()? != "uv" {
            return None;
        }
        Self::parse(words.next()?)
    }

    /// Reads `0.13.9`. What follows the third number, of a pre-release, is passed over.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.splitn(3, '.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        let patch = numbers.next()?;
        let digits = patch.find(|character: char| !character.is_ascii_digit()).unwrap_or(patch.len());
        Some(Self { major, minor, patch: patch[..digits].parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chosen => "`UVENV_UV`",
            Self::Parent => "`UV` (the uv that runs uvenv)",
            Self::Companion => "the installation that uvenv is part of",
            Self::SearchPath => "`PATH`",
            Self::Cache => "uvenv's cache",
        })
    }
}

impl NotFetched {
    fn clause(self) -> &'static str {
        match self {
            Self::NotAsked => "",
            Self::Offline => "; to fetch it takes the network, which `--offline` forbids",
            Self::NoPip => "; to fetch it takes a Python with pip, and none is on `PATH`",
        }
    }
}

impl Diagnostic for UvError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } | Self::NotAProgram { .. } => "uv-not-found",
            Self::Unusable { .. } | Self::NotStarted { .. } => "uv-unusable",
            Self::TooOld { .. } => "uv-too-old",
            Self::FetchFailed { .. } => "uv-fetch-failed",
            Self::Failed { .. } => "uv-failed",
            Self::Cache(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        const INSTALL: &str = "install uv (https://docs.astral.sh/uv/getting-started/installation/, \
                               or `pip install uv`), or set `UVENV_UV` to its path";
        match self {
            Self::NotFound { .. } | Self::FetchFailed { .. } => Some(INSTALL.to_owned()),
            Self::NotAProgram { .. } => Some("set `UVENV_UV` to the path of a uv executable, or unset it".to_owned()),
            Self::Unusable { origin: Origin::Cache, path, .. } => {
                Some(format!("remove `{path}`, and uvenv fetches it again"))
            }
            Self::Unusable { .. } | Self::NotStarted { .. } => Some(format!("mend it, or {INSTALL}")),
            Self::TooOld { .. } => Some(
                "update it (`uv self update`, or `pip install --upgrade uv` where pip installed it), \
                 or set `UVENV_UV` to a newer one"
                    .to_owned(),
            ),
            Self::Failed { .. } => None,
            Self::Cache(error) => error.help(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Failed { .. } | Self::FetchFailed { .. } => Fault::Finding,
            _ => Fault::Request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        let read = |answer| Version::from_answer(answer).map(|version| version.to_string());
        assert_eq!(read("uv 0.7.16\n").as_deref(), Some("0.7.16"));
        assert_eq!(read("uv 0.13.9 (x86_64-unknown-linux-gnu)\n").as_deref(), Some("0.13.9"));
        assert_eq!(read("uv 0.8.0 (0b2357294 2025-07-17)").as_deref(), Some("0.8.0"));
        assert_eq!(read("uv 0.9.0-alpha.1").as_deref(), Some("0.9.0"));
        assert_eq!(read("uv 1.0.0rc2+4").as_deref(), Some("1.0.0"));
        for nonsense in ["", "uv", "uv 1", "uv 1.2", "uv a.b.c", "uv 1.2.x", "pip 23.0.1", "uv 99999999999.0.0"] {
            assert_eq!(read(nonsense), None, "{nonsense:?}");
        }
        let parse = |text| Version::parse(text).unwrap();
        assert!(parse("0.7.9") < OLDEST && parse("0.10.0") > OLDEST && parse("1.0.0") > PINNED);
        assert_eq!(serde_json::to_string(&PINNED).unwrap(), "\"0.13.9\"");
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_shows_the_command_and_all_of_stderr() {
        use std::os::unix::process::ExitStatusExt;

        let failed = |stderr: &str| UvError::Failed {
            command: "uv sync --extra cu124".to_owned(),
            status: ExitStatus::from_raw(2 << 8),
            stderr: stderr.to_owned(),
        };
        assert_eq!(failed("").to_string(), "`uv sync --extra cu124` failed with exit status 2");
        assert_eq!(
            failed("error: no\n  cause\n").to_string(),
            "`uv sync --extra cu124` failed with exit status 2\nerror: no\n  cause"
        );
        assert_eq!(failed("").fault(), Fault::Finding);
    }
}
