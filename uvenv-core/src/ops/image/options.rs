//! What an image says, and where it goes.

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::ImageRequest;
use crate::{
    fs::normal,
    image::{ImageError, ImageName, Layout, parse_name},
};

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
        let rejected = |option, value: &str, problem| ImageError::Option { option, value: value.to_owned(), problem };
        let workdir = normal(&self.workdir);
        if !self.workdir.is_absolute() || workdir == "/" {
            return Err(rejected("workdir", self.workdir.as_str(), "it has to be an absolute path to a directory"));
        }
        if let Some(user) = &self.user
            && user.split(':').any(|part| part.is_empty() || part.contains(char::is_whitespace))
        {
            return Err(rejected("user", user, "it has to be like `1000`, `app` or `1000:1000`"));
        }
        Ok(Self { workdir, ..self.clone() })
    }

    /// Returns the path of the environment in the image.
    pub(super) fn environment(&self) -> Utf8PathBuf {
        self.workdir.join(".venv")
    }
}

/// Where an image goes.
pub(super) struct Destination {
    pub(super) name: Option<ImageName>,
    pub(super) archive: Option<Utf8PathBuf>,
    pub(super) push: Option<ImageName>,
    layout: Option<Utf8PathBuf>,
    /// Where the layout is that is not kept.
    temporary: Option<TempDir>,
}

impl Destination {
    pub(super) fn new(request: &ImageRequest) -> Result<Self, ImageError> {
        let push = request.push.as_deref().map(parse_name).transpose()?;
        let name = request.name.as_deref().map(parse_name).transpose()?.or_else(|| push.clone());
        let is_archive = |path: &&Utf8PathBuf| path.extension() == Some("tar") && !path.is_dir();
        let archive = request.output.as_ref().filter(is_archive).cloned();
        let layout = request.output.as_ref().filter(|path| !is_archive(path)).cloned();
        let mut temporary = None;
        if let Some(layout) = &layout {
            // Another directory is rejected before the work is done.
            Layout::find(layout)?;
        } else {
            // An archive is as large as the layout: there has to be room beside it for both.
            let beside = archive.as_deref().and_then(Utf8Path::parent).filter(|parent| parent.is_dir());
            let made = beside
                .map_or_else(tempfile::tempdir, |parent| tempfile::Builder::new().prefix(".image").tempdir_in(parent));
            temporary = Some(made.map_err(ImageError::io(beside.unwrap_or(Utf8Path::new("the temporary directory"))))?);
        }
        Ok(Self { name, archive, push, layout, temporary })
    }

    /// Returns the layout that the image is put together in.
    pub(super) fn layout(&self) -> Result<Layout, ImageError> {
        let temporary = self.temporary.as_ref().and_then(|directory| Utf8Path::from_path(directory.path()));
        Layout::ensure(self.layout.as_deref().or(temporary).unwrap_or(Utf8Path::new(".")))
    }
}
