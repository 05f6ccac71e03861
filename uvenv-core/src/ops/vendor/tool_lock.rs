//! Locks of what is not installed in the environment: uv itself, and what builds required.

use std::fs;

use camino::Utf8Path;

use super::planned_lock::{BUILDS_LOCK, PlannedLock, UV_LOCK};
use crate::{
    uv::PipCompileCommand,
    vendor::{ArtifactKind, Purpose, Pylock, Target, VendorContext, VendorError, captured, select, version_in},
};

/// Resolves the uv that is used, for each target, in the directory `place`.
pub(super) fn of_uv(context: &VendorContext<'_>, targets: &[Target], place: &Utf8Path) -> crate::Result<PlannedLock> {
    let requirements = place.join("uv.in");
    fs::write(&requirements, format!("uv=={}\n", context.uv.version)).map_err(VendorError::io(&requirements))?;
    lock(context, Purpose::Uv, targets.to_vec(), &requirements)
}

/// Resolves the requirements of builds, which have versions already, for the interpreters of this machine, which build.
pub(super) fn of_builds(
    context: &VendorContext<'_>,
    targets: &[Target],
    requirements: &Utf8Path,
) -> crate::Result<PlannedLock> {
    let mut here: Vec<_> = targets.iter().map(|target| Target { platform: None, ..target.clone() }).collect();
    here.dedup_by_key(|target| target.description());
    lock(context, Purpose::Builds, here, requirements)
}

fn lock(
    context: &VendorContext<'_>,
    purpose: Purpose,
    targets: Vec<Target>,
    requirements: &Utf8Path,
) -> crate::Result<PlannedLock> {
    let file = if purpose == Purpose::Uv { UV_LOCK } else { BUILDS_LOCK };
    let output = requirements.with_file_name(file);
    let versions = targets.iter().map(|target| version_in(&target.tools.target));
    let compile = PipCompileCommand {
        requirements,
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
    // Its URLs can have credentials.
    let _ = fs::remove_file(&output);
    let (selected, pylock) = (selected?, Pylock::parse(&text).map_err(VendorError::io(&output))?);
    let mut artifacts = selected.iter().flat_map(|selected| &selected.artifacts);
    if let Some(other) = artifacts.find(|artifact| artifact.kind != ArtifactKind::Wheel) {
        let problem = "there is no wheel of it, which a build could use without an index".to_owned();
        return Err(VendorError::Package { package: other.name.to_string(), problem }.into());
    }
    Ok(PlannedLock { file: file.to_owned(), purpose, backend: None, path: output, pylock, targets, selected })
}
