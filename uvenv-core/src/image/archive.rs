//! Archives of layouts: tar files.

use std::{
    fs::{self, File},
    io,
};

use camino::Utf8Path;
use tar::{EntryType, Header};

use super::{
    ImageError, Layout, TIME,
    compression::decompressed,
    layout::{INDEX, MARK},
};

/// Writes an archive of a layout, in place of the file that is there. The same layout makes the same bytes.
pub(crate) fn write_archive(layout: &Layout, file: &Utf8Path) -> Result<(), ImageError> {
    let write = || {
        let directory = file.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        fs::create_dir_all(directory)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".image");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut tar = tar::Builder::new(builder.tempfile_in(directory)?);
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
        let temporary = tar.into_inner()?;
        temporary.as_file().sync_data()?;
        temporary.persist(file).map(drop).map_err(|error| error.error)
    };
    write().map_err(ImageError::io(file))
}

fn append(tar: &mut tar::Builder<tempfile::NamedTempFile>, directory: &Utf8Path, name: &Utf8Path) -> io::Result<()> {
    let mut file = File::open(directory.join(name))?;
    let mut header = header(EntryType::Regular, 0o644);
    header.set_size(file.metadata()?.len());
    tar.append_data(&mut header, name, &mut file)
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(TIME);
    header.set_size(0);
    header
}

/// Unpacks an archive of a layout to `directory`. Returns whether it is one, and not that of something else.
pub(super) fn unpack_layout(file: &Utf8Path, directory: &Utf8Path) -> io::Result<bool> {
    let mut archive = tar::Archive::new(decompressed(File::open(file)?)?);
    let mut is_layout = false;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let path = path.strip_prefix(".").unwrap_or(&path);
        let is_part = path.as_os_str().is_empty() || path.starts_with("blobs") || path == MARK || path == INDEX;
        is_layout |= path == MARK;
        // docker has its own list of images in the archive as well.
        if is_part && matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Directory) {
            entry.unpack_in(directory)?;
        } else if !is_layout && path != "manifest.json" && path != "repositories" {
            return Ok(false);
        }
    }
    Ok(is_layout)
}
