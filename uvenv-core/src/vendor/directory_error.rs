//! What can be wrong with a vendored directory.

use camino::Utf8PathBuf;

use super::platform_in;
use crate::{
    model::{Diagnostic, Fault, Name, Profile, quoted_or},
    process::on_new_lines,
};

/// A vendored directory that cannot be used for a sync. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VendoredDirectoryError {
    /// There is no lock that uvenv has made.
    #[error("`{directory}` is not a vendored directory: it has no lock of `cargo uvenv vendor`")]
    NoLock { directory: Utf8PathBuf },
    /// A lock is not as `vendor` writes it.
    #[error("`{lock}` is damaged, or of another version of uvenv")]
    DamagedLock { lock: Utf8PathBuf },
    /// A file or directory cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Unreadable { path: Utf8PathBuf, source: std::io::Error },
    /// It was made for other profiles.
    #[error("`{directory}` was not vendored for {profile}, but for {}", quoted_or(available, "nothing"))]
    OtherProfile { directory: Utf8PathBuf, profile: Profile, available: Vec<String> },
    /// It was made for other backends.
    #[error("`{directory}` was not vendored with {}, but for {}", with(backend.as_ref()), quoted_or(available, "nothing"))]
    OtherBackend { directory: Utf8PathBuf, backend: Option<Name>, available: Vec<String> },
    /// It was made from another lockfile.
    #[error("`{lock}` was vendored from another `{lockfile}` than the present one")]
    OtherLockfile { lock: Utf8PathBuf, lockfile: Utf8PathBuf },
    /// It was made for other versions of Python.
    #[error("`{lock}` was not vendored for Python {python}, but for {}", available.join(" and "))]
    OtherPython { lock: Utf8PathBuf, python: String, available: Vec<String> },
    /// It was made for other platforms.
    #[error("`{lock}` was not vendored for {}, but for {}{}", platform_in(platform), available.iter().map(|one| platform_in(one)).collect::<Vec<_>>().join(" and "), on_new_lines(problem))]
    OtherPlatform {
        lock: Utf8PathBuf,
        platform: String,
        available: Vec<String>,
        /// uv's words.
        problem: String,
    },
    /// uv finds no interpreter.
    #[error("there is no Python for a new environment{}", on_new_lines(problem))]
    NoPython {
        /// uv's words.
        problem: String,
    },
    /// A file is not as it was vendored.
    #[error("`{file}` was changed since it was vendored")]
    Changed { file: Utf8PathBuf },
    /// A file is missing.
    #[error("`{file}` is missing")]
    Missing { file: Utf8PathBuf },
    /// A file is not part of what was vendored.
    #[error("`{file}` was not vendored")]
    Surplus { file: Utf8PathBuf },
    /// What is installed cannot be selected.
    #[error("`--{option}` cannot be used with a vendored directory")]
    Option { option: &'static str },
    /// The operation installs nothing from one.
    #[error("this command cannot use a vendored directory")]
    NotHere,
    /// Arguments for `uv sync`, which is not run.
    #[error("arguments for uv cannot be used with a vendored directory")]
    Arguments,
}

impl VendoredDirectoryError {
    /// A plan of a usual sync is asked for.
    pub(crate) fn no_plan(is_dry_run: bool) -> Self {
        if is_dry_run { Self::Option { option: "dry-run" } } else { Self::NotHere }
    }
}

fn with(backend: Option<&Name>) -> String {
    backend.map_or_else(|| "no backend".to_owned(), |name| format!("`{name}`"))
}

impl Diagnostic for VendoredDirectoryError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoLock { .. } => "no-vendored-lock",
            Self::DamagedLock { .. } => "damaged-vendored-lock",
            Self::Unreadable { .. } => "unreadable-vendored-file",
            Self::OtherProfile { .. } => "vendored-for-another-profile",
            Self::OtherBackend { .. } => "vendored-for-another-backend",
            Self::OtherLockfile { .. } => "vendored-from-another-lockfile",
            Self::OtherPython { .. } => "vendored-for-another-python",
            Self::OtherPlatform { .. } => "vendored-for-another-platform",
            Self::NoPython { .. } => "no-python-for-vendored",
            Self::Changed { .. } => "changed-vendored-file",
            Self::Missing { .. } => "missing-vendored-file",
            Self::Surplus { .. } => "surplus-vendored-file",
            Self::Option { .. } | Self::NotHere | Self::Arguments => "vendored-selection",
        }
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::NoLock { .. } => "make it with `cargo uvenv vendor -o DIR`",
                Self::DamagedLock { .. } => "vendor again with `cargo uvenv vendor`",
                Self::Unreadable { .. } => "make it readable, or vendor again",
                Self::OtherProfile { .. } | Self::OtherBackend { .. } => {
                    "choose another with `--profile` or `--backend`, or vendor again and name all: `cargo uvenv vendor \
                     --backend A --backend B`"
                }
                Self::OtherLockfile { .. } => "vendor again with `cargo uvenv vendor`, or restore the lockfile",
                Self::OtherPython { .. } => "choose another with `--recreate --python`, or vendor for it with `cargo uvenv vendor --python`",
                Self::OtherPlatform { .. } => "vendor for it, on such a machine or with `cargo uvenv vendor --platform`",
                Self::NoPython { .. } => "install one for which it was vendored, or name it with `--python`",
                Self::Changed { .. } | Self::Missing { .. } => {
                    "copy the directory again, or repair it with `cargo uvenv vendor`"
                }
                Self::Surplus { .. } => "remove it, or vendor again with `cargo uvenv vendor`",
                Self::NotHere => "sync with `--vendored` first, and leave it and `UVENV_VENDORED` out here",
                Self::Option { .. } | Self::Arguments => {
                    "the directory has what `cargo uvenv vendor` has selected: leave the option out, or sync without `--vendored`"
                }
            }
            .to_owned(),
        )
    }

    fn fault(&self) -> Fault {
        Fault::Request
    }
}
