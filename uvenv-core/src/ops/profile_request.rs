//! Which profile of which monorepo an operation is for, as its caller names them.

use camino::{Utf8Path, Utf8PathBuf};

use super::Session;
use crate::{model::Profile, monorepo::Monorepo};

/// A profile of a monorepo, by what was said of it. Nothing was looked for yet.
#[derive(Clone, Debug, Default)]
pub struct ProfileRequest {
    /// `--manifest-path`, absolute; else the monorepo is looked for from the session's directory.
    pub manifest: Option<Utf8PathBuf>,
    /// `--project`, absolute.
    pub project: Option<Utf8PathBuf>,
    /// `--profile`; else what `UVENV_PROFILE` says, else the profile in whose directory the session is.
    pub profile: Option<Profile>,
}

impl ProfileRequest {
    /// The monorepo.
    pub fn monorepo(&self, session: &Session) -> crate::Result<Monorepo> {
        Ok(match (&self.manifest, &self.project) {
            (Some(manifest), _) => Monorepo::discover_manifest(manifest)?,
            (None, Some(project)) => Monorepo::discover_project(project)?,
            (None, None) => Monorepo::discover(&session.directory)?,
        })
    }

    /// The monorepo and the profile.
    pub fn find(&self, session: &Session) -> crate::Result<(Monorepo, Profile)> {
        let monorepo = self.monorepo(session)?;
        let profile = match (&self.project, self.profile) {
            (Some(project), _) => monorepo.profile_of_project(project)?.profile,
            (None, Some(profile)) => profile,
            (None, None) => self.profile_here(&monorepo, session)?,
        };
        Ok((monorepo, profile))
    }

    /// The profile that is meant where none is named.
    pub fn profile_here(&self, monorepo: &Monorepo, session: &Session) -> crate::Result<Profile> {
        if let Some(profile) = Monorepo::profile_of_variables(&session.variables)? {
            return Ok(profile);
        }
        let manifest = self.manifest.as_deref().and_then(Utf8Path::parent);
        Ok(monorepo.profile_at(manifest.unwrap_or(&session.directory)))
    }

    /// Where the search for the monorepo begins.
    pub(super) fn start<'a>(&'a self, session: &'a Session) -> &'a Utf8Path {
        self.manifest.as_deref().or(self.project.as_deref()).unwrap_or(&session.directory)
    }
}
