//! The pins of staging and prod.

use super::Facts;
use crate::{
    lockfile::{GitPin, GitSource, Package},
    manifest::{GitReference, SourceKind, UvSource},
    model::{Name, Place, Profile, Release},
    monorepo::ProfileContext,
    toml::Spanned,
};

/// A git source with a tag, for an internal package that the profile takes.
#[derive(Clone, Copy)]
pub(crate) struct PinnedSource<'a> {
    pub(crate) facts: &'a ProfileContext<'a>,
    pub(crate) package: &'a Name,
    pub(crate) url: &'a Spanned<String>,
    pub(crate) tag: &'a Spanned<String>,
    pub(crate) subdirectory: Option<&'a str>,
    reference: &'a GitReference,
}

impl Facts<'_> {
    /// Returns the pins of staging and prod.
    pub(crate) fn pins(&self) -> impl Iterator<Item = PinnedSource<'_>> {
        self.pinned().flat_map(|facts| self.pins_of(facts))
    }

    /// Returns the pins of one profile; none if the profile does not exist.
    pub(crate) fn pins_in(&self, profile: Profile) -> impl Iterator<Item = PinnedSource<'_>> {
        self.profile(profile).into_iter().flat_map(|facts| self.pins_of(facts))
    }

    fn pins_of<'b>(&'b self, facts: &'b ProfileContext<'b>) -> impl Iterator<Item = PinnedSource<'b>> {
        self.taken_by(facts).flat_map(move |package| {
            facts
                .manifest
                .sources_of(package)
                .iter()
                .filter_map(move |source| PinnedSource::read(facts, package, source))
        })
    }

    /// Returns the internal packages that the manifest of a profile requires, except the profile's own project. uv
    /// ignores the sources of all other packages.
    pub(crate) fn taken_by<'b>(&'b self, facts: &'b ProfileContext<'b>) -> impl Iterator<Item = &'b Name> {
        let any = facts.manifest.has_dynamic_requirements();
        let others = self.internal.iter().filter(|package| facts.manifest.name() != Some(package));
        others.filter(move |package| any || facts.manifest.asks_for(package))
    }
}

impl<'a> PinnedSource<'a> {
    fn read(facts: &'a ProfileContext<'a>, package: &'a Name, source: &'a UvSource) -> Option<Self> {
        match &source.kind {
            SourceKind::Git { url, reference: Some(reference @ GitReference::Tag(tag)), subdirectory } => {
                Some(Self { facts, package, url, tag, subdirectory: subdirectory.as_deref(), reference })
            }
            _ => None,
        }
    }

    pub(crate) fn profile(&self) -> Profile {
        self.facts.profile
    }

    /// Returns the release that the tag names, if it names one.
    pub(crate) fn release(&self) -> Option<Release> {
        Release::parse(&self.tag.value)
    }

    /// Returns the place of the tag in the manifest.
    pub(crate) fn place(&self) -> Place {
        self.facts.manifest.place(self.tag.span.clone())
    }

    /// Returns the locked package of the pin; `None` if the lockfile has another pin or none.
    pub(crate) fn locked(&self) -> Option<(&'a Package, &'a GitPin)> {
        let source =
            GitSource { url: &self.url.value, reference: Some(self.reference), subdirectory: self.subdirectory };
        self.facts.readable_lockfile()?.locked_for(self.package, &source)
    }
}
