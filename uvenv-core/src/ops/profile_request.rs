//! The profile and monorepo that an operation is for, as the caller specifies them.

use camino::{Utf8Path, Utf8PathBuf};

use super::Session;
use crate::{model::Profile, monorepo::Monorepo};

/// A profile of a monorepo, as specified. Nothing has been searched for yet.
#[derive(Clone, Debug, Default)]
pub struct ProfileRequest {
    /// `--manifest-path`, absolute. Without it, the search for the monorepo starts from the session's directory.
    pub manifest: Option<Utf8PathBuf>,
    /// `--project`, absolute.
    pub project: Option<Utf8PathBuf>,
    /// `--profile`. Without it, `UVENV_PROFILE` applies, and otherwise the profile whose directory contains the
    /// session's directory.
    pub profile: Option<Profile>,
}

impl ProfileRequest {
    /// Finds the monorepo. A directory that has only the manifest of staging or prod, as in a container, is that profile if
    /// it is named, or if `--project` names the directory and all pins are meant for that profile.
    pub fn monorepo(&self, session: &Session) -> crate::Result<Monorepo> {
        let found = match (&self.manifest, &self.project) {
            (Some(manifest), _) => Monorepo::discover_manifest(manifest)?,
            (None, Some(project)) => Monorepo::discover_project(project)?,
            (None, None) => Monorepo::discover(&session.settings.directory)?,
        };
        // A wrong value of the variable is an error where a profile is needed.
        let named = || Monorepo::profile_of_variables(&session.settings.variables).ok().flatten();
        let by_pins = || self.project.as_ref().and_then(|_| profile_of_tags(&found.tags_of_pins_alone()?));
        Ok(match self.profile.or_else(named).or_else(by_pins) {
            Some(profile) => found.alone_as(profile),
            None => found,
        })
    }

    /// Finds the monorepo and the profile.
    pub fn find(&self, session: &Session) -> crate::Result<(Monorepo, Profile)> {
        let monorepo = self.monorepo(session)?;
        let profile = match (&self.project, self.profile) {
            (Some(project), _) => monorepo.profile_of_project(project)?.profile,
            (None, Some(profile)) => profile,
            (None, None) => self.profile_here(&monorepo, session)?,
        };
        Ok((monorepo, profile))
    }

    /// Returns the profile to use if none is named.
    pub fn profile_here(&self, monorepo: &Monorepo, session: &Session) -> crate::Result<Profile> {
        if let Some(profile) = Monorepo::profile_of_variables(&session.settings.variables)? {
            return Ok(profile);
        }
        let manifest = self.manifest.as_deref().and_then(Utf8Path::parent);
        Ok(monorepo.profile_at(manifest.unwrap_or(&session.settings.directory)))
    }

    /// Returns the path where the search for the monorepo starts.
    pub(super) fn start<'a>(&'a self, session: &'a Session) -> &'a Utf8Path {
        self.manifest.as_deref().or(self.project.as_deref()).unwrap_or(&session.settings.directory)
    }
}

/// Returns the profile for which all of these tags are meant.
#[cfg(feature = "full")]
fn profile_of_tags(tags: &[&str]) -> Option<Profile> {
    use crate::model::{Release, Stage};

    let stage_of = |tag: &&str| Release::parse(tag).map(|release| release.stage());
    let all = |stage: Stage| tags.iter().all(|tag| stage_of(tag) == Some(stage));
    if all(Stage::Stable) { Some(Profile::Prod) } else { all(Stage::Dev).then_some(Profile::Staging) }
}

/// Versions are compared only with the feature `full`.
#[cfg(not(feature = "full"))]
fn profile_of_tags(_: &[&str]) -> Option<Profile> {
    None
}
