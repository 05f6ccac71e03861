//! Asks uv whether it would install what was selected, before the directory changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
};

use camino::Utf8Path;

use super::{directory::VendoredDirectory, planned_lock::PlannedLock};
use crate::{
    model::Name,
    ops::Session,
    process::Stderr,
    uv::{Uv, messages::planned_changes, pip_plan::PipPlanCommand},
    vendor::{Selected, VendorError, WHEELS},
};

/// Rejects a lock with `text` and `wheels` of which uv would install something else for one of its targets.
pub(super) fn confirm(
    session: &Session,
    uv: &Uv,
    (lock, text, wheels): (&PlannedLock, &str, &[String]),
    directory: &VendoredDirectory,
) -> crate::Result<()> {
    let place = directory.staging()?.join("confirm");
    let path = place.join("pylock.toml");
    let done = lay_out(&place, directory, wheels).and_then(|()| fs::write(&path, text));
    done.map_err(VendorError::io(&place))?;
    for (target, selected) in lock.targets.iter().zip(&lock.selected) {
        let command = PipPlanCommand {
            lock: &path,
            python: &target.tools.interpreter,
            platform: target.platform.as_deref(),
            target: &place.join("environment"),
        };
        let streamed = session.stream(&command.invocation(uv), Stderr::Capture)?;
        let problem = if streamed.status.success() {
            difference(lock, selected, &streamed.stderr)
        } else {
            Some(streamed.stderr.trim().to_owned())
        };
        if let Some(problem) = problem {
            return Err(VendorError::Selection { interpreter: target.shown(), problem }.into());
        }
    }
    fs::remove_dir_all(&place).map_err(VendorError::io(&place))?;
    Ok(())
}

/// Makes the directory as it will be: the lock is beside the wheels.
fn lay_out(place: &Utf8Path, directory: &VendoredDirectory, wheels: &[String]) -> io::Result<()> {
    match fs::remove_dir_all(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(place.join(WHEELS))?,
    }
    for file in wheels {
        let from = directory.staged_or_present(file).map_err(io::Error::other)?;
        let to = place.join(WHEELS).join(file);
        // Some file systems have no links.
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop))?;
    }
    Ok(())
}

/// Returns how what uv would install differs from what was selected.
fn difference(lock: &PlannedLock, selected: &Selected, stderr: &str) -> Option<String> {
    let by_uv: BTreeMap<Name, Option<String>> =
        planned_changes(stderr).map(|change| (change.name, change.version)).collect();
    let ours: BTreeMap<&Name, Option<&str>> =
        selected.artifacts.iter().map(|artifact| (&artifact.name, lock.pylock.version(artifact.index))).collect();
    let is_other = |name: &&Name| match (by_uv.get(*name), ours.get(name)) {
        // A lock need not have versions.
        (Some(Some(by_uv)), Some(Some(ours))) => by_uv != ours,
        (Some(_), Some(_)) => false,
        _ => true,
    };
    let names: BTreeSet<_> = by_uv.keys().chain(ours.keys().copied()).filter(is_other).collect();
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| format!("uv and `packaging` disagree about {}", names.join(", ")))
}
