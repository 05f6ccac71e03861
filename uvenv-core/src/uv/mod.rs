//! The interface to uv, which resolves, builds and installs. This module finds or fetches uv and checks its version.

pub(crate) mod cache_keys;
mod command;
#[cfg(feature = "vendored")]
pub(crate) mod dist_info;
#[cfg(feature = "full")]
mod exported;
#[cfg(feature = "full")]
mod fetch;
mod find;
#[cfg(feature = "vendored")]
pub(crate) mod interpreter;
mod lock_verdict;
pub(crate) mod messages;
#[cfg(feature = "full")]
mod pip_compile;
#[cfg(feature = "vendored")]
pub(crate) mod pip_plan;
#[cfg_attr(not(feature = "full"), path = "no_progress.rs")]
mod progress;
pub(crate) mod settings;
#[cfg(feature = "full")]
mod unpack;
pub mod variables;
mod versions;
pub(crate) mod workspace;

use std::{fmt, io, process::ExitStatus};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, Serializer};
use thiserror::Error;

pub use command::Appearance;
#[cfg(feature = "full")]
pub(crate) use command::{ExportCommand, ExportPylockCommand};
pub(crate) use command::{LockCommand, LockfileMode, SyncCommand};
#[cfg(feature = "full")]
pub(crate) use exported::ExportedPackage;
#[cfg(feature = "full")]
pub(crate) use fetch::neutral_pip;
pub(crate) use find::find;
pub(crate) use lock_verdict::LockVerdict;
#[cfg(feature = "full")]
pub(crate) use pip_compile::{PipCompileCommand, accepts_platform};
pub(crate) use progress::follow;
#[cfg(feature = "full")]
pub(crate) use unpack::unpack;
pub(crate) use versions::is_uv_itself;

use crate::{
    model::{Diagnostic, Fault, Observer, Variables},
    process::{Invocation, ending, on_new_lines},
};

/// The version that uvenv fetches if uv is not installed.
pub(crate) const PINNED: Version = Version { major: 0, minor: 13, patch: 9 };

/// The oldest version that uvenv supports.
pub(crate) const OLDEST: Version = Version { major: 0, minor: 7, patch: 16 };

/// Returns the file that requests a Python version for the project in `directory`. uv does not look above the root of a
/// workspace, which each profile's directory is.
#[cfg(feature = "full")]
pub(crate) fn python_version_file(directory: &Utf8Path) -> Utf8PathBuf {
    directory.join(".python-version")
}

/// A uv executable that runs and is new enough.
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
    /// The variable `UV`, which uv sets for the programs that it starts.
    Parent,
    /// The uv that was installed together with the program that uses uvenv.
    Companion,
    /// A directory of `PATH`.
    SearchPath,
    /// uvenv's cache, which stores the uv that uvenv fetched.
    Cache,
}

/// Whether a missing uv may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fetch {
    /// Yes, with pip; uvenv prints a line about it. Requires the Cargo feature `full`.
    Allowed,
    /// No, because the user disabled network access.
    Offline,
    /// No, because a read-only command changes nothing.
    Never,
}

/// A version of uv.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The major version.
    pub major: u32,
    /// The minor version.
    pub minor: u32,
    /// The patch version.
    pub patch: u32,
}

/// Why uv cannot be used, or why it failed.
#[derive(Debug, Error)]
pub(crate) enum UvError {
    /// uv was not found.
    #[error(
        "uv was not found: `UVENV_UV` and `UV` do not name it, uvenv was installed without it, and it is not on `PATH` \
         or in the cache of uvenv{}",
        .not_fetched.clause()
    )]
    NotFound { not_fetched: NotFetched },
    /// `UVENV_UV` does not name a program.
    #[error("`UVENV_UV` is set to `{path}`, which {problem}")]
    NotAProgram { path: String, problem: &'static str },
    /// The program that was found does not run, or is not uv.
    #[error("`{path}` (from {origin}) cannot be used as uv: {problem}")]
    Unusable { path: Utf8PathBuf, origin: Origin, problem: String },
    /// The uv that was found is too old.
    #[error("`{path}` (from {origin}) is uv {version}, but uvenv requires {OLDEST} or newer")]
    TooOld { path: Utf8PathBuf, origin: Origin, version: Version },
    /// uv could not be started.
    #[error("`{command}` could not be started: {source}")]
    NotStarted {
        /// The command, without secrets.
        command: String,
        source: io::Error,
    },
    /// uv ran and failed.
    #[error("`{command}` {}{}", ending(*.status), on_new_lines(.stderr))]
    Failed {
        /// The command, without secrets.
        command: String,
        status: ExitStatus,
        /// uv's stderr, without secrets; empty if the user has already seen it.
        stderr: String,
    },
}

