//! Finds the lock of a vendored directory that belongs to a profile.

use camino::Utf8Path;

use super::OperationError;
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
