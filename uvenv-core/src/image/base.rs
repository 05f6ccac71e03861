//! The base of an image: its configuration, its layers, and what its files say about Python.

use std::{
    fs::{self, File},
    io,
};

use camino::{Utf8Path, Utf8PathBuf};
use oci_spec::image::{
    Arch, Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType, Os, Platform, RootFs,
};
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::{
    BaseSource, Compression, ImageError, Layout,
    archive::{ArchiveContent, content_of, unpack_layout},
    compression::decompressed,
    file_tree::FileTree,
    layer::layer_of_tar,
    layout::is_index,
    registry,
    source::{NAME, REFERENCE},
};
use crate::{process::Invocation, vendor::hash_file};

/// What `PATH` is in a container without one, as in runc.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A base image.
pub(crate) struct Base {
    /// How it was named.
    pub(crate) name: String,
    pub(crate) configuration: ImageConfiguration,
    pub(crate) layers: Vec<Descriptor>,
    /// The hash of its manifest; a root file system has none.
    pub(crate) digest: Option<String>,
    /// Where its layers are.
    pub(crate) layout: Layout,
    /// What its configuration says that [`ImageConfiguration`] does not have.
    pub(crate) more: Map<String, Value>,
    tree: FileTree,
}

/// Where base images are on this machine.
pub(crate) struct BasePlace {
    /// A directory that is empty.
    pub(crate) unpacked: Utf8PathBuf,
    /// The layout for an image of a registry.
    pub(crate) pulled: Utf8PathBuf,
    /// Whether nothing is pulled.
    pub(crate) is_offline: bool,
}

/// The Python of a base image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BasePython {
    /// An absolute path in the image, with links resolved.
    pub(crate) executable: Utf8PathBuf,
    /// `3.12`.
    pub(crate) version: String,
}

impl Base {
    /// Reads a base image, called `name`. What comes from a registry is kept in `place`, and what has to be unpacked is put
    /// there.
    pub(crate) fn read(
        source: &BaseSource,
        name: &str,
        (place, compression): (&BasePlace, Compression),
        child: &dyn Fn(Invocation) -> Invocation,
    ) -> Result<Self, ImageError> {
        let unreadable = |error: io::Error| unreadable(name, &error);
        match source {
            BaseSource::Layout { directory, image } => {
                Self::of_layout(Layout::open(directory)?, name, image.as_deref())
            }
            BaseSource::Archive { file, image } => match content_of(file).map_err(unreadable)? {
                ArchiveContent::Layout => {
                    unpack_layout(file, &place.unpacked).map_err(unreadable)?;
                    Self::of_layout(Layout::open(&place.unpacked)?, name, image.as_deref())
                }
                ArchiveContent::Files => {
                    Self::of_root_file_system(file, name, Layout::ensure(&place.unpacked)?, compression)
                }
                ArchiveContent::DockerImage => Err(ImageError::OldArchive { base: name.to_owned() }),
            },
            BaseSource::Registry(of_registry) => {
                let pulled = &place.pulled;
                if !place.is_offline {
                    fs::create_dir_all(pulled).map_err(ImageError::io(pulled))?;
                    registry::pull(of_registry, pulled, child)?;
                } else if Layout::find(pulled)?.is_none() {
                    return Err(ImageError::Offline { name: name.to_owned() });
                }
                let layout = Layout::open(pulled)?;
                layout.remove_unused()?;
                Self::of_layout(layout, name, Some("latest"))
            }
        }
    }

    fn of_layout(layout: Layout, name: &str, image: Option<&str>) -> Result<Self, ImageError> {
        let descriptor = find(&layout, name, image)?;
        let manifest: ImageManifest = layout.read(&descriptor)?;
        let raw: Value = layout.read(manifest.config())?;
        let configuration = ImageConfiguration::deserialize(&raw).map_err(|error| unreadable(name, &error))?;
        let more = unknown_to_oci(&raw, &configuration);
        let (os, architecture) = (configuration.os(), configuration.architecture());
        if !is_for_this_machine(os, architecture) {
            return Err(other_platform(name, format!("{os}/{architecture}")));
        }
        let mut tree = FileTree::default();
        for layer in manifest.layers() {
            let path = layout.path(layer);
            let mut read = || {
                if hash_file(&path)?.0 != layer.digest().digest() {
                    return Err(io::Error::other("it does not have the hash that is its name"));
                }
                tree.add_layer(decompressed(File::open(&path)?)?)
            };
            read().map_err(|error| unreadable(name, &format!("{path}: {error}")))?;
        }
        let layers = manifest.layers().iter().map(of_oci).collect();
        let digest = Some(descriptor.digest().to_string());
        Ok(Self { name: name.to_owned(), configuration, layers, digest, layout, more, tree })
    }

