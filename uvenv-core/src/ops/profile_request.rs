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
    /// Finds the monorepo.
    pub fn monorepo(&self, session: &Session) -> crate::Result<Monorepo> {
        Ok(match (&self.manifest, &self.project) {
            (Some(manifest), _) => Monorepo::discover_manifest(manifest)?,
            (None, Some(project)) => Monorepo::discover_project(project)?,
            (None, None) => Monorepo::discover(&session.settings.directory)?,
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
