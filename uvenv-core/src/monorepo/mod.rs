//! The monorepo: its root, its profiles, its configuration and its internal packages.

mod config;
mod context;
mod discovery;
mod error;
mod internal;
mod members;
mod profile;

use std::{borrow::Cow, io, path::PathBuf};

use camino::{Utf8Path, Utf8PathBuf};

pub use config::{CheckConfig, Code, Config};
pub use context::ProfileContext;
pub(crate) use error::DiscoveryError;
pub use internal::InternalPackages;
pub use members::Member;
pub(crate) use members::globs;
pub use profile::ProfilePaths;

use crate::{
    manifest::{self, GitReference, Manifest, ManifestError, SourceKind},
    model::{Name, Place, Profile, Variables},
    toml::File,
    uv::variables::project_environment,
};

/// The directory tree under one dev manifest.
#[derive(Clone, Debug)]
pub struct Monorepo {
    /// The directory of the dev manifest.
    pub root: Utf8PathBuf,
    /// `[workspace.metadata.uvenv]` or `[tool.uvenv]`.
    pub config: Config,
    /// The dev manifest.
    pub dev: Manifest,
    /// The members of the dev manifest's workspace, without the root itself, by path.
    pub members: Vec<Member>,
    /// The existing profiles, dev first.
    pub profiles: Vec<ProfilePaths>,
    /// The manifests of staging and prod that were read.
    pinned: Vec<(Profile, Manifest)>,
    /// Workspace patterns that match no member.
    pub unmatched_patterns: Vec<Place>,
}

impl Monorepo {
    /// Finds the monorepo that contains the directory `start`.
    ///
    /// ```no_run
    /// # fn main() -> uvenv_core::Result<()> {
    /// use uvenv_core::{Monorepo, Profile};
    ///
    /// let monorepo = Monorepo::discover("packages/bench-utils".into())?;
    /// println!("{}", monorepo.profile(Profile::Prod)?.manifest());
    /// # Ok(())
    /// # }
    /// ```
    pub fn discover(start: &Utf8Path) -> crate::Result<Self> {
        discovery::discover(start)
    }

    /// Finds the monorepo that contains the directory `start`, if there is one.
    pub fn find(start: &Utf8Path) -> crate::Result<Option<Self>> {
        match Self::discover(start) {
            Err(error) if matches!(error.downcast_ref(), Some(DiscoveryError::NotFound { .. })) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Finds the monorepo of a `Cargo.toml` or `pyproject.toml`, as given to `--manifest-path`.
    pub fn discover_manifest(path: &Utf8Path) -> crate::Result<Self> {
        discovery::discover_manifest(path)
    }

    /// Finds the monorepo of a project, given by its directory or its `pyproject.toml`, as uv accepts it for
    /// `--project`.
    pub fn discover_project(path: &Utf8Path) -> crate::Result<Self> {
        discovery::discover(&discovery::project_directory(path)?)
    }

    /// Returns the monorepo with its only manifest as that of `profile`, if that is all there is of it: a container has the
    /// manifest and the lockfile of prod, and nothing else of the monorepo. Such a manifest has pins and no workspace.
    #[must_use]
    pub fn alone_as(mut self, profile: Profile) -> Self {
        if profile != Profile::Dev && self.tags_of_pins_alone().is_some() {
            self.profiles = vec![ProfilePaths { profile, directory: self.root.clone() }];
            self.pinned.push((profile, self.dev.clone()));
        }
        self
    }

    /// Returns the tags of the pins, if the manifest is the only one and could be that of staging or prod.
    pub(crate) fn tags_of_pins_alone(&self) -> Option<Vec<&str>> {
        let sources = self.dev.uv.sources.iter().flat_map(|(_, sources)| sources);
        let mut tags = Vec::new();
        for source in sources {
            match &source.kind {
                SourceKind::Git { reference: Some(GitReference::Tag(tag)), .. } => tags.push(tag.value.as_str()),
                // Not a pin.
                SourceKind::Git { .. } => return None,
                _ => {}
            }
        }
        let is_alone = self.profiles.len() == 1 && self.dev.uv.workspace.is_none() && self.dev.project.is_some();
        (is_alone && !tags.is_empty()).then_some(tags)
    }

    /// Returns the paths of `profile`.
    pub fn profile(&self, profile: Profile) -> crate::Result<&ProfilePaths> {
        if let Some(paths) = self.profiles.iter().find(|paths| paths.profile == profile) {
            return Ok(paths);
        }
        // If a manifest exists in its place but is not a project, that error is more useful.
        if let Err(error) = Manifest::read(&self.root.join(profile.as_str()).join(manifest::FILE_NAME))
            && ManifestError::is_no_project(&error)
        {
            return Err(error);
        }
        Err(DiscoveryError::NoProfile { profile, root: self.root.clone(), available: self.profile_names() }.into())
    }

    /// Returns the profile whose manifest is `path`, a directory or the file itself, as uv accepts it for `--project`.
    pub fn profile_of_project(&self, path: &Utf8Path) -> crate::Result<&ProfilePaths> {
        let directory = discovery::project_directory(path)?;
        Ok(self.profiles.iter().find(|paths| paths.directory == directory).ok_or_else(|| {
            DiscoveryError::NotAProfile {
                path: path.to_owned(),
                available: self.profiles.iter().map(|paths| self.relative(&paths.manifest()).to_owned()).collect(),
            }
        })?)
    }

    /// Returns the profile that the variable `UVENV_PROFILE` names.
    pub fn profile_of_variables(variables: &Variables) -> crate::Result<Option<Profile>> {
        let parse = |text: &str| text.parse().map_err(|problem| DiscoveryError::ProfileVariable { problem });
        Ok(variables.get("UVENV_PROFILE").map(parse).transpose()?)
    }

    /// Returns the default profile for work in `directory`: the one whose manifest is nearest, as in uv.
    pub fn profile_at(&self, directory: &Utf8Path) -> Profile {
        let directory = directory.canonicalize_utf8().unwrap_or_else(|_| directory.to_owned());
        let enclosing = self.profiles.iter().filter(|paths| directory.starts_with(&paths.directory));
        let nearest = enclosing.max_by_key(|paths| paths.directory.components().count());
        nearest.map_or(Profile::Dev, |paths| paths.profile)
    }

    fn profile_names(&self) -> Vec<Profile> {
        self.profiles.iter().map(|paths| paths.profile).collect()
    }

    /// Returns a profile with its files, for one operation.
    pub fn context(&self, profile: Profile) -> crate::Result<ProfileContext<'_>> {
        let paths = self.profile(profile)?;
        Ok(ProfileContext::new(self, paths, self.manifest(paths)?))
    }

    /// Returns a profile with a manifest other than the existing one.
    #[cfg(feature = "full")]
    pub(crate) fn context_of<'m>(&'m self, paths: &'m ProfilePaths, manifest: Manifest) -> ProfileContext<'m> {
        ProfileContext::new(self, paths, Cow::Owned(manifest))
    }

    /// Returns the manifest of a profile, which was usually read when the monorepo was found.
    fn manifest(&self, paths: &ProfilePaths) -> crate::Result<Cow<'_, Manifest>> {
        if paths.profile == Profile::Dev {
            return Ok(Cow::Borrowed(&self.dev));
        }
        let file = File::read(&paths.manifest())?;
        // An interrupted promotion may have been rolled back since.
        let mut pinned = self.pinned.iter().filter(|(profile, _)| *profile == paths.profile);
        if let Some((_, known)) = pinned.find(|(_, known)| known.file.text == file.text) {
            return Ok(Cow::Borrowed(known));
        }
        let manifest = Manifest::from_file(file)?;
        match manifest.project {
            Some(_) => Ok(Cow::Owned(manifest)),
            None => Err(ManifestError::NoProject { place: manifest.place(0..0) }.into()),
        }
    }

