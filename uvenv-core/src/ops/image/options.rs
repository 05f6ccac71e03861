//! What an image says, and where it goes.

use camino::{Utf8Path, Utf8PathBuf};

use super::ImageRequest;
use crate::{
    fs::normal,
    image::{Base, BaseSource, ImageError, ImageName, Layout, parse_name},
};

/// The environment, in the working directory.
pub(super) const ENVIRONMENT: &str = ".venv";

/// What an image says and where its files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageOptions {
    /// The directory of the profile in the image, which is the working directory too. The environment is `.venv` in it.
    pub workdir: Utf8PathBuf,
    /// `USER[:GROUP]`, as names or numbers; without it, that of the base.
    pub user: Option<String>,
    /// What a container runs; without anything, what the base says.
    pub entrypoint: Vec<String>,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self { workdir: "/app".into(), user: None, entrypoint: Vec::new() }
    }
}

impl ImageOptions {
    /// Rejects what no container could use.
    pub(super) fn checked(&self) -> Result<Self, ImageError> {
        let workdir = normal(&self.workdir);
        // `PATH` has colons between its directories.
        if !self.workdir.is_absolute()
            || workdir == "/"
            || workdir.as_str().contains([':', '\n', '\0'])
            || is_hidden(&workdir)
        {
            return Err(rejected("workdir", self.workdir.as_str(), NO_WORKDIR));
        }
        if let Some(user) = &self.user {
            let parts: Vec<_> = user.split(':').collect();
            if parts.len() > 2 || parts.iter().any(|part| part.is_empty() || part.contains(char::is_whitespace)) {
                return Err(rejected("user", user, "it has to be like `1000`, `app` or `1000:1000`"));
            }
        }
        Ok(Self { workdir, ..self.clone() })
    }

    /// Returns where the working directory is in the image, without `/` at the start. Links in the base lead there.
    pub(super) fn place(&self, base: &Base) -> Result<Utf8PathBuf, ImageError> {
        let place = base.place_of(&self.workdir);
        if place.as_str().is_empty() || place.ancestors().any(|path| base.has_file(path)) {
            return Err(rejected("workdir", self.workdir.as_str(), NO_WORKDIR));
        }
        Ok(place)
    }

    /// Returns the path of the environment in the image.
    pub(super) fn environment(&self) -> Utf8PathBuf {
        self.workdir.join(ENVIRONMENT)
    }
}

const NO_WORKDIR: &str = "it has to be an absolute path to a directory, without a colon";

fn rejected(option: &'static str, value: &str, problem: &'static str) -> ImageError {
    ImageError::Option { option, value: value.to_owned(), problem }
}

/// Whether a name in a path has another meaning in a layer.
fn is_hidden(path: &Utf8Path) -> bool {
    path.as_str().contains("/.wh.")
}

/// Where an image goes.
pub(super) struct Destination {
    pub(super) name: Option<ImageName>,
    pub(super) archive: Option<Utf8PathBuf>,
    pub(super) push: Option<ImageName>,
    layout: Option<Utf8PathBuf>,
}

impl Destination {
    /// Rejects what cannot be written, before any work is done.
    pub(super) fn new(request: &ImageRequest, source: &BaseSource, is_offline: bool) -> Result<Self, ImageError> {
        let push = request.push.as_deref().map(parse_name).transpose()?;
        if let Some(name) = push.as_ref().filter(|_| is_offline) {
            return Err(ImageError::Offline { name: name.to_string() });
        }
        let name = request.name.as_deref().map(parse_name).transpose()?.or_else(|| push.clone());
        let mut destination = Self { name, archive: None, push, layout: None };
        let Some(output) = &request.output else { return Ok(destination) };
        if is_compressed(output) {
            return Err(rejected("output", output.as_str(), "archives are not compressed, as their layers are"));
        }
        if output.extension().is_some_and(|end| end.eq_ignore_ascii_case("tar")) && !output.is_dir() {
            if matches!(source, BaseSource::Archive { file, .. } if is_same(file, output)) {
                return Err(rejected("output", output.as_str(), "it is the base image"));
            }
            destination.archive = Some(output.clone());
        } else {
            // One that cannot be read is rejected before the work is done.
            Layout::find(output)?.map(|layout| layout.index()).transpose()?;
            destination.layout = Some(output.clone());
        }
        Ok(destination)
    }

    /// Returns the layout that the image is put together in: `own` if it is not one that was asked for.
    pub(super) fn layout(&self, own: &Utf8Path) -> Result<Layout, ImageError> {
        Layout::ensure(self.layout.as_deref().unwrap_or(own))
    }
}

fn is_compressed(path: &Utf8Path) -> bool {
    let is = |path: &Utf8Path, ends: &[&str]| {
        path.extension().is_some_and(|end| ends.iter().any(|other| end.eq_ignore_ascii_case(other)))
    };
    is(path, &["tgz"]) || (is(path, &["gz", "zst", "xz"]) && is(&path.with_extension(""), &["tar"]))
}

fn is_same(one: &Utf8Path, other: &Utf8Path) -> bool {
    let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
    real(one).is_some_and(|path| real(other) == Some(path))
}
