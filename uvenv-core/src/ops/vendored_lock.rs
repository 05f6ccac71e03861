//! Finds the lock of a vendored directory that belongs to a profile.

use camino::Utf8Path;
#[cfg(feature = "full")]
use camino::Utf8PathBuf;

use super::OperationError;
#[cfg(feature = "full")]
use super::{
    BackendRequest, Session,
    backend_request::{self, SelectedPackages},
    sync::vendored_directory,
};
use crate::{model::Name, monorepo::ProfileContext, vendor::VendoredSelection};

/// Returns what `directory` has for the profile and the backend, which must have been made from the present lockfile.
pub(super) fn vendored_lock(
    directory: &Utf8Path,
    context: &ProfileContext<'_>,
    backend: Option<&Name>,
) -> crate::Result<VendoredSelection> {
    let Some(lockfile) = context.lockfile_text()? else { return Err(OperationError::no_lockfile(context).into()) };
    let selection = VendoredSelection::read(directory, context.profile, backend)?;
    selection.lock.check_lockfile(&lockfile.text, &context.lockfile_name())?;
    Ok(selection)
}

/// Where `vendor` writes by default.
#[cfg(feature = "full")]
pub(super) const VENDORED: &str = "vendored";

/// Returns the directory that was named, or that of `UVENV_VENDORED`, or else the one that `vendor` writes by default.
#[cfg(feature = "full")]
pub(super) fn named_or_default(named: Option<&Utf8Path>, session: &Session) -> Utf8PathBuf {
    let directory = named.map(Utf8Path::to_owned).or_else(|| vendored_directory(&session.settings.variables));
    directory.unwrap_or_else(|| VENDORED.into())
}

/// Returns what `directory` has for the profile and the backend that is requested.
#[cfg(feature = "full")]
pub(super) fn selected_lock(
    directory: &Utf8Path,
    context: &ProfileContext<'_>,
    (session, request): (&Session, &BackendRequest),
) -> crate::Result<VendoredSelection> {
    let available = SelectedPackages { names: &[], all: false }.backends(context, session)?;
    let selection = backend_request::select(context, session, &available, request, &[])?;
    vendored_lock(directory, context, selection.name())
}
