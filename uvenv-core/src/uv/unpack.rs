//! Takes uv from its wheel, for machines that have no uv and no index.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use zip::ZipArchive;

use super::{
    Version, executable_in,
    fetch::{WORK, remove_remains},
};
use crate::{
    fs::cache::{self, CacheError, FileLock},
    model::{Observer, Variables},
    process::{Invocation, is_program},
};

/// Unpacks uv of `version` from the bytes of a wheel into uvenv's cache, where it is found from then on; `None` if it does not
/// run on this machine.
pub(crate) fn unpack(
    wheel: &[u8],
    version: &str,
    variables: &Variables,
    observer: &dyn Observer,
) -> crate::Result<Option<Utf8PathBuf>> {
    let directory = cache::directory(variables)?.join("uv");
    let place = directory.join(version);
    let executable = executable_in(&place);
    let lock = directory.join(".lock");
    let _lock = FileLock::acquire(&lock, variables, observer, || "is fetching uv".to_owned())?;
    // Another process has unpacked it meanwhile.
    if is_program(executable.as_std_path()) {
        return Ok(Some(executable));
    }
    remove_remains(&directory, &place)?;
    let work = directory.join(format!("{WORK}{}", std::process::id()));
    let unpacked = extract(wheel, &executable_in(&work)).and_then(|is_there| {
        if !(is_there && runs(&executable_in(&work), version, variables)) {
            return Ok(false);
        }
        fs::rename(&work, &place).map(|()| true)
    });
    let _ = fs::remove_dir_all(&work);
    Ok(unpacked.map_err(CacheError::unusable(&work))?.then_some(executable))
}

/// Extracts the program to `path`. Returns whether the wheel has one.
fn extract(wheel: &[u8], path: &Utf8Path) -> io::Result<bool> {
    let mut archive = ZipArchive::new(io::Cursor::new(wheel)).map_err(io::Error::other)?;
    let end = format!(".data/scripts/{}", path.file_name().unwrap_or_default());
    let names: Vec<_> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let Some(name) = names.iter().find(|name| name.ends_with(&end)) else { return Ok(false) };
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut file = fs::File::create(path)?;
    io::copy(&mut archive.by_name(name).map_err(io::Error::other)?, &mut file)?;
    make_executable(&file)?;
    Ok(true)
}

/// Whether the program is uv of this version. One for another platform does not run.
fn runs(path: &Utf8Path, version: &str, variables: &Variables) -> bool {
    let answer = Invocation::new(path.as_str()).arg("--version").seeing(variables).capture();
    let said =
        answer.ok().filter(|answer| answer.status.success()).and_then(|answer| Version::from_answer(&answer.stdout));
    said.is_some_and(|said| said.to_string() == version)
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
