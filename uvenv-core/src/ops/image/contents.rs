//! The files of an image beside those of its base, in two layers: a promotion changes the second one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{ImageOptions, environment::MadeEnvironment, options::ENVIRONMENT};
use crate::{
    environment::{EnvironmentFile, SyncRecord},
    fs::normal,
    image::{Base, ImageError, LayerWriter},
    model::Profile,
    monorepo::Monorepo,
};

/// What goes into an image.
pub(super) struct Contents<'a> {
    pub(super) base: &'a Base,
    pub(super) made: &'a MadeEnvironment,
    pub(super) options: &'a ImageOptions,
    /// Where the working directory is in the image, without `/` at the start.
    pub(super) place: &'a Utf8Path,
}

/// A file of an image.
pub(super) struct ImageFile {
    /// Its path in the image, without `/` at the start.
    path: Utf8PathBuf,
    content: FileContent,
}

enum FileContent {
    /// A file on this machine.
    Copied(Utf8PathBuf),
    Text(String),
    /// A link, with its target.
    Link(String),
    /// A directory that hides what the base has there.
    Emptied,
}

impl Contents<'_> {
    /// Returns the files of the two layers, by path: those of the environment and of what is not pinned; and those of the
    /// pins, with the account of them.
    pub(super) fn files(&self, monorepo: &Monorepo, profile: Profile) -> crate::Result<[Vec<ImageFile>; 2]> {
        let owners = self.owners();
        let (mut packages, mut internal) = (Vec::new(), Vec::new());
        let environment = self.place.join(ENVIRONMENT);
        if self.base.has_directory(&environment) {
            packages.push(ImageFile { path: environment, content: FileContent::Emptied });
        }
        for file in self.made.environment.files()? {
            let is_internal = owners.get(file.path()) == Some(&true);
            let image_file = self.image_file(file)?;
            if is_internal { &mut internal } else { &mut packages }.push(image_file);
        }
        internal.extend(self.account(monorepo, profile)?);
        internal.sort_by(|one, other| one.path.cmp(&other.path));
        Ok([packages, internal])
    }

    /// Returns for each file that a distribution lists whether it is one of a pin.
    fn owners(&self) -> BTreeMap<Utf8PathBuf, bool> {
        let mut owners = BTreeMap::new();
        let pins = &self.made.selection.lock.facts.pins;
        for distribution in self.made.distributions.iter() {
            let is_pinned = pins.iter().any(|pin| pin.name == distribution.name);
            for file in distribution.files() {
                *owners.entry(normal(&file)).or_insert(false) |= is_pinned;
            }
        }
        owners
    }

    /// Returns what a file of the environment is in the image, where the environment has another path and another Python.
    fn image_file(&self, file: EnvironmentFile) -> Result<ImageFile, ImageError> {
        let environment = &self.made.environment;
        let of = |path: &Utf8Path, content| {
            let relative = path.strip_prefix(environment.root()).unwrap_or(path);
            ImageFile { path: self.place.join(ENVIRONMENT).join(relative), content }
        };
        let read = |path: &Utf8Path| fs::read_to_string(path).map_err(ImageError::io(path));
        Ok(match file {
            EnvironmentFile::Configuration(path) => of(&path, FileContent::Text(self.configuration(&read(&path)?))),
            EnvironmentFile::Interpreter(path) => {
                of(&path, FileContent::Link(self.made.python.executable.as_str().to_owned()))
            }
            EnvironmentFile::Activation(path) => {
                let there = self.options.environment();
                let fixed = &self.made.fixed;
                let same = fixed.scripts().join(path.file_name().unwrap_or_default());
                of(&path, FileContent::Text(read(&same)?.replace(fixed.root().as_str(), there.as_str())))
            }
            EnvironmentFile::Link(path, target) => of(&path, FileContent::Link(target)),
            EnvironmentFile::Installed(path) => of(&path.clone(), FileContent::Copied(path)),
        })
    }

    /// Returns `pyvenv.cfg` for the Python of the image.
    fn configuration(&self, text: &str) -> String {
        let python = &self.made.python;
        let home = python.executable.parent().unwrap_or(Utf8Path::new("/"));
        let version = self.base.python_version(python);
        let line = |line: &str| match line.split_once('=').map(|(key, _)| key.trim()) {
            Some("home") => format!("home = {home}\n"),
            Some(key @ ("version" | "version_info")) => format!("{key} = {version}\n"),
            _ => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    }

    /// Returns what says what the image was made from: manifest, lockfile, lock of the vendored directory, SBOM, and what the
    /// environment was synced with.
    fn account(&self, monorepo: &Monorepo, profile: Profile) -> crate::Result<Vec<ImageFile>> {
        let context = monorepo.context(profile)?;
        let mut texts =
            vec![("pyproject.toml", context.manifest.file.text.to_string()), ("sbom.cdx.json", self.made.sbom.clone())];
        if let Some(lockfile) = context.lockfile()? {
            texts.push(("uv.lock", lockfile.file.text.to_string()));
        }
        let lock = &self.made.selection.lock.path;
        texts.push(("pylock.toml", fs::read_to_string(lock).map_err(ImageError::io(lock))?));
        if let Some(record) = SyncRecord::read(&self.made.environment) {
            let text = record.text_at(&self.options.environment());
            texts.push((".venv/.uvenv.json", text.map_err(|error| ImageError::io(lock)(error.into()))?));
        }
        let file = |(name, text)| ImageFile { path: self.place.join(name), content: FileContent::Text(text) };
        Ok(texts.into_iter().map(file).collect())
    }

    /// Returns the directories of the base above the files, which keep their owners and permissions.
    pub(super) fn known_directories(&self) -> BTreeSet<Utf8PathBuf> {
        self.place.ancestors().filter(|path| self.base.has_directory(path)).map(Utf8Path::to_owned).collect()
    }
}

/// Writes the files of a layer.
pub(super) fn write_files(files: &[ImageFile], layer: &mut LayerWriter) -> io::Result<()> {
    for ImageFile { path, content } in files {
        match content {
            FileContent::Text(text) => layer.text(path, text)?,
            FileContent::Link(target) => layer.link(path, target)?,
            FileContent::Emptied => layer.hide_base(path)?,
            FileContent::Copied(from) => {
                let mut file = File::open(from)?;
                let metadata = file.metadata()?;
                layer.file(path, is_executable(&metadata), (metadata.len(), &mut file))?;
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}