    fn of_root_file_system(
        file: &Utf8Path,
        name: &str,
        layout: Layout,
        compression: Compression,
    ) -> Result<Self, ImageError> {
        let mut tree = FileTree::default();
        let mut read = || {
            tree.add_layer(decompressed(File::open(file)?)?)?;
            layer_of_tar(File::open(file)?, &layout, compression)
        };
        let layer = read().map_err(|error| unreadable(name, &error))?;
        let mut files = RootFs::default();
        files.set_typ("layers".to_owned()).set_diff_ids(vec![format!("sha256:{}", layer.diff_id.digest())]);
        let mut configuration = ImageConfiguration::default();
        configuration.set_rootfs(files);
        let layers = vec![layer.descriptor];
        Ok(Self { name: name.to_owned(), configuration, layers, digest: None, layout, tree, more: Map::new() })
    }

    /// Returns the value of a variable that the image sets.
    fn variable(&self, name: &str) -> Option<&str> {
        let variables = self.configuration.config().as_ref()?.env().as_ref()?;
        variables.iter().find_map(|variable| variable.strip_prefix(name)?.strip_prefix('='))
    }

    /// Returns `PATH`.
    pub(crate) fn path(&self) -> &str {
        self.variable("PATH").unwrap_or(DEFAULT_PATH)
    }

    /// Finds a Python of one of the `versions`, such as `3.12`, on `PATH`.
    pub(crate) fn python(&self, versions: &[String]) -> Result<BasePython, ImageError> {
        let directories: Vec<_> =
            self.path().split(':').filter(|path| path.starts_with('/')).map(Utf8Path::new).collect();
        // The first on `PATH`, as a shell would find it.
        for directory in &directories {
            for name in ["python3", "python"]
                .map(str::to_owned)
                .into_iter()
                .chain(versions.iter().map(|one| format!("python{one}")))
            {
                let real = self.tree.program(&directory.join(name));
                let version = |real: &Utf8PathBuf| real.file_name()?.strip_prefix("python").map(str::to_owned);
                if let Some((real, version)) = real.and_then(|real| Some((real.clone(), version(&real)?)))
                    && versions.contains(&version)
                {
                    return Ok(BasePython { executable: Utf8Path::new("/").join(real), version });
                }
            }
        }
        let is_python = |name: &&str| name.strip_prefix("python").is_some_and(|rest| rest.starts_with("3."));
        let found = directories.iter().flat_map(|directory| self.tree.names_in(directory)).filter(is_python);
        let mut found: Vec<_> = found.filter(|name| !name.ends_with("-config")).map(str::to_owned).collect();
        found.dedup();
        Err(ImageError::NoPython { base: self.name.clone(), versions: versions.to_vec(), found })
    }

    /// Returns the version of a Python of the image as precisely as the image says it: `3.12.7` or `3.12`.
    pub(crate) fn python_version(&self, python: &BasePython) -> String {
        let version = self.variable("PYTHON_VERSION");
        let is_of = |text: &&str| text.strip_prefix(&python.version).is_some_and(|rest| rest.starts_with('.'));
        version.filter(is_of).unwrap_or(&python.version).to_owned()
    }

    /// Returns the version of its C library, if that is GNU's.
    pub(crate) fn glibc(&self) -> Option<(u32, u32)> {
        self.tree.glibc
    }

    /// Whether its C library is musl.
    pub(crate) fn has_musl(&self) -> bool {
        self.tree.names_in("/lib".into()).iter().any(|name| name.starts_with("ld-musl-"))
    }

    /// Returns where an absolute path is in the image, with all links in it resolved, without `/` at the start.
    pub(crate) fn place_of(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.tree.place_of(path)
    }

