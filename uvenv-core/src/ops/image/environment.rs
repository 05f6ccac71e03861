//! The environment of an image, made on this machine from the vendored directory.

use std::{ffi::OsString, fs, io};

use camino::{Utf8Path, Utf8PathBuf};

use super::ImageRequest;
use crate::{
    environment::{Distribution, Distributions, Environment},
    fs::{
        cache::{self, FileLock},
        digest::digest,
    },
    image::{Base, BasePlace, BasePython, ImageError},
    model::Profile,
    monorepo::Monorepo,
    ops::{
        LockMode, ProfileRequest, SbomRequest, Session, SyncRequest,
        vendored_lock::{named_or_default, selected_lock},
    },
    process::Invocation,
    uv::{
        interpreter::{make_environment, make_relocatable_environment},
        variables::selecting,
    },
    vendor::{VendoredDirectoryError, VendoredSelection},
};

/// The directory for the environments of images, in uvenv's cache: it is on one file system with uv's, which can link files
/// then.
pub(super) struct ImageEnvironment {
    directory: Utf8PathBuf,
    _lock: FileLock,
}

/// An environment for an image.
pub(super) struct MadeEnvironment {
    pub(super) environment: Environment,
    /// One that cannot be moved, whose scripts for shells have its path. Those of the other find out where they are, which not
    /// every shell can tell.
    pub(super) fixed: Environment,
    pub(super) distributions: Distributions,
    pub(super) selection: VendoredSelection,
    pub(super) python: BasePython,
    /// What is in it, as a CycloneDX document.
    pub(super) sbom: String,
}

impl ImageEnvironment {
    /// Waits until no other process makes an image.
    pub(super) fn locked(session: &Session) -> crate::Result<Self> {
        let variables = &session.settings.variables;
        let directory = cache::directory(variables)?.join("images");
        let busy = || "is making an image".to_owned();
        let lock = FileLock::acquire(&directory.join("lock"), variables, session.settings.observer(), busy)?;
        let this = Self { directory, _lock: lock };
        this.clear()?;
        Ok(this)
    }

    /// Returns where base images are, for one that is called `name`.
    pub(super) fn base_place(&self, name: &str, is_offline: bool) -> BasePlace {
        BasePlace {
            unpacked: self.work().join("base"),
            pulled: self.directory.join("bases").join(&digest(name.as_bytes())[..16]),
            is_offline,
        }
    }

    /// Returns where an image is put together that does not stay on this machine as a layout.
    pub(super) fn layout(&self) -> Utf8PathBuf {
        self.work().join("layout")
    }

    fn work(&self) -> Utf8PathBuf {
        self.directory.join("work")
    }

    /// Makes the environment for the Python of `base`.
    pub(super) fn make(
        &self,
        request: &ImageRequest,
        base: &Base,
        (outer, target): (&Session, &ProfileRequest),
        (monorepo, profile): (&Monorepo, Profile),
    ) -> crate::Result<MadeEnvironment> {
        let context = monorepo.context(profile)?;
        let vendored = named_or_default(request.vendored.as_deref(), outer);
        let selection = selected_lock(&vendored, &context, (outer, &request.backend))?;
        let python = base.python(&selection.lock.facts.pythons)?;
        let session = self.session(outer);
        let path =
            monorepo.environment(context.paths, selection.lock.facts.backend.as_ref(), &session.settings.variables);
        let fixed = Environment::new(self.work().join("fixed/.venv"));
        let named = request.python.as_deref().unwrap_or(&python.version);
        let uv = session.uv()?;
        create(&session, make_relocatable_environment(uv, named, &path))?;
        create(&session, make_environment(uv, named, fixed.root(), true))?;
        check_version(&path, &python, request.python.as_deref())?;
        let sync = SyncRequest {
            backend: request.backend.clone(),
            lock: LockMode::Frozen { allow_stale: false },
            vendored: Some(vendored.clone()),
            ..SyncRequest::default()
        };
        sync.synced_by(&session, target, (monorepo, profile), |_, _| Ok(()))?;
        let environment = Environment::new(path);
        let distributions = Distributions::read(&environment)?;
        distributions.iter().try_for_each(|distribution| check_library(base, distribution))?;
        let sbom = SbomRequest { backend: request.backend.clone(), vendored: Some(vendored), output: None };
        let sbom = sbom.describe_with(Some(base.python_version(&python)), monorepo, &session, profile)?.text();
        outer.warn(session.take_warnings());
        Ok(MadeEnvironment { environment, fixed, distributions, selection, python, sbom })
    }

