//! Layers: tar archives without anything of the machine that made them.

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
};

use camino::{Utf8Path, Utf8PathBuf};
use oci_spec::image::{Descriptor, Sha256Digest};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use super::{
    Compression, Layout, TIME,
    blob::{self, BlobWriter},
    compression::{Compressor, decompressed},
    file_tree::{OPAQUE, WHITEOUT},
};
use crate::vendor::hex;

/// A layer in a layout.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) descriptor: Descriptor,
    /// The hash of what was compressed.
    pub(crate) diff_id: Sha256Digest,
}

/// Writes a layer. Paths are relative to the root of the image. All belongs to root, and only root can change it.
pub(crate) struct LayerWriter {
    tar: tar::Builder<Hashing>,
    directories: BTreeSet<Utf8PathBuf>,
}

impl LayerWriter {
    /// Begins a layer in `layout`. The directories that are `known` are in lower layers, and stay as they are there.
    pub(crate) fn new(layout: &Layout, compression: Compression, known: BTreeSet<Utf8PathBuf>) -> io::Result<Self> {
        Ok(Self { tar: tar::Builder::new(Hashing::new(layout, compression)?), directories: known })
    }

    /// Adds a directory and those above it, unless the layer has them.
    pub(crate) fn directory(&mut self, path: &Utf8Path) -> io::Result<()> {
        if path.as_str().is_empty() || self.directories.contains(path) {
            return Ok(());
        }
        path.parent().map_or(Ok(()), |parent| self.directory(parent))?;
        self.directories.insert(path.to_owned());
        let mut header = header(EntryType::Directory, 0o755);
        self.tar.append_data(&mut header, format!("{path}/"), io::empty())
    }

    /// Lets a directory hide what the base has in it.
    pub(crate) fn hide_base(&mut self, path: &Utf8Path) -> io::Result<()> {
        self.directory(path)?;
        self.append(&path.join(OPAQUE), false, (0, &mut io::empty()))
    }

    /// Adds a file with a size in bytes and its content.
    pub(crate) fn file(
        &mut self,
        path: &Utf8Path,
        is_executable: bool,
        (size, content): (u64, &mut dyn Read),
    ) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.directory(parent))?;
        if path.file_name().is_some_and(|name| name.starts_with(WHITEOUT)) {
            return Err(io::Error::other(format!(
                "`{path}` cannot be in an image: its name has another meaning there"
            )));
        }
        self.append(path, is_executable, (size, content))
    }

    fn append(
        &mut self,
        path: &Utf8Path,
        is_executable: bool,
        (size, content): (u64, &mut dyn Read),
    ) -> io::Result<()> {
        let mut header = header(EntryType::Regular, if is_executable { 0o755 } else { 0o644 });
        header.set_size(size);
        self.tar.append_data(&mut header, path, content)
    }

    /// Adds a file with a text.
    pub(crate) fn text(&mut self, path: &Utf8Path, text: &str) -> io::Result<()> {
        self.file(path, false, (text.len() as u64, &mut text.as_bytes()))
    }

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, path: &Utf8Path, target: &str) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.directory(parent))?;
        self.tar.append_link(&mut header(EntryType::Symlink, 0o777), path, target)
    }

    /// Ends the layer.
    pub(crate) fn finish(self) -> io::Result<Layer> {
        self.tar.into_inner()?.finish()
    }
}

/// Makes a layer in `layout` of a tar archive, which may be compressed.
pub(super) fn layer_of_tar(tar: impl Read, layout: &Layout, compression: Compression) -> io::Result<Layer> {
    let mut to = Hashing::new(layout, compression)?;
    io::copy(&mut decompressed(tar)?, &mut to)?;
    to.finish()
}

/// Returns the header of an entry, of any archive: its owner is root, and its time the same for all.
pub(super) fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(TIME);
    header.set_size(0);
    header
}

/// Hashes what it compresses.
struct Hashing {
    to: Compressor<BlobWriter>,
    hasher: Sha256,
    compression: Compression,
}

impl Hashing {
    fn new(layout: &Layout, compression: Compression) -> io::Result<Self> {
        Ok(Self { to: Compressor::new(layout.blob()?, compression), hasher: Sha256::new(), compression })
    }

    fn finish(self) -> io::Result<Layer> {
        let diff_id = blob::sha256(&hex(&self.hasher.finalize()))?;
        let descriptor = self.to.finish()?.finish(self.compression.media_type(), None)?;
        Ok(Layer { descriptor, diff_id })
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.to.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
