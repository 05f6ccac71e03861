//! Prod pins each package to a stable release.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    model::{Profile, Stage},
};

pub(super) const RULE: Rule = Rule {
    code: "dev-tag-in-prod",
    severity: Severity::Error,
    summary: "prod pins an internal package to the tag of a dev release or pre-release",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pin in facts.pins_in(Profile::Prod) {
        let Some(release) = pin.release().filter(|release| release.stage() != Stage::Stable) else { continue };
        let package = pin.package;
        let message =
            format!("prod pins `{package}` to `{}`, but {} is not a stable release", pin.tag.value, release.version);
        let help = format!("promote its newest stable release with `cargo uvenv promote --to prod {package}`");
        findings.push(RULE.finding(message, help).at(pin.place()).in_profile(Profile::Prod).about(package));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_unstable_tags_in_prod() {
        for (tag, version) in [("v1.0.0.dev1", "1.0.0.dev1"), ("v1.0rc1", "1.0rc1"), ("v1.0+cu124", "1.0+cu124")] {
            let tree = Tree::clean();
            tree.replace("prod/pyproject.toml", "v1.0.0", tag);
            let message = format!(
                "prod/pyproject.toml:12: prod pins `model-qwen2-5` to `{tag}`, but {version} is not a stable release"
            );
            assert_eq!(tree.shown(RULE.code), [message]);
        }
    }

    #[test]
    fn accepts_a_post_release() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", "v1.0.0", "v1.0.0.post1");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn ignores_the_tag_of_an_unused_source() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", "v1.0.0", "v1.0.0.dev1");
        tree.replace("prod/pyproject.toml", "\"model-qwen2_5\", ", "");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
        assert_eq!(tree.found("unused-source").len(), 1);
    }
}
