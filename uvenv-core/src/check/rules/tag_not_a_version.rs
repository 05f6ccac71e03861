//! A tag names a release, so that it is clear which release is newer and for which profile it is meant.

use crate::check::{CheckFn, Facts, Finding, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "tag-not-a-version",
    severity: Severity::Error,
    summary: "staging or prod pins an internal package to a tag that is not a version",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pin in facts.pins().filter(|pin| pin.release().is_none()) {
        let (profile, package) = (pin.profile(), pin.package);
        let message = format!("{profile} pins `{package}` to `{}`, which is not the tag of a version", pin.tag.value);
        let help = format!("promote a release of it with `cargo uvenv promote --to {profile} {package}`");
        findings.push(RULE.finding(message, help).at(pin.place()).in_profile(profile).about(package));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_tags_without_a_version() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", "v1.0.0", "nightly");
        tree.replace("staging/pyproject.toml", "v1.0.0.dev4", "release-final");
        assert_eq!(
            tree.shown(RULE.code),
            [
                "staging/pyproject.toml:12: staging pins `model-qwen2-5` to `release-final`, which is not the tag of a version",
                "prod/pyproject.toml:12: prod pins `model-qwen2-5` to `nightly`, which is not the tag of a version",
            ]
        );
    }
}
