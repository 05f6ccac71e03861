//! The library behind `cargo uvenv`: the Python environments of a monorepo that mixes Rust and Python.
//!
//! A *monorepo* has up to three *profiles* (dev, staging, prod). Each profile has a manifest (`pyproject.toml`), a
//! lockfile (`uv.lock`) and an environment (`.venv`), and is locked and synced by [uv], which this crate runs. If a
//! manifest declares GPU backends, exactly one of them is selected.
//!
//! ```no_run
//! use uvenv_core::{Monorepo, Profile, Variables, ops};
//!
//! # fn main() -> uvenv_core::Result<()> {
//! let monorepo = Monorepo::discover(".".into())?;
//! let settings = ops::Settings::new(Variables::from_process(), monorepo.root.clone(), false);
//! let session = ops::Session::new(settings);
//! let plan = ops::SyncPlan::new(&monorepo, &session, Profile::Prod, &ops::SyncRequest::default())?;
//! let report = plan.execute(&session)?;
//! println!("{} distributions installed", report.installed.len());
//! # Ok(())
//! # }
//! ```
//!
//! [uv]: https://docs.astral.sh/uv/

pub mod backend;
pub mod build_script;
pub mod cargo;
#[cfg(feature = "full")]
pub mod check;
pub mod environment;
mod fs;
#[cfg(feature = "full")]
pub mod git;
pub mod lockfile;
pub mod manifest;
mod model;
pub mod monorepo;
pub mod native;
pub mod ops;
mod process;
pub mod report;
mod sync_cache;
pub mod toml;
pub mod uv;

use model::error::{Diagnostic, Fault, Place};

pub use crate::{
    fs::cache::CacheError,
    model::{Name, Profile, Variables, error, observer},
    monorepo::Monorepo,
};

/// The version of uvenv.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A `Result` with uvenv's [`Error`] as the default error type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of uvenv. Its code, help and place are those of the module that found it.
///
/// Its `Debug` output is the whole message with code, place and help, because `fn main() -> Result<(),
/// uvenv_core::Error>`, which is common in build scripts, prints it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A monorepo or a part of it does not exist, or its manifest or configuration is wrong.
    #[error(transparent)]
    Discovery(#[from] monorepo::DiscoveryError),
    /// A lockfile cannot be read.
    #[error(transparent)]
    Lockfile(#[from] lockfile::LockfileError),
    /// No backend can be selected.
    #[error(transparent)]
    Backend(#[from] backend::BackendError),
    /// An environment cannot be used.
    #[error(transparent)]
    Environment(#[from] environment::EnvironmentError),
    /// An operation cannot be executed.
    #[error(transparent)]
    Operation(#[from] ops::OperationError),
    /// uv is missing, or failed.
    #[error(transparent)]
    Uv(#[from] uv::UvError),
    /// A native package cannot be built as required.
    #[error(transparent)]
    Native(#[from] native::NativeError),
    /// A Jupyter kernel cannot be installed or removed.
    #[cfg(feature = "full")]
    #[error(transparent)]
    Jupyter(#[from] ops::JupyterError),
    /// A build script cannot get its environment.
    #[error(transparent)]
    BuildScript(#[from] build_script::BuildScriptError),
    /// git failed, or a remote lacks something.
    #[cfg(feature = "full")]
    #[error(transparent)]
    Git(#[from] git::GitError),
    /// A check cannot be made as requested.
    #[cfg(feature = "full")]
    #[error(transparent)]
    Check(#[from] check::CheckError),
    /// A promotion failed.
    #[cfg(feature = "full")]
    #[error(transparent)]
    Promote(#[from] ops::PromoteError),
    /// A monorepo cannot be set up.
    #[cfg(feature = "full")]
    #[error(transparent)]
    Init(#[from] ops::InitError),
    /// Two profiles cannot be compared.
    #[cfg(feature = "full")]
    #[error(transparent)]
    Diff(#[from] ops::DiffError),
    /// Cargo failed, or does not have what was requested.
    #[cfg(feature = "full")]
    #[error(transparent)]
    Cargo(#[from] cargo::CargoError),
}

impl Error {
    /// Whether the caller's observer has stopped the operation, at whatever step.
    #[cfg(feature = "full")]
    pub(crate) fn is_interruption(&self) -> bool {
        self.code() == model::Interrupted.code()
    }

    fn inner(&self) -> &dyn Diagnostic {
        match self {
            Self::Discovery(error) => error,
            Self::Lockfile(error) => error,
            Self::Backend(error) => error,
            Self::Environment(error) => error,
            Self::Operation(error) => error,
            Self::Uv(error) => error,
            Self::Native(error) => error,
            #[cfg(feature = "full")]
            Self::Jupyter(error) => error,
            Self::BuildScript(error) => error,
            #[cfg(feature = "full")]
            Self::Git(error) => error,
            #[cfg(feature = "full")]
            Self::Check(error) => error,
            #[cfg(feature = "full")]
            Self::Promote(error) => error,
            #[cfg(feature = "full")]
            Self::Init(error) => error,
            #[cfg(feature = "full")]
            Self::Diff(error) => error,
            #[cfg(feature = "full")]
            Self::Cargo(error) => error,
        }
    }
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        error::write(self, f)
    }
}

impl Diagnostic for Error {
    fn code(&self) -> &'static str {
        self.inner().code()
    }

    fn help(&self) -> Option<String> {
        self.inner().help()
    }

    fn place(&self) -> Option<&Place> {
        self.inner().place()
    }

    fn fault(&self) -> Fault {
        self.inner().fault()
    }
}

impl From<manifest::ManifestError> for Error {
    fn from(error: manifest::ManifestError) -> Self {
        Self::Discovery(error.into())
    }
}

impl From<fs::cache::CacheError> for Error {
    fn from(error: fs::cache::CacheError) -> Self {
        Self::Environment(error.into())
    }
}

/// Compiles the Rust examples of the README with the documentation tests.
#[cfg(doctest)]
#[allow(rustdoc::invalid_codeblock_attributes, reason = "its commands say how they end")]
#[doc = include_str!("../../README.md")]
struct Readme;
