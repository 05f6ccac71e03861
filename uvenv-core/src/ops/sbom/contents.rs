//! What is linked into distributions.

use camino::Utf8Path;

use crate::{
    environment::{Distribution, Source},
    fs::PrivateDirectory,
    git::Git,
    model::Name,
    monorepo::ProfileContext,
    ops::Session,
    sbom::{Embedded, crates_of_project, embedded},
};

/// Finds out what is linked into distributions.
pub(super) struct Contents<'a> {
    pub(super) context: &'a ProfileContext<'a>,
    pub(super) session: &'a Session,
    pub(super) backend: Option<&'a Name>,
}

impl Contents<'_> {
    /// Returns what a distribution says itself or, if it says nothing, what cargo says about its sources.
    pub(super) fn of(&self, distribution: &Distribution) -> Embedded {
        let own = embedded(distribution);
        if own.unknown.is_none() || own.len() > 0 {
            return own;
        }
        match &distribution.source {
            Source::Editable { path } | Source::Directory { path } => self.of_project(path),
            Source::Git { url, commit, subdirectory, .. } if !self.session.settings.offline => {
                let url = self.context.repository(&distribution.name, Some(commit), url);
                self.of_commit(&url, commit, subdirectory.as_deref()).unwrap_or_else(Embedded::unknown)
            }
            _ => own,
        }
    }

    fn of_project(&self, directory: &Utf8Path) -> Embedded {
        let backend: Vec<_> = self.backend.iter().map(|backend| backend.as_str()).collect();
        crates_of_project(directory, &backend, &self.session.settings.child_view())
    }

    fn of_commit(&self, url: &str, commit: &str, subdirectory: Option<&str>) -> Result<Embedded, String> {
        let in_words = |error: &dyn std::error::Error| error.to_string();
        let git = Git::find(&self.session.settings.variables).map_err(|error| in_words(&error))?;
        let git = git.within(&self.context.monorepo.root);
        let directory = PrivateDirectory::new().map_err(|error| in_words(&error))?;
        let place = directory.path().join("sources");
        git.check_out(url, commit, &place).map_err(|error| in_words(&error))?;
        Ok(self.of_project(&subdirectory.map_or(place.clone(), |directory| place.join(directory))))
    }
}
