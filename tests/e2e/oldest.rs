//! The scenarios whose outcome depends on uv, with the oldest supported uv. (The differential test runs it too.)
#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes snapshots with them")]

#[path = "suite/backend.rs"]
mod backend;
#[path = "suite/bad_input.rs"]
mod bad_input;
#[path = "suite/check_pins.rs"]
mod check_pins;
#[path = "suite/frozen.rs"]
mod frozen;
#[cfg(unix)]
#[path = "suite/interrupted_sync.rs"]
mod interrupted_sync;
#[path = "suite/kept_backend.rs"]
mod kept_backend;
#[cfg(target_os = "linux")]
#[path = "suite/killed.rs"]
mod killed;
#[path = "suite/lock_verdicts.rs"]
mod lock_verdicts;
#[path = "suite/monorepos.rs"]
mod monorepos;
#[path = "suite/native.rs"]
mod native;
#[cfg(unix)]
#[path = "suite/observe.rs"]
mod observe;
#[path = "suite/options.rs"]
mod options;
#[path = "suite/plain_uv.rs"]
mod plain_uv;
#[cfg(unix)]
#[path = "suite/promote.rs"]
mod promote;
#[path = "suite/run.rs"]
mod run;
#[cfg(unix)]
#[path = "suite/sbom.rs"]
mod sbom;
#[path = "suite/status.rs"]
mod status;
#[cfg(target_os = "linux")]
#[path = "suite/vendored_sync.rs"]
mod vendored_sync;
#[cfg(unix)]
#[path = "suite/verify.rs"]
mod verify;
#[path = "suite/workflow.rs"]
mod workflow;

use self::monorepos::{PACKAGES, backends_only, empty, pinned, three_profiles, torch, uv};
