//! A tag names the version that the package has there. Here the lockfile is asked, which keeps that version.

use std::str::FromStr;

use pep440_rs::Version;

use crate::check::{CheckFn, Facts, Finding, Remote, Rule, Severity, pins::PinnedSource};

pub(super) const RULE: Rule = Rule {
    code: "version-tag-mismatch",
    severity: Severity::Error,
    summary: "an internal package has another version than the tag that it is pinned to",
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

/// What the lockfile does not say, the manifest at the tag does.
fn check_remote(facts: &Facts<'_>, remote: &Remote) -> Vec<Finding> {
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
    let message = format!("{profile} pins `{package}` to `{tag}`, where its own version is {version}");
    let help = format!(
        "set the version in the package's `pyproject.toml` to {}, commit and tag that, and promote it",
        release.version
    );
    Some(RULE.finding(message, help).at(pin.place()).in_profile(profile).about(package))
}

/// Whether a package with `version` is the release `tagged`. A build may add a local segment of its own (PEP 440: such
/// versions are the release too).
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
    fn the_version_that_is_locked_is_the_tags() {
        assert_eq!(
            with_locked("version = \"0.9.9\"").shown(RULE.code),
            ["prod/pyproject.toml:12: prod pins `model-qwen2-5` to `v1.0.0`, where its own version is 0.9.9"]
        );
        assert_eq!(with_locked("version = \"1.0.0.dev0\"").found(RULE.code).len(), 1);
    }

    #[test]
    fn the_same_version_in_another_spelling_is_the_tags() {
        for version in ["version = \"1.0\"", "version = \"1.0.0+cu124\"", ""] {
            assert_eq!(with_locked(version).shown(RULE.code), [""; 0], "{version}");
        }
    }

    #[test]
    fn another_pin_in_the_lockfile_says_nothing_about_this_one() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", "v1.0.0", "v1.0.1");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
        assert_eq!(tree.found("stale-lockfile").len(), 1);
    }
}