    /// Whether the image has a directory at this path, without `/` at the start.
    pub(crate) fn has_directory(&self, path: &Utf8Path) -> bool {
        self.tree.is_directory(path)
    }

    /// Whether the image has a file at this path, without `/` at the start.
    pub(crate) fn has_file(&self, path: &Utf8Path) -> bool {
        self.tree.is_file(path)
    }
}

/// Returns what Docker adds to configurations, such as health checks.
fn unknown_to_oci(raw: &Value, known: &ImageConfiguration) -> Map<String, Value> {
    let known = serde_json::to_value(known.config()).unwrap_or_default();
    let raw = raw["config"].as_object().cloned().unwrap_or_default();
    raw.into_iter().filter(|(key, value)| !value.is_null() && known.get(key).is_none()).collect()
}

/// Finds an image in a layout.
fn find(layout: &Layout, base: &str, image: Option<&str>) -> Result<Descriptor, ImageError> {
    let index = layout.index()?;
    let annotation = |one: &Descriptor, key: &str| one.annotations().as_ref().and_then(|all| all.get(key).cloned());
    let is_wanted = |one: &&Descriptor| match image {
        Some(image) => {
            let names = [annotation(one, REFERENCE), annotation(one, NAME), Some(one.digest().to_string())];
            names.iter().flatten().any(|name| name == image)
        }
        None => one.platform().as_ref().is_none_or(is_platform_here),
    };
    let mut wanted: Vec<_> = index.manifests().iter().filter(is_wanted).cloned().collect();
    wanted.dedup_by(|one, other| one.digest() == other.digest());
    let [one] = wanted.as_slice() else {
        let shown = |one: &Descriptor| annotation(one, REFERENCE).unwrap_or_else(|| one.digest().to_string());
        let available = index.manifests().iter().map(shown).collect();
        return Err(ImageError::NoImage { base: base.to_owned(), wanted: image.map(str::to_owned), available });
    };
    if !is_index(one) {
        return Ok(one.clone());
    }
    let list: ImageIndex = layout.read(one)?;
    let platforms = || list.manifests().iter().filter_map(|one| Some((one, one.platform().as_ref()?)));
    if let Some((found, _)) = platforms().find(|(_, platform)| is_platform_here(platform)) {
        return Ok(found.clone());
    }
    let shown: Vec<_> =
        platforms().map(|(_, platform)| format!("{}/{}", platform.os(), platform.architecture())).collect();
    let shown = if shown.is_empty() { "no platform".to_owned() } else { shown.join(", ") };
    Err(other_platform(base, shown))
}

fn is_platform_here(platform: &Platform) -> bool {
    is_for_this_machine(platform.os(), platform.architecture())
}

fn is_for_this_machine(os: &Os, architecture: &Arch) -> bool {
    *os == Os::Linux && *architecture == Arch::default()
}

fn other_platform(base: &str, platform: String) -> ImageError {
    ImageError::OtherPlatform { base: base.to_owned(), platform, expected: format!("linux/{}", Arch::default()) }
}

/// Returns a layer with the media type of the OCI, where it has that of Docker: the bytes are the same.
fn of_oci(layer: &Descriptor) -> Descriptor {
    let mut layer = layer.clone();
    if let MediaType::Other(name) = layer.media_type()
        && let Some(compression) = name.strip_prefix("application/vnd.docker.image.rootfs.diff.tar")
    {
        let media_type = match compression {
            ".gzip" => MediaType::ImageLayerGzip,
            ".zstd" => MediaType::ImageLayerZstd,
            _ => MediaType::ImageLayer,
        };
        layer.set_media_type(media_type);
    }
    layer
}

fn unreadable(base: &str, problem: &impl ToString) -> ImageError {
    ImageError::UnreadableBase { base: base.to_owned(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keeps_what_only_docker_knows() {
        let raw = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": { "Cmd": ["sh"], "Env": null, "Healthcheck": { "Test": ["NONE"] }, "Shell": ["bash"] },
            "rootfs": { "type": "layers", "diff_ids": [] },
        });
        let known = serde_json::from_value(raw.clone()).unwrap();
        let more = Value::Object(unknown_to_oci(&raw, &known));
        assert_eq!(more, json!({ "Healthcheck": { "Test": ["NONE"] }, "Shell": ["bash"] }));
    }
}
