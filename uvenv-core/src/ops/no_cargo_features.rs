//! Replaces the features of Cargo in a build script, which has Cargo's own answer.
#![expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same functions ask cargo elsewhere")]

use super::Session;
use crate::{
    backend::{FeatureClaim, SelectionInputs},
    cargo::FeatureSelection,
    model::Name,
    monorepo::Monorepo,
};

pub(super) struct FeatureSource;

impl FeatureSource {
    pub(super) fn new(_: &Monorepo, _: &Session, _: &FeatureSelection, _: &[Name]) -> Self {
        Self
    }

    pub(super) fn into_inputs(self) -> SelectionInputs {
        SelectionInputs::default()
    }

    pub(super) fn explicit(&self) -> crate::Result<Vec<FeatureClaim>> {
        Ok(Vec::new())
    }

    pub(super) fn default(&self) -> crate::Result<Vec<FeatureClaim>> {
        Ok(Vec::new())
    }
}
