//! Archives of layouts: tar files.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use camino::Utf8Path;
use tar::EntryType;

use super::{
    ImageError, Layout,
    compression::decompressed,
    layer::header,
    layout::{INDEX, MARK},
};

/// What a tar archive is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArchiveContent {
    Layout,
    /// What `docker save` wrote before it wrote layouts.
    DockerImage,
    /// Something else: a root file system.
    Files,
}

/// Writes an archive of a layout, in place of the file that is there. The same layout makes the same bytes.
pub(crate) fn write_archive(layout: &Layout, file: &Utf8Path) -> Result<(), ImageError> {
    let directory = file.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    // What an interrupted run has left, the next one replaces.
    let unfinished = directory.join(format!(".{}.unfinished", file.file_name().unwrap_or_default()));
    let write = || {
        fs::create_dir_all(directory)?;
        let mut tar = tar::Builder::new(File::create(&unfinished)?);
        for name in [MARK, INDEX] {
            append(&mut tar, layout.directory(), Utf8Path::new(name))?;
        }
        for directory in ["blobs", "blobs/sha256"] {
            let mut header = header(EntryType::Directory, 0o755);
            tar.append_data(&mut header, format!("{directory}/"), io::empty())?;
        }
        for name in layout.blobs()? {
            append(&mut tar, layout.directory(), &name)?;
        }
        tar.into_inner()?.sync_data()?;
        fs::rename(&unfinished, file)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        ImageError::io(file)(error)
    })
}

fn append(tar: &mut tar::Builder<File>, directory: &Utf8Path, name: &Utf8Path) -> io::Result<()> {
    let mut file = File::open(directory.join(name))?;
    let mut header = header(EntryType::Regular, 0o644);
    header.set_size(file.metadata()?.len());
    tar.append_data(&mut header, name, &mut file)
}

/// Returns what an archive is of.
pub(super) fn content_of(file: &Utf8Path) -> io::Result<ArchiveContent> {
    let mut archive = tar::Archive::new(decompressed(File::open(file)?)?);
    let mut is_empty = true;
    let mut content = ArchiveContent::Files;
    for entry in archive.entries()? {
        is_empty = false;
        match relative(&entry?)?.to_str() {
            Some(MARK) => return Ok(ArchiveContent::Layout),
            // An archive can be both.
            Some("manifest.json") => content = ArchiveContent::DockerImage,
            _ => {}
        }
    }
    if is_empty { Err(io::Error::other("it is not a tar archive, or an empty one")) } else { Ok(content) }
}

/// Unpacks an archive of a layout to `directory`.
pub(super) fn unpack_layout(file: &Utf8Path, directory: &Utf8Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(decompressed(File::open(file)?)?);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = relative(&entry)?;
        let is_part = path.starts_with("blobs") || path == Path::new(MARK) || path == Path::new(INDEX);
        if is_part && matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Directory) {
            entry.unpack_in(directory)?;
        }
    }
    Ok(())
}

/// Returns the path of an entry without `./` at the start.
fn relative(entry: &tar::Entry<'_, impl io::Read>) -> io::Result<PathBuf> {
    let path = entry.path()?.into_owned();
    Ok(path.strip_prefix(".").map(Path::to_owned).unwrap_or(path))
}
