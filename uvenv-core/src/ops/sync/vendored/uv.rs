//! The uv for a sync from a vendored directory, which can have one.

use camino::Utf8Path;

use crate::{ops::Session, uv::Uv};
#[cfg(feature = "full")]
use crate::{
    uv::{self, unpack},
    vendor::{Purpose, VendoredLock, locks_in, read_wheel},
};

/// Returns the uv of the session or, on a machine without one, that of the directory.
pub(super) fn find_uv(session: &Session, directory: &Utf8Path) -> crate::Result<Uv> {
    #[cfg(not(feature = "full"))]
    let _ = directory;
    #[cfg(feature = "full")]
    unpack_if_missing(session, directory)?;
    session.uv().cloned()
}

#[cfg(feature = "full")]
fn unpack_if_missing(session: &Session, directory: &Utf8Path) -> crate::Result<()> {
    let settings = &session.settings;
    if uv::find(&settings.variables, settings.companion_uv.as_deref())?.is_none() {
        let locks = locks_in(directory)?;
        let locks = locks.iter().filter(|lock| lock.facts.purpose == Purpose::Uv);
        let mut wheels: Vec<_> = locks.flat_map(VendoredLock::wheels).collect();
        // An emulator may run those for another machine, so that those for this one come first.
        wheels.sort_by_key(|wheel| !wheel.file.contains(std::env::consts::ARCH));
        for wheel in wheels {
            let bytes = read_wheel(directory, wheel)?;
            let version = wheel.file.split('-').nth(1).unwrap_or_default();
            if unpack(&bytes, version, &settings.variables, settings.observer())?.is_some() {
                break;
            }
        }
    }
    Ok(())
}
