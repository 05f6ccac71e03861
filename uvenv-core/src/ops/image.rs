//! `image`: a container image with the environment of a vendored profile.

mod configuration;
mod contents;
mod environment;
mod options;

use std::{io, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};
use oci_spec::image::{Descriptor, ImageManifestBuilder, MediaType, SCHEMA_VERSION};

pub use self::options::ImageOptions;
use self::{
    configuration::{annotations, configured},
    contents::{Contents, ImageFile, write_files},
    environment::ImageEnvironment,
    options::Destination,
};
use super::{BackendRequest, ProfileRequest, Session, milliseconds};
use crate::{
    image::{Base, BaseSource, Compression, ImageError, Layer, LayerWriter, Layout, push, write_archive},
    model::Profile,
    monorepo::Monorepo,
    report::{ImageLayer, ImageLayerContent, ImageReport},
};

/// A request for an image.
#[derive(Clone, Debug, Default)]
pub struct ImageRequest {
    /// The backend.
    pub backend: BackendRequest,
    /// The vendored directory; by default that of `UVENV_VENDORED`, or else the one that `vendor` writes by default.
    pub vendored: Option<Utf8PathBuf>,
    /// The base image: an OCI layout, an archive of one, a root file system as a tar file, or a name in a registry.
    pub base: String,
    /// An interpreter of this machine with the version of that in the base, by version or path; by default, one that uv finds.
    pub python: Option<String>,
    /// What the image says and where its files are.
    pub options: ImageOptions,
    /// How its layers are compressed.
    pub compression: Compression,
    /// Its name, such as `app:1.0`.
    pub name: Option<String>,
    /// The layout to add it to, or the archive to write, with the extension `.tar`.
    pub output: Option<Utf8PathBuf>,
    /// The name in a registry to push it to.
    pub push: Option<String>,
}

impl ImageRequest {
    /// Makes the image of the profile that `target` names.
    pub fn make(&self, session: &Session, target: &ProfileRequest) -> crate::Result<ImageReport> {
        ImagePlan::new(self, session, target)?.execute(session, target)
    }
}

/// An image that is ready to be made: its base is read, and there is room for its environment.
struct ImagePlan<'r> {
    start: Instant,
    request: &'r ImageRequest,
    monorepo: Monorepo,
    profile: Profile,
    options: ImageOptions,
    destination: Destination,
    base: Base,
    /// Where the working directory is in the image, without `/` at the start.
    place: Utf8PathBuf,
    /// Dropped last: the base can be in its directory.
    environment: ImageEnvironment,
}

impl<'r> ImagePlan<'r> {
    /// Rejects what cannot be made, before anything is installed.
    fn new(request: &'r ImageRequest, session: &Session, target: &ProfileRequest) -> crate::Result<Self> {
        let start = Instant::now();
        if !cfg!(target_os = "linux") {
            return Err(ImageError::NotLinux.into());
        }
        let (monorepo, profile) = target.find(session)?;
        let options = request.options.checked()?;
        let source = BaseSource::parse(&request.base, Utf8Path::new(""))?;
        let is_offline = session.settings.offline;
        let destination = Destination::new(request, &source, is_offline)?;
        let environment = ImageEnvironment::locked(session)?;
        let child = |invocation| session.settings.child(invocation);
        let place = environment.base_place(&request.base, is_offline);
        let base = Base::read(&source, &request.base, (&place, request.compression), &child)?;
        let place = options.place(&base)?;
        Ok(Self { start, request, monorepo, profile, options, destination, base, place, environment })
    }

    fn execute(&self, session: &Session, target: &ProfileRequest) -> crate::Result<ImageReport> {
        let Self { base, destination, profile, .. } = self;
        let made = self.environment.make(self.request, base, (session, target), (&self.monorepo, *profile))?;
        let contents = Contents { base, made: &made, options: &self.options, place: &self.place };
        let layout = destination.layout(&self.environment.layout())?;
        // Until the image is where it belongs.
        let _lock = layout.lock()?;
        let [packages, internal] = contents.files(&self.monorepo, *profile)?;
        let packages = self.layer(&layout, &contents, &packages)?;
        let internal = self.layer(&layout, &contents, &internal)?;
        for layer in &base.layers {
            layout.take(layer, &base.layout)?;
        }
        let manifest = write_manifest(&layout, &contents, (*profile, [&packages, &internal]))?;
        layout.insert(&manifest, destination.name.as_ref())?;
        layout.remove_unused()?;
        if let Some(archive) = &destination.archive {
            write_archive(&layout, archive)?;
        }
        if let Some(name) = &destination.push {
            push(&layout, &manifest, name, &|invocation| session.settings.child(invocation))?;
        }
        Ok(ImageReport {
            profile: *profile,
            backend: made.selection.lock.facts.backend.clone(),
            base: base.name.clone(),
            base_digest: base.digest.clone(),
            python: made.python.version.clone(),
            name: destination.name.as_ref().map(ToString::to_string),
            digest: manifest.digest().to_string(),
            layers: layers(base, &packages, &internal),
            output: self.request.output.clone(),
            pushed: destination.push.as_ref().map(ToString::to_string),
            distributions: made.distributions.iter().count(),
            uv: session.uv()?.into(),
            elapsed_ms: milliseconds(self.start.elapsed()),
        })
    }

    fn layer(&self, layout: &Layout, contents: &Contents<'_>, files: &[ImageFile]) -> Result<Layer, ImageError> {
        let write = || {
            let mut layer = LayerWriter::new(layout, self.request.compression, contents.known_directories())?;
            write_files(files, &mut layer)?;
            layer.finish()
        };
        write().map_err(ImageError::io(layout.directory()))
    }
}

/// Writes the configuration and the manifest.
fn write_manifest(
    layout: &Layout,
    contents: &Contents<'_>,
    (profile, layers): (Profile, [&Layer; 2]),
) -> Result<Descriptor, ImageError> {
    let failed = |error: serde_json::Error| ImageError::io(layout.directory())(error.into());
    let configuration = configured(contents, profile, layers).map_err(failed)?;
    let own = layers.map(|layer| &layer.descriptor);
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(layout.add(MediaType::ImageConfig, &configuration)?)
        .layers(contents.base.layers.iter().chain(own).cloned().collect::<Vec<_>>())
        .annotations(annotations(contents.base))
        .build();
    let manifest = manifest.map_err(|error| ImageError::io(layout.directory())(io::Error::other(error)))?;
    layout.add(MediaType::ImageManifest, &manifest)
}

fn layers(base: &Base, packages: &Layer, internal: &Layer) -> Vec<ImageLayer> {
    let layer = |content, descriptor: &Descriptor| ImageLayer {
        content,
        digest: descriptor.digest().to_string(),
        size: descriptor.size(),
    };
    let of_base = base.layers.iter().map(|one| layer(ImageLayerContent::Base, one));
    let own = [(ImageLayerContent::Packages, packages), (ImageLayerContent::InternalPackages, internal)];
    of_base.chain(own.map(|(content, one)| layer(content, &one.descriptor))).collect()
}
