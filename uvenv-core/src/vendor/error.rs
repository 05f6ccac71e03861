//! What can go wrong while a profile is vendored.

use camino::Utf8PathBuf;

use crate::{
    model::{Diagnostic, Fault, Name},
    process::on_new_lines,
};

/// The error of a vendoring that failed. What the directory had before is still there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VendorError {
    /// A package has no form that could be vendored.
    #[error("`{package}` cannot be vendored: {problem}")]
    Package { package: String, problem: String },
    /// Something that is needed apart from the environment has no wheel.
    #[error("there is no wheel of `{package}` for the interpreter")]
    ToolWithoutWheel { package: String },
    /// Two locks, or two packages, need different files with the same name.
    #[error("there are two different files with the name `{file}`")]
    SameName { file: String },
    /// The lockfile does not have what the interpreter needs.
    #[error("nothing can be vendored for `{interpreter}`: {problem}")]
    Selection {
        interpreter: String,
        /// The words of `packaging`.
        problem: String,
    },
    /// The platform has no wheels that could be told.
    #[error("the platform `{platform}` is not known")]
    UnknownPlatform { platform: String },
    /// The tools for vendoring could not be installed, or do not work.
    #[error("the tools for vendoring do not work: {problem}")]
    Tools {
        /// What happened, without secrets.
        problem: String,
    },
    /// uv finds no such interpreter.
    #[error("there is no Python {request}{}", on_new_lines(problem))]
    Python {
        request: String,
        /// uv's words.
        problem: String,
    },
    /// A file could not be downloaded.
    #[error("{} cannot be downloaded{}", files.join(", "), on_new_lines(problem))]
    Download {
        files: Vec<String>,
        /// pip's words, without secrets.
        problem: String,
    },
    /// A wheel could not be built.
    #[error("the wheel of `{package}` cannot be built: {problem}")]
    Build {
        package: Name,
        /// The words of git or uv, without secrets.
        problem: String,
    },
    /// A file or directory could not be read or written.
    #[error("`{path}` cannot be used: {source}")]
    Io { path: Utf8PathBuf, source: std::io::Error },
    /// The network is disabled, and something is missing.
    #[error("{} not in `{directory}`, and network access is disabled", are(.missing))]
    Offline { missing: Vec<String>, directory: Utf8PathBuf },
    /// The output directory has something else in it.
    #[error("`{path}` is not empty, and not a vendored directory")]
    Foreign { path: Utf8PathBuf },
}

fn are(names: &[String]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

impl VendorError {
    pub(crate) fn io(path: &camino::Utf8Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

impl Diagnostic for VendorError {
    fn code(&self) -> &'static str {
        match self {
            Self::Package { .. } | Self::ToolWithoutWheel { .. } | Self::SameName { .. } | Self::Selection { .. } => {
                "cannot-vendor"
            }
            Self::UnknownPlatform { .. } => "unknown-platform",
            Self::Tools { .. } => "vendoring-tools-failed",
            Self::Python { .. } => "no-such-python",
            Self::Download { .. } => "download-failed",
            Self::Build { .. } => "wheel-build-failed",
            Self::Io { .. } => "unusable-vendored-directory",
            Self::Offline { .. } => "no-network",
            Self::Foreign { .. } => "not-a-vendored-directory",
        }
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::Package { .. } => "pin it to a git tag, or take it from an index that has a wheel for it",
                Self::ToolWithoutWheel { .. } => "leave out `--with-uv` or `--with-build-requirements`",
                Self::SameName { .. } => "vendor each backend to a directory of its own",
                Self::Selection { .. } => {
                    "choose another interpreter with `--python`, or packages that have a wheel for it"
                }
                Self::UnknownPlatform { .. } => {
                    "name it as uv does, with the version of its C library: `x86_64-manylinux_2_28`, \
                     `aarch64-unknown-linux-musl`, `aarch64-apple-darwin`, `x86_64-pc-windows-msvc`"
                }
                Self::Tools { .. } => "uv installs `packaging` and `pip` from your index: see that it has them",
                Self::Python { .. } => "install it with `uv python install`, or choose one that `uv python list` shows",
                Self::Download { .. } => "run the command again: what was downloaded is kept",
                Self::Build { .. } => {
                    "see why with `uv build --wheel` in a checkout of its tag, or in its unpacked source distribution"
                }
                Self::Io { .. } => "choose another directory with `-o DIR`",
                Self::Offline { .. } => "run the command without `--offline`",
                Self::Foreign { .. } => "choose a new or empty directory with `-o DIR`",
            }
            .to_owned(),
        )
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Package { .. }
            | Self::ToolWithoutWheel { .. }
            | Self::SameName { .. }
            | Self::Selection { .. }
            | Self::UnknownPlatform { .. }
            | Self::Python { .. }
            | Self::Offline { .. }
            | Self::Foreign { .. } => Fault::Request,
            Self::Tools { .. } | Self::Download { .. } | Self::Build { .. } | Self::Io { .. } => Fault::Finding,
        }
    }
}
