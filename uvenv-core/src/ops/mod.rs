//! The operations. Each computes a plan, which is a plain value, and then executes it. Only the execution changes files
//! and starts processes that change them.

mod backend_request;
#[cfg(feature = "full")]
mod backends;
#[cfg(feature = "full")]
mod bundle;
#[cfg_attr(not(feature = "full"), path = "no_cargo_features.rs")]
mod cargo_features;
mod changed_backend;
#[cfg(feature = "full")]
mod check;
#[cfg(feature = "full")]
mod diff;
#[cfg(feature = "full")]
mod env;
#[cfg_attr(not(feature = "full"), path = "no_env_files.rs")]
mod env_files;
mod error;
#[cfg(feature = "full")]
mod exported_lock;
#[cfg(feature = "full")]
mod image;
#[cfg(feature = "full")]
mod importable;
#[cfg(feature = "full")]
mod init;
#[cfg(feature = "full")]
mod installed_state;
#[cfg(feature = "full")]
mod kernel;
mod lock;
#[cfg(feature = "full")]
mod lock_failure;
#[cfg(feature = "full")]
mod not_writable;
mod profile_request;
#[cfg(feature = "full")]
mod profiles;
#[cfg(feature = "full")]
mod promote;
mod run;
#[cfg(feature = "full")]
mod sbom;
mod session;
#[cfg(feature = "full")]
mod status;
mod sync;
#[cfg(feature = "full")]
mod vendor;
#[cfg(feature = "vendored")]
mod vendored_lock;
#[cfg(feature = "full")]
mod verify;
#[cfg(feature = "full")]
mod warnings;

use std::time::Duration;

#[cfg(feature = "full")]
pub use self::{
    backends::{detect, list},
    bundle::{BundleRequest, open_bundle},
    check::{CheckRequest, FixMode},
    diff::{DiffSide, diff},
    env::{EnvRequest, write_cargo_config},
    image::{ImageOptions, ImageRequest},
    importable::{ImportReport, RunningPython, importable},
    init::{AddPackagePlan, InitPlan},
    kernel::{KernelPlan, KernelRequest, list_kernels, remove_kernel},
    profiles::{PinInfo, ProfileInfo, profiles},
    promote::{PackageRequest, PromotePlan, PromoteRequest, TagRef},
    sbom::SbomRequest,
    status::status,
    vendor::VendorRequest,
    verify::VerifyRequest,
    warnings::warnings,
};
pub use backend_request::BackendRequest;
pub(crate) use error::OperationError;
pub use lock::{LockPlan, LockRequest};
pub use profile_request::ProfileRequest;
pub use run::RunRequest;
pub(crate) use run::{activation, existing_environment};
pub use session::{Session, Settings};

#[cfg(feature = "vendored")]
pub use sync::vendored_directory;
pub use sync::{LockMode, SyncPlan, SyncRequest};

use crate::{
    process::{Invocation, Stderr, Streamed},
    report::UvInfo,
    uv::{Uv, UvError},
};

impl From<&Uv> for UvInfo {
    fn from(uv: &Uv) -> Self {
        Self { path: uv.path.clone(), version: uv.version.to_string() }
    }
}

fn uv_failed(invocation: &Invocation, streamed: &Streamed, how: Stderr) -> UvError {
    // Output that the user has already seen is not shown again.
    let is_shown = matches!(how, Stderr::Inherit | Stderr::Tee | Stderr::Relay);
    let stderr = if is_shown { String::new() } else { streamed.stderr.clone() };
    UvError::Failed { command: invocation.to_string(), status: streamed.status, stderr }
}

fn milliseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
