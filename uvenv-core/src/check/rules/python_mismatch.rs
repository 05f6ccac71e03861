//! The profiles support the same Python versions.

use std::{collections::BTreeSet, str::FromStr};

use pep440_rs::{Version, VersionSpecifiers};

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    model::Profile,
    monorepo::ProfileContext,
    toml::{File, Spanned},
    uv::python_version_file,
};

pub(super) const RULE: Rule = Rule {
    code: "python-mismatch",
    severity: Severity::Error,
    summary: "`requires-python` differs between two profiles, or does not allow `.python-version`",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let different = facts.pinned().filter_map(|profile| different(facts, profile));
    let outside = facts.profiles.iter().filter_map(|profile| outside(facts, profile));
    different.chain(outside).collect()
}

fn required<'a>(profile: &'a ProfileContext<'_>) -> Option<&'a Spanned<String>> {
    profile.manifest.project.as_ref()?.requires_python.as_ref()
}

fn different(facts: &Facts<'_>, profile: &ProfileContext<'_>) -> Option<Finding> {
    let dev = facts.profile(Profile::Dev)?;
    let (here, there) = (required(profile), required(dev));
    if parts(here)? == parts(there)? {
        return None;
    }
    let text = |required: Option<&Spanned<String>>| match required {
        Some(required) => format!("`{}`", required.value),
        None => "any".to_owned(),
    };
    let name = profile.profile;
    let message = format!("{name} requires Python {}, but dev requires {}", text(here), text(there));
    let help = "set the same `requires-python` in all profiles, and lock those that you change";
    let place = here.map_or_else(|| profile.manifest.heading(), |here| profile.manifest.place(here.span.clone()));
    let finding = RULE.finding(message, help).at(place).in_profile(name);
    Some(match there {
        Some(there) => finding.related("dev requires this", dev.manifest.place(there.span.clone())),
        None => finding,
    })
}

/// Returns the parts of a specifier, independent of order and spelling; `None` if it is invalid.
fn parts(required: Option<&Spanned<String>>) -> Option<BTreeSet<String>> {
    let Some(required) = required else { return Some(BTreeSet::new()) };
    let specifiers = VersionSpecifiers::from_str(&required.value).ok()?;
    let part = |specifier: &pep440_rs::VersionSpecifier| {
        // Trailing zeros do not matter, except with `~=` and wildcards.
        let version = specifier.version().to_string();
        let short = version.trim_end_matches(".0");
        let says_zeros = specifier.operator().to_string().ends_with("~=") || version.contains('*');
        format!("{}{}", specifier.operator(), if says_zeros { &version } else { short })
    };
    Some(specifiers.iter().map(part).collect())
}

/// Reports a `.python-version` that applies to a profile and that the profile does not support.
fn outside(facts: &Facts<'_>, profile: &ProfileContext<'_>) -> Option<Finding> {
    let required = required(profile)?;
    let specifiers = VersionSpecifiers::from_str(&required.value).ok()?;
    let file = File::read(&python_version_file(&profile.paths.directory)).ok()?;
    let line = file.text.lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
    let version = requested(line.trim())?;
    if fits(&specifiers, &version) {
        return None;
    }
    let start = line.as_ptr() as usize - file.text.as_ptr() as usize;
    let name = profile.profile;
    let message =
        format!("`.python-version` requests Python {}, but {name} requires `{}`", line.trim(), required.value);
    let help = format!("set a version in `{}` that {name} allows", facts.monorepo.relative(&file.path));
    let finding = RULE.finding(message, help).at(file.place(start..start + line.len())).in_profile(name);
    Some(finding.related(format!("{name} requires this"), profile.manifest.place(required.span.clone())))
}

/// Parses a request such as `3.11`, `3.11.7` or `cpython@3.11`; `None` if it is not a version of CPython.
fn requested(text: &str) -> Option<Version> {
    let text = ["cpython", "python"].iter().find_map(|name| text.strip_prefix(name)).unwrap_or(text);
    Version::from_str(text.trim_start_matches(['@', '-'])).ok()
}

/// Whether the specifiers allow `version`. A minor version alone is allowed if one of its releases is.
fn fits(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    let release = version.release();
    if release.len() > 2 {
        return specifiers.contains(version);
    }
    let (major, minor) = (release.first().copied().unwrap_or(3), release.get(1).copied());
    let minors = minor.map_or(0..=99, |minor| minor..=minor);
    minors.into_iter().any(|minor| (0..=99).any(|patch| specifiers.contains(&Version::new([major, minor, patch]))))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_profiles_with_different_requires_python() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", ">=3.10", ">=3.11");
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:4: prod requires Python `>=3.11`, but dev requires `>=3.10`"]
        );
        assert_eq!(tree.found(RULE.code)[0].related.len(), 1);
        tree.replace("pyproject.toml", ">=3.10", ">= 3.11.0, <4");
        tree.replace("prod/pyproject.toml", ">=3.11", "<4,>=3.11");
        tree.replace("staging/pyproject.toml", ">=3.10", "<4.0 , >=3.11");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn reports_a_python_version_file_outside_requires_python() {
        let tree = Tree::clean();
        tree.write(".python-version", "# ours\n3.9\n");
        let found = tree.shown(RULE.code);
        // uv does not look for the file above the directory of a profile.
        let of_dev = ".python-version:2: `.python-version` requests Python 3.9, but dev requires `>=3.10`";
        assert_eq!(found, [of_dev]);
        tree.write("prod/.python-version", "3.8\n");
        assert_eq!(tree.found(RULE.code).len(), 2);
        tree.write("prod/.python-version", "3.12\n");
        for version in ["3.10", "3.11.7", "cpython@3.12", "pypy@3.9", "/usr/bin/python3", "3"] {
            tree.write(".python-version", version);
            assert_eq!(tree.shown(RULE.code), [""; 0], "{version}");
        }
    }
}
