//! Staging pins each package to a dev-release. Pre-releases are accepted, because they too are tested before the
//! release.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    model::{Profile, Stage},
};

pub(super) const RULE: Rule = Rule {
    code: "stable-tag-in-staging",
    severity: Severity::Warning,
    summary: "staging pins an internal package to the tag of a stable release",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pin in facts.pins_in(Profile::Staging) {
        let Some(release) = pin.release().filter(|release| release.stage() == Stage::Stable) else { continue };
        let package = pin.package;
        let message =
            format!("staging pins `{package}` to `{}`, but {} is not a dev release", pin.tag.value, release.version);
        let help = format!("promote its newest dev release with `cargo uvenv promote --to staging {package}`");
        findings.push(RULE.finding(message, help).at(pin.place()).in_profile(Profile::Staging).about(package));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::{Severity, tests::Tree};

    #[test]
    fn warns_about_a_stable_tag_in_staging() {
        let tree = Tree::clean();
        tree.replace("staging/pyproject.toml", "auth-client/v0.1.3.dev0", "auth-client/v0.1.2");
        let found = tree.found(RULE.code);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(
            tree.shown(RULE.code),
            ["staging/pyproject.toml:11: staging pins `auth-client` to `auth-client/v0.1.2`, but 0.1.2 is not a dev \
                 release"]
        );
    }
}
