//! Compares versions: of the project itself, of Python, and of requirements.

use std::collections::BTreeSet;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::{Requirement as Parsed, VerbatimUrl, VersionOrUrl};

use super::{LockfileChange, Staleness};
use crate::{
    lockfile::{LockedRequirement, Lockfile, Package},
    manifest::{Manifest, Requirement},
};

/// Compares the version of the project itself, which the lockfile has in normalized form.
pub(super) fn compare_version(package: &Package, manifest: &Manifest) -> Option<Staleness> {
    let version = manifest.project.as_ref()?.version.as_ref()?;
    let locked = package.version.as_ref()?;
    let parse = |text: &str| text.parse::<Version>().ok();
    (parse(&version.value)? != parse(locked)?).then(|| Staleness {
        package: package.name.clone(),
        change: LockfileChange::Version { manifest: version.value.clone(), locked: locked.clone() },
        place: Some(manifest.place(version.span.clone())),
    })
}

/// Compares the Python versions that all projects together require. uv compares only the two bounds of the range.
pub(super) fn compare_python(lockfile: &Lockfile, root: &Manifest, members: &[&Manifest]) -> Option<Staleness> {
    let projects = std::iter::once(root).chain(members.iter().copied());
    let said: Vec<_> = projects
        .filter_map(|manifest| manifest.project.as_ref().map(|project| (manifest, project)))
        .filter_map(|(manifest, project)| Some((manifest, &project.name.value, project.requires_python.as_ref()?)))
        .collect();
    let (manifest, package, first) = said.first()?;
    let texts: BTreeSet<_> = said.iter().map(|(_, _, text)| text.value.as_str()).collect();
    let wanted = texts.iter().map(|text| VersionBounds::parse(text)).collect::<Option<Vec<_>>>()?;
    let locked = lockfile.requires_python.as_ref()?;
    (wanted.into_iter().reduce(VersionBounds::and)? != VersionBounds::parse(locked)?).then(|| Staleness {
        package: (*package).clone(),
        change: LockfileChange::Python {
            manifest: texts.into_iter().collect::<Vec<_>>().join(","),
            locked: locked.clone(),
        },
        place: Some(manifest.place(first.span.clone())),
    })
}

/// The two bounds of a version range, each with whether it is inclusive.
#[derive(Debug, Default, PartialEq, Eq)]
struct VersionBounds {
    lower: Option<(Version, bool)>,
    upper: Option<(Version, bool)>,
}

impl VersionBounds {
    /// Parses a version range; returns `None` if it is more than two bounds.
    fn parse(text: &str) -> Option<Self> {
        let specifiers: VersionSpecifiers = text.parse().ok()?;
        specifiers.iter().try_fold(Self::default(), |ends, specifier| {
            // uv ignores everything after the release segment: Python 3.13.0rc1 counts as 3.13.
            let version = specifier.version().only_release();
            let release = version.release();
            let (lower, upper) = match specifier.operator() {
                Operator::GreaterThanEqual => (Some((version, true)), None),
                Operator::GreaterThan => (Some((version, false)), None),
                Operator::LessThan => (None, Some((version, false))),
                Operator::LessThanEqual => (None, Some((version, true))),
                Operator::Equal => (Some((version.clone(), true)), Some((version, true))),
                Operator::EqualStar => (Some((version.clone(), true)), Some((next(release)?, false))),
                Operator::TildeEqual => (Some((version.clone(), true)), Some((next(release.split_last()?.1)?, false))),
                Operator::NotEqual | Operator::NotEqualStar => (None, None),
                Operator::ExactEqual => return None,
            };
            Some(ends.and(Self { lower, upper }))
        })
    }

    /// Returns the intersection of both ranges.
    fn and(self, other: Self) -> Self {
        // If two versions are equal, the exclusive bound is the narrower one.
        let lower = match (self.lower, other.lower) {
            (Some(a), Some(b)) => Some(if (&a.0, !a.1) >= (&b.0, !b.1) { a } else { b }),
            (a, b) => a.or(b),
        };
        let upper = match (self.upper, other.upper) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { lower, upper }
    }
}