    /// Returns a session in which the environment of a profile is here, and the user's variables do not decide what is in it.
    fn session(&self, session: &Session) -> Session {
        let place = self.work().join("environment/.venv");
        let python = Environment::new(place.clone()).executable();
        let set = |name: &str, value: &Utf8Path| (name.to_owned(), Some(OsString::from(value.as_str())));
        let removed = selecting().chain(["UV_LINK_MODE", "UV_VENV_SEED", "SOURCE_DATE_EPOCH"]);
        let changes: Vec<_> = removed.map(|name| (name.to_owned(), None)).collect();
        let changes: Vec<_> =
            changes.into_iter().chain([set("UV_PROJECT_ENVIRONMENT", &place), set("UV_PYTHON", &python)]).collect();
        session.with_variables(&changes)
    }

    /// Removes what an interrupted run has left.
    fn clear(&self) -> Result<(), ImageError> {
        let path = self.work();
        let cleared = match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(path.join("base")),
        };
        cleared.map_err(ImageError::io(path))
    }
}

impl Drop for ImageEnvironment {
    fn drop(&mut self) {
        // What is left, the next process removes.
        let _ = self.clear();
    }
}

/// Has uv make an environment.
fn create(session: &Session, making: Invocation) -> crate::Result<()> {
    let made = session.settings.child(making).env_remove("UV_PYTHON").capture();
    let none = |problem: String| VendoredDirectoryError::NoPython { problem };
    let made = made.map_err(|error| none(error.to_string()))?;
    if made.status.success() { Ok(()) } else { Err(none(made.words().into_owned()).into()) }
}

/// Rejects an interpreter that was named, if it has another version than that of the base.
fn check_version(path: &Utf8Path, python: &BasePython, named: Option<&str>) -> crate::Result<()> {
    let Some(made) = Environment::new(path).usable()? else { return Ok(()) };
    match named {
        Some(named) if !made.version.strip_prefix(&python.version).is_some_and(|rest| rest.starts_with('.')) => {
            let problem = "it has another version than the Python of the base image";
            Err(ImageError::Option { option: "python", value: named.to_owned(), problem }.into())
        }
        _ => Ok(()),
    }
}

/// Rejects a distribution that was built for another C library than that of the base, or for a newer one.
fn check_library(base: &Base, distribution: &Distribution) -> Result<(), ImageError> {
    let other = |needed: String, available: String| {
        let distribution = distribution.name.clone();
        Err(ImageError::OtherLibrary { base: base.name.clone(), distribution, needed, available })
    };
    let shown = |(major, minor): (u32, u32)| format!("glibc {major}.{minor}");
    let tags = distribution.platform_tags();
    let oldest = tags.iter().filter_map(|tag| glibc_of(tag)).min();
    match (oldest, base.glibc()) {
        (Some(needed), None) if base.has_musl() => other(shown(needed), "musl".to_owned()),
        (Some(needed), Some(available)) if needed > available => other(shown(needed), shown(available)),
        (None, Some(available)) if tags.iter().any(|tag| tag.starts_with("musllinux")) => {
            other("musl".to_owned(), shown(available))
        }
        _ => Ok(()),
    }
}

/// Returns the version of glibc that a platform tag requires ([PEP 600]).
///
/// [PEP 600]: https://peps.python.org/pep-0600/#legacy-manylinux-tags
fn glibc_of(tag: &str) -> Option<(u32, u32)> {
    let rest = tag.strip_prefix("manylinux")?;
    match rest.split('_').collect::<Vec<_>>().as_slice() {
        ["1", ..] => Some((2, 5)),
        ["2010", ..] => Some((2, 12)),
        ["2014", ..] => Some((2, 17)),
        ["", major, minor, ..] => Some((major.parse().ok()?, minor.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_c_library_of_platform_tags() {
        for (tag, version) in [
            ("manylinux1_x86_64", Some((2, 5))),
            ("manylinux2014_aarch64", Some((2, 17))),
            ("manylinux_2_28_x86_64", Some((2, 28))),
            ("linux_x86_64", None),
            ("any", None),
            ("musllinux_1_2_x86_64", None),
        ] {
            assert_eq!(glibc_of(tag), version, "{tag}");
        }
    }
}
