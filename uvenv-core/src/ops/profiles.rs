//! The profiles of a monorepo and the pins in their manifests, for use by programs. No process is started.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::Session;
use crate::{
    lockfile::{GitSource, Lockfile},
    manifest::{GitReference, Manifest, SourceKind},
    model::{Name, Profile, redact},
    monorepo::{Monorepo, ProfileContext},
};

/// A profile, with the backends and pins of its manifest.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProfileInfo {
    /// The profile.
    pub profile: Profile,
    /// Its manifest.
    pub manifest: Utf8PathBuf,
    /// Its lockfile, whether it exists or not.
    pub lockfile: Utf8PathBuf,
    /// Its environment, whether it exists or not. With one environment per backend, this is the one without a backend.
    pub environment: Utf8PathBuf,
    /// Its backends.
    pub backends: Vec<Name>,
    /// The packages that come from git, by name.
    pub pins: BTreeMap<Name, PinInfo>,
}

/// A git source of a manifest.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PinInfo {
    /// The repository, without secrets.
    pub url: String,
    /// The tag.
    pub tag: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The revision.
    pub rev: Option<String>,
    /// The package's directory in the repository.
    pub subdirectory: Option<String>,
    /// The commit in the lockfile, if the lockfile has this pin.
    pub commit: Option<String>,
}

/// Returns the existing profiles.
pub fn profiles(monorepo: &Monorepo, session: &Session) -> crate::Result<Vec<ProfileInfo>> {
    monorepo.profiles.iter().map(|paths| profile(&monorepo.context(paths.profile)?, session)).collect()
}

fn profile(context: &ProfileContext<'_>, session: &Session) -> crate::Result<ProfileInfo> {
    let paths = context.paths;
    Ok(ProfileInfo {
        profile: context.profile,
        manifest: paths.manifest(),
        lockfile: paths.lockfile(),
        environment: context.monorepo.environment(paths, None, &session.settings.variables),
        backends: context.backends()?.iter().map(|backend| backend.name.clone()).collect(),
        pins: pins(&context.manifest, context.lockfile()?),
    })
}

fn pins(manifest: &Manifest, lockfile: Option<&Lockfile>) -> BTreeMap<Name, PinInfo> {
    let pin = |name: &Name, kind: &SourceKind| {
        let SourceKind::Git { url, reference, subdirectory } = kind else { return None };
        let locked = lockfile.and_then(|lockfile| lockfile.locked_for(name, &GitSource::of(kind)?));
        let commit = locked.and_then(|(_, pin)| pin.commit.clone());
        let mut pin = PinInfo {
            url: redact(&url.value).into_owned(),
            tag: None,
            branch: None,
            rev: None,
            subdirectory: subdirectory.clone(),
            commit,
        };
        match reference {
            Some(GitReference::Tag(tag)) => pin.tag = Some(tag.value.clone()),
            Some(GitReference::Branch(branch)) => pin.branch = Some(branch.value.clone()),
            Some(GitReference::Rev(rev)) => pin.rev = Some(rev.value.clone()),
            None => {}
        }
        Some(pin)
    };
    let sources = manifest.uv.sources.iter();
    sources
        .filter_map(|(name, sources)| {
            let pin = sources.iter().find_map(|source| pin(&name.value, &source.kind))?;
            Some((name.value.clone(), pin))
        })
        .collect()
}