/// Returns the first version after all versions that start with `release`.
fn next(release: &[u64]) -> Option<Version> {
    let (last, start) = release.split_last()?;
    Some(Version::new(start.iter().copied().chain([last.checked_add(1)?])))
}

pub(super) fn compare_versions(
    manifest: &Manifest,
    required: &[&Requirement],
    locked: &[&LockedRequirement],
) -> Option<Staleness> {
    if !locked.iter().all(|requirement| requirement.from_registry) {
        return None;
    }
    let mut wanted = BTreeSet::new();
    for requirement in required {
        // If pep508_rs cannot parse it, uv decides.
        let parsed: Parsed<VerbatimUrl> = requirement.text.parse().ok()?;
        wanted.insert(match parsed.version_or_url {
            None => String::new(),
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => canonical_specifiers(&specifiers),
            Some(VersionOrUrl::Url(_)) => return None,
        });
    }
    let kept: Option<BTreeSet<_>> = locked
        .iter()
        .map(|requirement| match &requirement.specifier {
            None => Some(String::new()),
            Some(text) => Some(canonical_specifiers(&text.parse().ok()?)),
        })
        .collect();
    let kept = kept?;
    let show = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join("`, `");
    (wanted != kept).then(|| Staleness {
        package: required[0].name.clone(),
        change: LockfileChange::Versions { manifest: show(&wanted), locked: show(&kept) },
        place: Some(manifest.place(required[0].span.clone())),
    })
}

/// Returns the specifiers in a normalized order, because uv sorts them and a manifest has them as written.
fn canonical_specifiers(specifiers: &VersionSpecifiers) -> String {
    let sorted: BTreeSet<_> = specifiers.iter().map(ToString::to_string).collect();
    sorted.into_iter().collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LOCKFILE, MANIFEST, changed, found};

    #[test]
    fn reports_changed_versions() {
        assert_eq!(changed("version = \"0.1.0\"", "version = \"0.1\""), [""; 0]);
        assert_eq!(
            changed("version = \"0.1.0\"", "version = \"0.2.0\""),
            ["`app` has version `0.2.0`, but is locked with `0.1.0`"]
        );
        assert_eq!(
            changed("Six>=1.16,<2", "six>=1.17,<2"),
            ["`six` is required as `<2,>=1.17`, but locked for `<2,>=1.16`"]
        );
    }

    #[test]
    fn reports_a_changed_requires_python() {
        let with = |manifest: &str, locked: &str| {
            let python = |versions: &str| format!("requires-python = \"{versions}\"");
            found(
                &MANIFEST.replace(&python(">=3.10"), &python(manifest)),
                &LOCKFILE.replace(&python(">=3.10"), &python(locked)),
            )
        };
        assert_eq!(with(">=3.11", ">=3.10"), ["`app` requires Python `>=3.11`, but is locked for `>=3.10`"]);
        // Pairs that uv 0.7.16 and 0.13.9 treat as equal.
        for (manifest, locked) in [
            ("<3.13,>=3.10", ">=3.10, <3.13"),
            ("~=3.10", ">=3.10, <4"),
            (">=3.10.0", ">=3.10"),
            (">=3.11,<3.12", "==3.11.*"),
            (">=3.10", ">=3.10, !=3.12.1"),
            (">=3.8,>=3.10", ">=3.10"),
            ("===3.10", ">=3.11"),
        ] {
            assert_eq!(with(manifest, locked), [""; 0], "{manifest}, {locked}");
        }
        for (manifest, locked) in [
            (">=3.10.1", ">=3.10"),
            (">=3.10,<4", ">=3.10"),
            (">=3.10,<3.14", ">=3.10, <3.13"),
            (">3.9", ">=3.10"),
            (">=3.9", ">=3.10"),
            (">=3.10,>3.10", ">=3.10"),
        ] {
            assert_eq!(with(manifest, locked).len(), 1, "{manifest}, {locked}");
        }
    }
}
