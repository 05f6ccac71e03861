//! Finds the lock of a vendored directory that belongs to a profile.

#[cfg(feature = "full")]
use std::collections::BTreeMap;

use camino::Utf8Path;
#[cfg(feature = "full")]
use camino::Utf8PathBuf;

use super::OperationError;
#[cfg(feature = "full")]
use crate::vendor::WHEELS;
use crate::{
    model::Name,
    monorepo::ProfileContext,
    vendor::{VendoredLock, find_lock},
};

/// Returns the lock in `directory` for the profile and the backend, which must have been made from the present lockfile.
pub(super) fn vendored_lock(
    directory: &Utf8Path,
    context: &ProfileContext<'_>,
    backend: Option<&Name>,
) -> crate::Result<VendoredLock> {
    let Some(lockfile) = context.lockfile()? else { return Err(OperationError::no_lockfile(context).into()) };
    let lock = find_lock(directory, context.profile, backend)?;
    lock.check_lockfile(lockfile, &context.lockfile_name())?;
    Ok(lock)
}

/// Returns the paths of the wheels of each package.
#[cfg(feature = "full")]
pub(super) fn wheels_of(directory: &Utf8Path, lock: &VendoredLock) -> BTreeMap<Name, Vec<Utf8PathBuf>> {
    let mut wheels: BTreeMap<Name, Vec<Utf8PathBuf>> = BTreeMap::new();
    for (name, of_package) in &lock.packages {
        let paths = of_package.iter().map(|wheel| directory.join(WHEELS).join(&wheel.file));
        wheels.entry(name.clone()).or_default().extend(paths);
    }
    wheels
}
