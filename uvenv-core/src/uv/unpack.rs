//! Takes uv from its wheel, for machines that have no uv and no index.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use zip::ZipArchive;

use super::{Version, executable_in};
use crate::{
    fs::cache::{self, CacheError, FileLock},
    model::{Observer, Variables},
    process::Invocation,
};

/// Unpacks uv from `wheel` into uvenv's cache, where it is found from then on; `None` if it does not run on this machine.
pub(crate) fn unpack(
    wheel: &Utf8Path,
    variables: &Variables,
    observer: &dyn Observer,
) -> crate::Result<Option<Utf8PathBuf>> {
    let directory = cache::directory(variables)?.join("uv");
    let lock = directory.join(".lock");
    let _lock = FileLock::acquire(&lock, variables, observer, || "is fetching uv".to_owned())?;
    let work = directory.join(format!(".unpack-{}", std::process::id()));
    let unpacked = extract(wheel, &executable_in(&work)).map_err(CacheError::unusable(wheel))?;
    let version = unpacked.then(|| version_of(&executable_in(&work), variables)).flatten();
    let Some(version) = version else {
        let _ = fs::remove_dir_all(&work);
        return Ok(None);
    };
    let place = directory.join(version.to_string());
    // One that was interrupted here is not whole.
    let _ = fs::remove_dir_all(&place);
    fs::rename(&work, &place).map_err(CacheError::unusable(&place))?;
    Ok(Some(executable_in(&place)))
}

/// Extracts the program to `path`. Returns whether the wheel has one.
fn extract(wheel: &Utf8Path, path: &Utf8Path) -> io::Result<bool> {
    let mut archive = ZipArchive::new(fs::File::open(wheel)?).map_err(io::Error::other)?;
    let end = format!(".data/scripts/{}", path.file_name().unwrap_or_default());
    let names: Vec<_> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let Some(name) = names.iter().find(|name| name.ends_with(&end)) else { return Ok(false) };
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut file = fs::File::create(path)?;
    io::copy(&mut archive.by_name(name).map_err(io::Error::other)?, &mut file)?;
    make_executable(&file)?;
    Ok(true)
}

#[cfg(unix)]
fn make_executable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    file.set_permissions(fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn make_executable(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// Returns the version that the program says; `None` if it does not run, because it is for another platform.
fn version_of(path: &Utf8Path, variables: &Variables) -> Option<Version> {
    let answer = Invocation::new(path.as_str()).arg("--version").seeing(variables).capture().ok()?;
    answer.status.success().then(|| Version::from_answer(&answer.stdout)).flatten()
}
