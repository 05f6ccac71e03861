//! The git submodules that contain workspace members are checked out.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity, workspace},
    git::Submodule,
    model::Profile,
};

pub(super) const RULE: Rule = Rule {
    code: "broken-submodule",
    severity: Severity::Error,
    summary: "a git submodule with a workspace member is not initialised, or is not in `.gitmodules`",
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
            format!("the workspace member `{path}` is a git submodule that is not initialised"),
            format!("run `git submodule update --init {path}`"),
        )
    } else {
        (
            format!("the workspace member `{path}` is a git link that is not in `.gitmodules`"),
            format!(
                "add it with `git submodule add --force URL {path}`, or remove the link with `git rm --cached {path}`"
            ),
        )
    };
    Some(RULE.finding(message, help).at(place).in_profile(Profile::Dev))
}
