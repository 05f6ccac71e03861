//! Locks of what is not installed in the environment: uv itself, and what builds required.

use std::fs;

use super::planned_lock::{BUILDS_LOCK, PlannedLock, UV_LOCK};
use crate::{
    fs::PrivateDirectory,
    uv::PipCompileCommand,
    vendor::{ArtifactKind, Purpose, Pylock, Target, VendorContext, VendorError, captured, select, version_in},
};

/// Resolves the uv that is used, for each target.
pub(super) fn of_uv(context: &VendorContext<'_>, targets: &[Target]) -> crate::Result<PlannedLock> {
    lock(context, Purpose::Uv, targets.to_vec(), &format!("uv=={}\n", context.uv.version))
}

/// Resolves the requirements of builds, which have versions already, for the interpreters of this machine, which build.
pub(super) fn of_builds(
    context: &VendorContext<'_>,
    targets: &[Target],
    requirements: &str,
) -> crate::Result<PlannedLock> {
    let mut here: Vec<_> = targets.iter().map(|target| Target { platform: None, ..target.clone() }).collect();
    here.dedup_by_key(|target| target.description());
    lock(context, Purpose::Builds, here, requirements)
}

fn lock(
    context: &VendorContext<'_>,
    purpose: Purpose,
    targets: Vec<Target>,
    requirements: &str,
) -> crate::Result<PlannedLock> {
    let file = if purpose == Purpose::Uv { UV_LOCK } else { BUILDS_LOCK };
    // The URLs in the lock can have credentials.
    let place = PrivateDirectory::new()?;
    let (input, output) = (place.path().join("requirements.in"), place.path().join(file));
    fs::write(&input, requirements).map_err(VendorError::io(&input))?;
    let versions = targets.iter().map(|target| version_in(&target.tools.target));
    let compile = PipCompileCommand {
        project: context.project,
        requirements: &input,
        output: &output,
        interpreter: targets.first().map_or("", |target| &target.tools.interpreter),
        // The oldest, so that the lock is for all.
        python_version: versions
            .min_by_key(|version| version.split('.').filter_map(|part| part.parse::<u32>().ok()).collect::<Vec<_>>()),
        hashes: false,
        offline: context.offline,
    };
    captured(context, compile.invocation(context.uv))?;
    let text = fs::read_to_string(&output).map_err(VendorError::io(&output))?;
    let selected: crate::Result<Vec<_>> = targets.iter().map(|target| select(context, target, &output)).collect();
    let (selected, pylock) = (selected?, Pylock::parse(&text).map_err(VendorError::io(&output))?);
    let mut artifacts = selected.iter().flat_map(|selected| &selected.artifacts);
    if let Some(other) = artifacts.find(|artifact| artifact.kind != ArtifactKind::Wheel) {
        return Err(VendorError::ToolWithoutWheel { package: other.name.to_string() }.into());
    }
    Ok(PlannedLock { file: file.to_owned(), purpose, backend: None, path: output, pylock, targets, selected })
}
