//! The git submodules that members of the workspace lie in are there.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity, workspace},
    git::Submodule,
    model::Profile,
};

pub(super) const RULE: Rule = Rule {
    code: "broken-submodule",
    severity: Severity::Error,
    summary: "a git submodule in which the workspace has a member is not initialised, or is not in `.gitmodules`",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    workspace::lost_submodules(facts).iter().filter_map(|submodule| finding(facts, submodule)).collect()
}

fn finding(facts: &Facts<'_>, submodule: &Submodule) -> Option<Finding> {
    let place = workspace::selected_by(facts, &submodule.directory)?;
    let path = facts.monorepo.relative(&submodule.directory);
    let (message, help) = if submodule.is_declared {
        (
            format!("`{path}` is to be a member of the workspace, and is a git submodule that was not initialised"),
            format!("run `git submodule update --init {path}`"),
        )
    } else {
        (
            format!("`{path}` is to be a member of the workspace, and is a git link that `.gitmodules` does not have"),
            format!(
                "add it with `git submodule add --force URL {path}`, or remove the link with `git rm --cached {path}`"
            ),
        )
    };
    Some(RULE.finding(message, help).at(place).in_profile(Profile::Dev))
}
