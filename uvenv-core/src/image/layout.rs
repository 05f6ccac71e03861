//! Image layouts: directories with blobs and an index of the images that they make up ([image-layout]).
//!
//! [image-layout]: https://github.com/opencontainers/image-spec/blob/main/image-layout.md

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File},
    io::{self, Read as _},
};

use camino::{Utf8Path, Utf8PathBuf};
use oci_spec::image::{
    Descriptor, ImageIndex, ImageManifest, MediaType, OciLayoutBuilder, Platform, PlatformBuilder, SCHEMA_VERSION,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    ImageError,
    blob::{BlobWriter, UNFINISHED},
    source::{ImageName, NAME, REFERENCE},
};
use crate::{
    fs::atomic,
    vendor::{hash, hash_file},
};

/// The file that makes a directory a layout.
pub(super) const MARK: &str = "oci-layout";

pub(super) const INDEX: &str = "index.json";

const BLOBS: &str = "blobs/sha256";

/// The tag of the image in a layout of its own.
pub(super) const ALONE: &str = "image";

/// In hexadecimal digits.
const SHA256_LENGTH: usize = 64;

/// The media type that Docker has for an index.
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// A layout.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    directory: Utf8PathBuf,
}

impl Layout {
    /// Opens an existing layout.
    pub(crate) fn open(directory: &Utf8Path) -> Result<Self, ImageError> {
        if !directory.join(MARK).is_file() {
            return Err(ImageError::NoLayout { directory: directory.to_owned() });
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// Opens the layout in a directory; `None` if there is none yet, because the directory is new or empty.
    pub(crate) fn find(directory: &Utf8Path) -> Result<Option<Self>, ImageError> {
        match fs::read_dir(directory).map(|mut entries| entries.next().is_some()) {
            Ok(true) if directory.join(MARK).is_file() => Self::open(directory).map(Some),
            Ok(true) => {
                // Another process may be making it.
                let _lock = Self { directory: directory.to_owned() }.lock()?;
                Self::open(directory).map(Some)
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ImageError::io(directory)(error)),
            _ => Ok(None),
        }
    }

    /// Opens the layout in a directory, or makes one.
    pub(crate) fn ensure(directory: &Utf8Path) -> Result<Self, ImageError> {
        if let Some(layout) = Self::find(directory)? {
            return Ok(layout);
        }
        let layout = Self { directory: directory.to_owned() };
        fs::create_dir_all(directory).map_err(ImageError::io(directory))?;
        let _lock = layout.lock()?;
        if !directory.join(MARK).is_file() {
            fs::create_dir_all(directory.join(BLOBS)).map_err(ImageError::io(directory))?;
            layout.write_index(Vec::new())?;
        }
        Ok(layout)
    }

    /// Writes what makes a directory a layout.
    fn write_index(&self, manifests: Vec<Descriptor>) -> Result<(), ImageError> {
        let mut index = ImageIndex::default();
        index.set_schema_version(SCHEMA_VERSION).set_media_type(Some(MediaType::ImageIndex)).set_manifests(manifests);
        self.write(INDEX, &index)?;
        let mark = OciLayoutBuilder::default().image_layout_version("1.0.0").build();
        let mark = mark.map_err(|error| ImageError::io(&self.directory)(io::Error::other(error)))?;
        // Last, so that what is interrupted is no layout.
        self.write(MARK, &mark)
    }

    pub(crate) fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// Returns the images that the layout has.
    pub(crate) fn index(&self) -> Result<ImageIndex, ImageError> {
        let path = self.directory.join(INDEX);
        let text = fs::read(&path).map_err(ImageError::io(&path))?;
        serde_json::from_slice(&text).map_err(|error| ImageError::io(path)(error.into()))
    }

    /// Reads a blob of JSON, which must have its hash.
    pub(super) fn read<T: DeserializeOwned>(&self, descriptor: &Descriptor) -> Result<T, ImageError> {
        let path = self.path(descriptor);
        let read = || {
            let text = fs::read(&path)?;
            if hash(&text) != descriptor.digest().digest() {
                return Err(io::Error::other("it does not have the hash that is its name"));
            }
            Ok(serde_json::from_slice(&text)?)
        };
        read().map_err(ImageError::io(&path))
    }

    /// Returns the path of a blob.
    pub(super) fn path(&self, descriptor: &Descriptor) -> Utf8PathBuf {
        let digest = descriptor.digest();
        self.directory.join("blobs").join(digest.algorithm().as_ref()).join(digest.digest())
    }

    /// Returns the paths of the blobs, relative to the layout, in order.
    pub(super) fn blobs(&self) -> io::Result<Vec<Utf8PathBuf>> {
        let names = self.directory.join(BLOBS).read_dir_utf8()?;
        let names: io::Result<Vec<_>> = names.map(|entry| Ok(Utf8Path::new(BLOBS).join(entry?.file_name()))).collect();
        let mut names = names?;
        names.sort();
        Ok(names)
    }

    /// Begins a blob.
    pub(super) fn blob(&self) -> io::Result<BlobWriter> {
        BlobWriter::new(&self.directory.join(BLOBS))
    }

    /// Writes a blob of JSON.
    pub(crate) fn add(&self, media_type: MediaType, value: &impl Serialize) -> Result<Descriptor, ImageError> {
        let add = || {
            let mut blob = self.blob()?;
            io::Write::write_all(&mut blob, canonical(value)?.as_bytes())?;
            blob.finish(media_type, None)
        };
        add().map_err(ImageError::io(&self.directory))
    }

    /// Copies a blob of another layout, which must have its hash.
    pub(crate) fn take(&self, descriptor: &Descriptor, from: &Self) -> Result<(), ImageError> {
        let (path, to) = (from.path(descriptor), self.path(descriptor));
        if hash_file(&to).is_ok_and(|(hash, _)| hash == descriptor.digest().digest()) {
            return Ok(());
        }
        let copy = || {
            let mut blob = self.blob()?;
            io::copy(&mut File::open(&path)?.take(descriptor.size() + 1), &mut blob)?;
            blob.finish(descriptor.media_type().clone(), Some(descriptor.digest().digest()))
        };
        copy().map(drop).map_err(ImageError::io(path.clone()))
    }

    /// Adds an image to the index, in place of the one with the same tag: programs find it by that. One without a name
    /// takes the place of another one without.
    pub(crate) fn insert(&self, manifest: &Descriptor, name: Option<&ImageName>) -> Result<(), ImageError> {
        let mut manifest = manifest.clone();
        manifest.set_platform(Some(platform()));
        let names =
            name.map(|name| HashMap::from([(REFERENCE.to_owned(), name.tag()), (NAME.to_owned(), name.whole())]));
        manifest.set_annotations(names);
        let mut index = self.index()?;
        let others = index.manifests().iter().filter(|one| tag(one) != tag(&manifest)).cloned();
        let manifests = others.chain([manifest.clone()]).collect();
        index.set_manifests(manifests);
        self.write(INDEX, &index)
    }

    /// Makes a layout in an empty directory that has the blobs of this one, and one of its images, with the tag `image`.
    pub(super) fn alone(&self, manifest: &Descriptor, directory: &Utf8Path) -> Result<(), ImageError> {
        let mut manifest = manifest.clone();
        manifest.set_annotations(Some(HashMap::from([(REFERENCE.to_owned(), ALONE.to_owned())])));
        let alone = Self { directory: directory.to_owned() };
        let blobs = camino::absolute_utf8(self.directory.join("blobs")).map_err(ImageError::io(&self.directory))?;
        link(&blobs, &directory.join("blobs")).map_err(ImageError::io(directory))?;
        alone.write_index(vec![manifest])
    }

    /// Keeps other processes from changing the layout.
    pub(crate) fn lock(&self) -> Result<File, ImageError> {
        let lock = || {
            let directory = File::open(&self.directory)?;
            match directory.lock() {
                // Some network file systems do not support locks. Like cargo, continue without one.
                Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
                _ => Ok(directory),
            }
        };
        lock().map_err(ImageError::io(&self.directory))
    }

    /// Removes the blobs that belong to no image, and what interrupted processes have left; the layout is locked. If it is not known which these are, none.
    pub(crate) fn remove_unused(&self) -> Result<(), ImageError> {
        let Some(used) = self.used() else { return Ok(()) };
        let remove = || {
            for path in self.blobs()? {
                let name = path.file_name().unwrap_or_default();
                let is_unfinished = name.starts_with(UNFINISHED);
                if is_unfinished || (name.len() == SHA256_LENGTH && !used.contains(name)) {
                    fs::remove_file(self.directory.join(path))?;
                }
            }
            Ok(())
        };
        remove().map_err(ImageError::io(&self.directory))
    }

    /// Returns the hashes of the blobs of all images.
    fn used(&self) -> Option<BTreeSet<String>> {
        let mut used = BTreeSet::new();
        let mut waiting = self.index().ok()?.manifests().clone();
        while let Some(descriptor) = waiting.pop() {
            if !used.insert(descriptor.digest().digest().to_owned()) {
                continue;
            }
            match descriptor.media_type() {
                MediaType::ImageIndex => waiting.extend(self.read::<ImageIndex>(&descriptor).ok()?.manifests().clone()),
                MediaType::ImageManifest => {
                    let manifest: ImageManifest = self.read(&descriptor).ok()?;
                    let blobs = manifest.layers().iter().chain([manifest.config()]);
                    used.extend(blobs.map(|blob| blob.digest().digest().to_owned()));
                }
                _ => return None,
            }
        }
        Some(used)
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), ImageError> {
        let path = self.directory.join(name);
        let written = canonical(value).map_err(io::Error::other);
        written.and_then(|text| atomic::replace_own(&path, text)).map_err(ImageError::io(&path))
    }
}

/// Whether a blob lists images, as those for several machines.
pub(super) fn is_index(descriptor: &Descriptor) -> bool {
    match descriptor.media_type() {
        MediaType::ImageIndex => true,
        MediaType::Other(other) => other == DOCKER_LIST,
        _ => false,
    }
}

fn tag(manifest: &Descriptor) -> Option<&String> {
    manifest.annotations().as_ref()?.get(REFERENCE)
}

#[cfg(unix)]
fn link(target: &Utf8Path, link: &Utf8Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn link(_: &Utf8Path, _: &Utf8Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the platform of this machine, which is that of all images.
fn platform() -> Platform {
    // All that is necessary has a default.
    PlatformBuilder::default().build().unwrap_or_default()
}

/// Returns JSON with sorted keys: the maps of `oci_spec` have no order.
fn canonical(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_value(value)?.to_string())
}
