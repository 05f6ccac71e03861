//! All scenarios, with the uv that uvenv fetches.
#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes snapshots with them")]

#[cfg(unix)]
#[path = "suite/at_once.rs"]
mod at_once;
#[path = "suite/backend.rs"]
mod backend;
#[path = "suite/bad_input.rs"]
mod bad_input;
#[path = "suite/build_script.rs"]
mod build_script;
#[cfg(target_os = "linux")]
#[path = "suite/bundle.rs"]
mod bundle;
#[path = "suite/check.rs"]
mod check;
#[path = "suite/check_pins.rs"]
mod check_pins;
#[cfg(unix)]
#[path = "suite/check_remote.rs"]
mod check_remote;
#[path = "suite/check_workspace.rs"]
mod check_workspace;
#[cfg(unix)]
#[path = "suite/ci.rs"]
mod ci;
#[path = "suite/command_line.rs"]
mod command_line;
#[path = "suite/container.rs"]
mod container;
#[path = "suite/diff.rs"]
mod diff;
#[path = "suite/discovery.rs"]
mod discovery;
#[path = "suite/docs.rs"]
mod docs;
#[cfg(unix)]
#[path = "suite/embed.rs"]
mod embed;
#[cfg(unix)]
#[path = "suite/env.rs"]
mod env;
#[cfg(unix)]
#[path = "suite/example.rs"]
mod example;
#[path = "suite/fetch_uv.rs"]
mod fetch_uv;
#[path = "suite/frozen.rs"]
mod frozen;
#[cfg(target_os = "linux")]
#[path = "suite/image.rs"]
mod image;
#[cfg(unix)]
#[path = "suite/init.rs"]
mod init;
#[cfg(unix)]
#[path = "suite/interrupted_sync.rs"]
mod interrupted_sync;
#[path = "suite/kept_backend.rs"]
mod kept_backend;
#[cfg(unix)]
#[path = "suite/kernel.rs"]
mod kernel;
#[cfg(target_os = "linux")]
#[path = "suite/killed.rs"]
mod killed;
#[path = "suite/lock_verdicts.rs"]
mod lock_verdicts;
#[path = "suite/locked_backends.rs"]
mod locked_backends;
#[path = "suite/monorepos.rs"]
mod monorepos;
#[cfg(unix)]
#[path = "suite/moved.rs"]
mod moved;
#[path = "suite/native.rs"]
mod native;
#[path = "suite/new.rs"]
mod new;
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
#[path = "suite/secrets.rs"]
mod secrets;
#[cfg(target_os = "linux")]
#[path = "suite/signed_tags.rs"]
mod signed_tags;
#[path = "suite/status.rs"]
mod status;
#[cfg(target_os = "linux")]
#[path = "suite/sync_cache.rs"]
mod sync_cache;
#[path = "suite/uv_variables.rs"]
mod uv_variables;
#[cfg(unix)]
#[path = "suite/vendor.rs"]
mod vendor;
#[cfg(target_os = "linux")]
#[path = "suite/vendored_builds.rs"]
mod vendored_builds;
#[cfg(target_os = "linux")]
#[path = "suite/vendored_sync.rs"]
mod vendored_sync;
#[cfg(unix)]
#[path = "suite/verify.rs"]
mod verify;
#[path = "suite/workflow.rs"]
mod workflow;

use self::monorepos::{PACKAGES, backends_only, empty, pinned, three_profiles, torch, uv};