    /// Returns the workspace members that are locked together with the manifest of `profile`.
    pub fn members_of(&self, profile: Profile) -> &[Member] {
        match profile {
            Profile::Dev => &self.members,
            Profile::Staging | Profile::Prod => &[],
        }
    }

    /// Returns the path of a profile's environment, where uv places it: `.venv` next to the manifest, or the value of
    /// `UV_PROJECT_ENVIRONMENT`. The backend's name is appended if the configuration keeps one environment per backend.
    pub fn environment(&self, paths: &ProfilePaths, backend: Option<&Name>, variables: &Variables) -> Utf8PathBuf {
        let path = paths.directory.join(project_environment(variables));
        match (backend, path.file_name()) {
            (Some(backend), Some(name)) if self.config.env_per_backend => {
                path.with_file_name(format!("{name}-{backend}"))
            }
            _ => path,
        }
    }

    /// Returns the internal packages.
    pub fn internal_packages(&self) -> InternalPackages {
        InternalPackages::new(self, self.pinned.iter().map(|(_, manifest)| manifest))
    }

    /// Whether the dev manifest's workspace would include a project in `directory` as a member.
    #[cfg(feature = "full")]
    pub(crate) fn has_member_at(&self, directory: &Utf8Path) -> bool {
        globs(&self.dev).is_some_and(|globs| globs.selects(directory).is_some())
    }

    /// Returns `path` relative to the root, or unchanged if it is outside.
    pub fn relative<'a>(&self, path: &'a Utf8Path) -> &'a Utf8Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// Returns the `Cargo.toml` at the root, if there is one.
    pub fn cargo_manifest(&self) -> Option<Utf8PathBuf> {
        Some(self.root.join("Cargo.toml")).filter(|path| path.is_file())
    }
}

/// Returns `path` as Unicode, as all paths of uvenv are.
pub fn utf8_path(path: PathBuf) -> crate::Result<Utf8PathBuf> {
    Ok(Utf8PathBuf::try_from(path)
        .map_err(|error| DiscoveryError::NotUnicode { path: error.into_path_buf().to_string_lossy().into_owned() })?)
}

/// Returns a function for `map_err`, which explains why the directory `path` cannot be used.
pub fn unusable_directory(path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> crate::Error {
    let path = path.into();
    move |source| DiscoveryError::Directory { path, source }.into()
}

/// Whether `directory` has a manifest.
fn has_manifest(directory: &Utf8Path) -> bool {
    directory.join(manifest::FILE_NAME).is_file()
}
