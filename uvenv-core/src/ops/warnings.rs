//! What is worth a word before an operation, and stops nothing.

use crate::{
    Name,
    error::{Diagnostic, Place},
    manifest::Manifest,
    monorepo::{Monorepo, Profile},
};

/// Something to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// A source that uv never looks at.
    #[error("`{}` has a source for `{package}`, which nothing there depends on", place.path())]
    UnusedSource {
        /// The package.
        package: Name,
        /// The source.
        place: Place,
    },
    /// A pattern of workspace members without a match.
    #[error("the pattern {} of workspace members matches no directory with a `pyproject.toml`", quoted(place))]
    UnmatchedPattern {
        /// The pattern.
        place: Place,
    },
}

impl Diagnostic for Warning {
    fn code(&self) -> &'static str {
        match self {
            Self::UnusedSource { .. } => "unused-source",
            Self::UnmatchedPattern { .. } => "unmatched-member-pattern",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnusedSource { package, .. } => {
                format!("add `{package}` to the dependencies, or remove the source")
            }
            Self::UnmatchedPattern { .. } => "correct the pattern, or remove it".to_owned(),
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::UnusedSource { place, .. } | Self::UnmatchedPattern { place } => Some(place),
        }
    }
}

/// The pattern as the manifest has it, in a message's quotes.
fn quoted(pattern: &Place) -> String {
    format!("`{}`", pattern.text()[pattern.span()].trim_matches(['"', '\'']))
}

/// The warnings about a profile. A manifest that cannot be read has none: whoever uses it gets the error.
pub fn warnings(monorepo: &Monorepo, profile: Profile) -> Vec<Warning> {
    let Ok(manifest) =
        monorepo.profile(profile).map_err(crate::Error::from).and_then(|paths| Ok(monorepo.manifest(paths)?))
    else {
        return Vec::new();
    };
    let mut warnings = unused_sources(monorepo, profile, &manifest);
    if profile == Profile::Dev {
        let patterns = monorepo.unmatched_patterns.iter().cloned();
        warnings.extend(patterns.map(|place| Warning::UnmatchedPattern { place }));
    }
    warnings
}

fn unused_sources(monorepo: &Monorepo, profile: Profile, manifest: &Manifest) -> Vec<Warning> {
    // The sources of a workspace's root are there for its members too, and for what they build with.
    let projects: Vec<_> =
        std::iter::once(manifest).chain(monorepo.members_of(profile).iter().map(|member| &member.manifest)).collect();
    let is_used = |package: &Name| {
        projects.iter().any(|project| {
            let others = project.build_requires.iter().chain(&project.uv.constraints);
            project.requirements().chain(others).any(|requirement| requirement.name == *package)
        })
    };
    let sources = manifest.uv.sources.iter().map(|(package, _)| package);
    sources
        .filter(|package| !is_used(&package.value))
        .map(|package| Warning::UnusedSource {
            package: package.value.clone(),
            place: manifest.place(package.span.clone()),
        })
        .collect()
}
