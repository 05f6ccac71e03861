//! The features of Cargo that select backends.

use std::cell::RefCell;

use camino::Utf8PathBuf;

use super::Session;
use crate::{
    backend::{FeatureClaim, SelectionInputs},
    cargo::{self, FeatureSelection},
    model::Name,
    monorepo::Monorepo,
};

/// The features of Cargo that select backends, read only when they are needed.
pub(super) struct FeatureSource<'a> {
    monorepo: &'a Monorepo,
    session: &'a Session,
    selection: &'a FeatureSelection,
    names: &'a [Name],
    /// The features that were read from cargo.
    read: RefCell<SelectionInputs>,
}

impl<'a> FeatureSource<'a> {
    pub(super) fn new(
        monorepo: &'a Monorepo,
        session: &'a Session,
        selection: &'a FeatureSelection,
        names: &'a [Name],
    ) -> Self {
        Self { monorepo, session, selection, names, read: RefCell::default() }
    }

    /// Returns what was read.
    pub(super) fn into_inputs(self) -> SelectionInputs {
        self.read.into_inner()
    }

    /// Returns the backends that explicitly given features enable.
    pub(super) fn explicit(&self) -> crate::Result<Vec<FeatureClaim>> {
        let Some(flag) = self.selection.explicit_flag() else { return Ok(Vec::new()) };
        if self.manifest().is_none() {
            return Err(cargo::CargoError::NoWorkspace { flag, root: self.monorepo.root.clone() }.into());
        }
        let claims = self.claims()?;
        Ok(if claims.are_explicit { claims.selected } else { Vec::new() })
    }

    /// Returns the backends that the default features of the selected crates enable.
    pub(super) fn default(&self) -> crate::Result<Vec<FeatureClaim>> {
        // In a container without a Rust toolchain, there are no default features.
        if self.manifest().is_none() || cargo::metadata::find(&self.session.settings.variables).is_none() {
            return Ok(Vec::new());
        }
        Ok(self.claims()?.selected)
    }

    fn claims(&self) -> crate::Result<cargo::FeatureClaims> {
        match self.manifest() {
            Some(manifest) => {
                let features =
                    cargo::Features::read(&manifest, self.session.settings.offline, &self.session.settings.variables)?;
                let mut read = self.read.borrow_mut();
                read.files.extend(features.files());
                read.folders.extend(features.folders());
                Ok(features.claims(self.selection, self.names)?)
            }
            None => Ok(cargo::FeatureClaims::default()),
        }
    }

    /// Returns the `Cargo.toml` that cargo would use here: the nearest one at or above the current directory, within
    /// the monorepo.
    fn manifest(&self) -> Option<Utf8PathBuf> {
        let root = self.monorepo.root.as_path();
        let within = self.session.settings.directory.ancestors().take_while(|path| path.starts_with(root));
        within.chain([root]).map(|path| path.join("Cargo.toml")).find(|path| path.is_file())
    }
}
