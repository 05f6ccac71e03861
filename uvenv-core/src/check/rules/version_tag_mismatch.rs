//! A tag names the version of the package at that tag. This check reads the version from the lockfile.

use std::str::FromStr;

use pep440_rs::Version;

use crate::check::{CheckFn, Facts, Finding, Remote, Rule, Severity, pins::PinnedSource};

pub(super) const RULE: Rule = Rule {
    code: "version-tag-mismatch",
    severity: Severity::Error,
    summary: "the version of an internal package differs from the tag to which it is pinned",
    check: CheckFn::Both(check, check_remote),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.pins().filter_map(|pin| finding(&pin)).collect()
}

fn finding(pin: &PinnedSource<'_>) -> Option<Finding> {
    let (locked, _) = pin.locked()?;
    let finding = of_version(pin, locked.version.as_ref()?)?;
    Some(match pin.facts.readable_lockfile() {
        Some(lockfile) => finding.related("locked here", lockfile.place(locked)),
        None => finding,
    })
}

/// Reads the version from the manifest at the tag if the lockfile does not contain it.
fn check_remote(facts: &Facts<'_>, remote: &Remote<'_>) -> Vec<Finding> {
    let unknown = facts.pins().filter(|pin| pin.locked().is_none_or(|(locked, _)| locked.version.is_none()));
    let found = unknown.filter_map(|pin| {
        let manifest = remote.contents(&pin)?.manifest(pin.subdirectory).ok()??;
        of_version(&pin, &manifest.project?.version?.value)
    });
    found.collect()
}

fn of_version(pin: &PinnedSource<'_>, version: &str) -> Option<Finding> {
    let release = pin.release()?;
    let version = Version::from_str(version).ok()?;
    if is_version_of(&version, &release.version) {
        return None;
    }
    let (profile, package, tag) = (pin.profile(), pin.package, &pin.tag.value);
    let message = format!("{profile} pins `{package}` to `{tag}`, but its version at that tag is {version}");
    let help = format!(
        "set the version in the package's `pyproject.toml` to {}, commit it, tag the commit, and promote it",
        release.version
    );
    Some(RULE.finding(message, help).at(pin.place()).in_profile(profile).about(package))
}

/// Whether a package with `version` is the release `tagged`. A build may add its own local segment, and according to
/// PEP 440 such a version is still that release.
fn is_version_of(version: &Version, tagged: &Version) -> bool {
    version == tagged || (!tagged.is_local() && version.clone().without_local() == *tagged)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    fn with_locked(version: &str) -> Tree {
        let tree = Tree::clean();
        tree.replace("prod/uv.lock", "version = \"1.0.0\"", version);
        tree
    }

    #[test]
    fn reports_a_locked_version_that_differs_from_the_tag() {
        assert_eq!(
            with_locked("version = \"0.9.9\"").shown(RULE.code),
            ["prod/pyproject.toml:12: prod pins `model-qwen2-5` to `v1.0.0`, but its version at that tag is 0.9.9"]
        );
        assert_eq!(with_locked("version = \"1.0.0.dev0\"").found(RULE.code).len(), 1);
    }

    #[test]
    fn accepts_other_spellings_of_the_same_version() {
        for version in ["version = \"1.0\"", "version = \"1.0.0+cu124\"", ""] {
            assert_eq!(with_locked(version).shown(RULE.code), [""; 0], "{version}");
        }
    }

    #[test]
    fn ignores_a_lockfile_with_another_pin() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", "v1.0.0", "v1.0.1");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
        assert_eq!(tree.found("stale-lockfile").len(), 1);
    }
}
