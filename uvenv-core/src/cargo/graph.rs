//! The packages of a workspace and their features, as cargo resolves them.

use camino::Utf8Path;
use guppy::{
    CargoMetadata,
    graph::{
        PackageGraph,
        cargo::{CargoOptions, CargoResolverVersion},
    },
    platform::PlatformSpec,
};

use super::metadata::{Access, metadata};
use crate::model::Variables;

/// Asks cargo for the packages of the workspace of `manifest`.
///
/// # Errors
///
/// Returns a sentence for the user if cargo cannot tell.
pub(super) fn package_graph(
    manifest: &Utf8Path,
    access: Access,
    variables: &Variables,
) -> Result<PackageGraph, String> {
    let text = metadata(manifest, access, variables, |command| command.seeing(variables))?;
    CargoMetadata::parse_json(text).and_then(CargoMetadata::build_graph).map_err(|error| in_words(&error))
}

/// Returns how a build for `platform`, or for any, resolves features.
pub(super) fn build_options(platform: Option<PlatformSpec>) -> CargoOptions<'static> {
    let mut options = CargoOptions::new();
    options.set_resolver(CargoResolverVersion::V2);
    if let Some(platform) = platform {
        options.set_platform(platform);
    }
    options
}

/// Formats the error and its causes on one line, as cargo does.
pub(super) fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    let text: Vec<_> = causes.collect();
    text.join(": ").lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
