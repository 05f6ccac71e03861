//! Each pattern of workspace members matches a member.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    model::{Place, Profile},
    monorepo::Monorepo,
};

pub(super) const RULE: Rule = Rule {
    code: "unmatched-member-pattern",
    severity: Severity::Warning,
    summary: "a pattern of workspace members matches no directory with a `pyproject.toml`",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    in_monorepo(facts.monorepo)
}

/// The same check if only the monorepo is available.
pub(in crate::check) fn in_monorepo(monorepo: &Monorepo) -> Vec<Finding> {
    monorepo.unmatched_patterns.iter().map(finding).collect()
}

fn finding(pattern: &Place) -> Finding {
    let text = pattern.text()[pattern.span()].trim_matches(['"', '\'']);
    let message = format!("the pattern `{text}` of workspace members matches no directory with a `pyproject.toml`");
    RULE.finding(message, "correct the pattern, or remove it").at(pattern.clone()).in_profile(Profile::Dev)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn warns_about_a_pattern_without_matches() {
        let tree = Tree::clean();
        tree.replace("pyproject.toml", "[\"packages/*\"]", "[\"packages/*\", \"libs/*\"]");
        assert_eq!(
            tree.shown(RULE.code),
            [
                "pyproject.toml:11: the pattern `libs/*` of workspace members matches no directory with a `pyproject.toml`"
            ]
        );
    }
}