/// Returns uv's exit status and stderr, if `error` is that uv failed. The stderr has no secrets; it is empty if the user
/// has already seen it.
pub fn failure(error: &crate::Error) -> Option<(ExitStatus, &str)> {
    match error.downcast_ref()? {
        UvError::Failed { status, stderr, .. } => Some((*status, stderr)),
        _ => None,
    }
}

/// Why a missing uv was not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFetched {
    /// [`Fetch::Never`], or uvenv was built without the feature `full`.
    NotAsked,
    /// [`Fetch::Offline`].
    Offline,
    /// No Python on `PATH` has pip.
    NoPip,
}

impl Uv {
    /// Returns a command that runs this uv.
    pub(crate) fn invocation(&self) -> Invocation {
        Invocation::new(self.path.as_str())
    }

    /// Asks the program at `path` for its version, unless the version is already known.
    fn probe(path: Utf8PathBuf, origin: Origin, variables: &Variables) -> crate::Result<Self> {
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
                    return Err(UvError::TooOld { path, origin, version }.into());
                }
                Some(version) => {
                    query.keep(version);
                    return Ok(Self { path, version, origin });
                }
                None => "the output of `--version` is not that of uv".to_owned(),
            },
        };
        Err(UvError::Unusable { path, origin, problem }.into())
    }
}

/// Finds uv: `UVENV_UV`, the uv that runs this process, `companion`, `PATH`, then uvenv's own cache. If none of them
/// has uv, fetches it if that is allowed.
///
/// The first match decides: if it is too old or does not run, that is an error and the search ends, so that a broken uv
/// never changes which one runs.
pub fn locate(
    variables: &Variables,
    companion: Option<&Utf8Path>,
    fetch: Fetch,
    #[cfg_attr(not(feature = "full"), expect(unused_variables, reason = "told of a fetch"))] observer: &dyn Observer,
) -> crate::Result<Uv> {
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
    Err(UvError::NotFound { not_fetched }.into())
}

/// Returns the executable in a directory that pip installed into: `bin/uv`.
fn executable_in(directory: &Utf8Path) -> Utf8PathBuf {
    directory.join("bin").join(if cfg!(windows) { "uv.exe" } else { "uv" })
}

impl Version {
    /// Parses `uv 0.7.16`, `uv 0.13.9 (x86_64-unknown-linux-gnu)` and similar output.
    fn from_answer(answer: &str) -> Option<Self> {
        let mut words = answer.split_whitespace();
        if words.next()? != "uv" {
            return None;
        }
        Self::parse(words.next()?)
    }

    /// Parses `0.13.9`. Ignores everything after the third number, such as a pre-release suffix.
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
            Self::Companion => "the installation of uvenv",
            Self::SearchPath => "`PATH`",
            Self::Cache => "uvenv's cache",
        })
    }
}

impl NotFetched {
    fn clause(self) -> &'static str {
        match self {
            Self::NotAsked => "",
            Self::Offline => "; downloading it requires network access, which `--offline` disables",
            Self::NoPip => "; downloading it requires a Python with pip, which is not on `PATH`",
        }
    }
}

/// The help for a missing uv.
const INSTALL: &str = "install uv (https://docs.astral.sh/uv/getting-started/installation/, or `pip install uv`), or \
                       set `UVENV_UV` to its path";

impl Diagnostic for UvError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } | Self::NotAProgram { .. } => "uv-not-found",
            Self::Unusable { .. } | Self::NotStarted { .. } => "uv-unusable",
            Self::TooOld { .. } => "uv-too-old",
            Self::Failed { .. } => "uv-failed",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some(INSTALL.to_owned()),
            Self::NotAProgram { .. } => Some("set `UVENV_UV` to the path of a uv executable, or unset it".to_owned()),
            Self::Unusable { origin: Origin::Cache, path, .. } => {
                Some(format!("remove `{path}`, and uvenv downloads it again"))
            }
            Self::Unusable { .. } | Self::NotStarted { .. } => Some(format!("repair it, or {INSTALL}")),
            Self::TooOld { .. } => Some(
                "update it (`uv self update`, or `pip install --upgrade uv` if pip installed it), or set `UVENV_UV` to \
                 a newer one"
                    .to_owned(),
            ),
            Self::Failed { .. } => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Failed { .. } => Fault::Finding,
            _ => Fault::Request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_orders_versions() {
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
    fn failure_shows_the_command_and_all_of_stderr() {
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
