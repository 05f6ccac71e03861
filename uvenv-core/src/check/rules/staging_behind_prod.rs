//! A change reaches staging first: the version of a package in staging leads to a release that prod does not have yet,
//! or to the one that prod has.

use pep440_rs::Version;

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity, pins::PinnedSource},
    model::{Name, Profile},
};

pub(super) const RULE: Rule = Rule {
    code: "staging-behind-prod",
    severity: Severity::Warning,
    summary: "staging pins an older release of an internal package than prod",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.internal.iter().filter_map(|package| finding(facts, package)).collect()
}

fn finding(facts: &Facts<'_>, package: &Name) -> Option<Finding> {
    let (staging, here) = newest(facts, Profile::Staging, package)?;
    let (prod, there) = newest(facts, Profile::Prod, package)?;
    // After a release, 0.1.2.dev0 may remain in staging with 0.1.2 in prod.
    if target(here.clone()) >= there {
        return None;
    }
    let message =
        format!("staging pins `{package}` to `{}`, which is older than prod's `{}`", staging.tag.value, prod.tag.value);
    let help = format!("promote its newest dev release with `cargo uvenv promote --to staging {package}`");
    let finding = RULE.finding(message, help).at(staging.place()).related("prod pins it here", prod.place());
    Some(finding.in_profile(Profile::Staging).about(package))
}

/// Returns the newest of the releases to which a profile pins `package`. There may be several, for different platforms.
fn newest<'a>(facts: &'a Facts<'_>, profile: Profile, package: &Name) -> Option<(PinnedSource<'a>, Version)> {
    let pins = facts.pins_in(profile).filter(|pin| pin.package == package);
    pins.filter_map(|pin| Some((pin, pin.release()?.version))).max_by(|(_, a), (_, b)| a.cmp(b))
}

/// Returns the release that a dev-release or pre-release leads to.
fn target(version: Version) -> Version {
    version.with_dev(None).with_pre(None)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    fn beside(staging: &str, prod: &str) -> Tree {
        let tree = Tree::clean();
        tree.replace("staging/pyproject.toml", "\"v1.0.0.dev4\"", &format!("\"{staging}\""));
        tree.replace("prod/pyproject.toml", "\"v1.0.0\"", &format!("\"{prod}\""));
        tree
    }

    #[test]
    fn warns_about_an_older_release_in_staging() {
        let tree = beside("v0.1.1.dev4", "v0.1.2");
        assert_eq!(
            tree.shown(RULE.code),
            [
                "staging/pyproject.toml:12: staging pins `model-qwen2-5` to `v0.1.1.dev4`, which is older than prod's `v0.1.2`"
            ]
        );
        assert_eq!(tree.found(RULE.code)[0].related[0].1.line(), 12);
        for (staging, prod) in [("v0.9", "v0.10"), ("v0.1.2.dev3", "v0.1.2.post1"), ("v2.0.dev0", "v1!1.0")] {
            assert_eq!(beside(staging, prod).found(RULE.code).len(), 1, "{staging} {prod}");
        }
    }

    #[test]
    fn accepts_the_state_after_a_release() {
        for (staging, prod) in [
            ("v0.1.2.dev0", "v0.1.2"),
            ("v0.1.2rc1", "v0.1.2"),
            ("v0.1.3.dev0", "v0.1.2.post1"),
            ("v0.10.dev0", "v0.9"),
            ("v0.1.2", "v0.1.2.0"),
            ("nightly", "v9"),
        ] {
            assert_eq!(beside(staging, prod).shown(RULE.code), [""; 0], "{staging} {prod}");
        }
    }
}
