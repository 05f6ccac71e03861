//! Conflict sets name existing extras and groups.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    manifest::{ConflictEntry, Manifest, Selector},
    model::nearest,
    monorepo::ProfileContext,
};

pub(super) const RULE: Rule = Rule {
    code: "undefined-conflict",
    severity: Severity::Warning,
    summary: "a set in `conflicts` names an extra or a dependency group that does not exist",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.profiles.iter().flat_map(|profile| of_profile(profile)).collect()
}

fn of_profile(profile: &ProfileContext<'_>) -> Vec<Finding> {
    let projects: Vec<_> = profile.manifests().collect();
    let mut findings = Vec::new();
    for holder in &projects {
        for entry in holder.uv.conflicts.iter().flat_map(|set| &set.entries) {
            let meant = match &entry.package {
                None => Some(*holder),
                Some(name) => projects.iter().copied().find(|project| project.name() == Some(name)),
            };
            let Some(finding) = meant.and_then(|project| of_entry(project, entry)) else { continue };
            findings.push(finding.at(holder.place(entry.span.clone())).in_profile(profile.profile));
        }
    }
    findings
}

fn of_entry(project: &Manifest, entry: &ConflictEntry) -> Option<Finding> {
    let selector = entry.selector.as_ref()?;
    let (kind, names): (_, Vec<_>) = match selector {
        Selector::Extra(_) if project.has_dynamic_requirements() => return None,
        Selector::Extra(_) => ("extra", project.project.iter().flat_map(|project| project.extras.keys()).collect()),
        Selector::Group(_) => ("dependency group", project.groups.keys().collect()),
    };
    if names.contains(&selector.name()) {
        return None;
    }
    let whose = project.name().map_or_else(|| "the workspace".to_owned(), |name| format!("`{name}`"));
    let message = format!("`conflicts` names the {kind} `{}`, which {whose} does not have", selector.name());
    let help = match nearest(selector.name().as_str(), names.iter().map(|name| name.as_str()), 2) {
        Some(near) => {
            format!("did you mean `{near}`? Otherwise add the {kind}, or remove it from the set")
        }
        None => format!("add the {kind}, or remove it from the set"),
    };
    Some(RULE.finding(message, help))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_undefined_extras_and_groups_in_conflicts() {
        let tree = Tree::clean();
        let conflicts = "package = false\nconflicts = [[{ extra = \"cu124\" }, { extra = \"cu128\" }], \
                         [{ group = \"tests\" }, { package = \"auth-client\", extra = \"gpu\" }], [{ package = \"six\", extra = \"x\" }]]";
        tree.replace("prod/pyproject.toml", "package = false", conflicts);
        tree.replace(
            "prod/pyproject.toml",
            "[tool.uv]\n",
            "[project.optional-dependencies]\ncu124 = []\n\n[tool.uv]\n",
        );
        assert_eq!(
            tree.shown(RULE.code),
            [
                "prod/pyproject.toml:12: `conflicts` names the extra `cu128`, which `bench` does not have",
                "prod/pyproject.toml:12: `conflicts` names the dependency group `tests`, which `bench` does not have",
            ]
        );
        tree.replace(
            "pyproject.toml",
            "package = false",
            "package = false\nconflicts = [[{ package = \"auth-client\", extra = \"gpu\" }]]",
        );
        assert_eq!(
            tree.shown(RULE.code)[0],
            "pyproject.toml:9: `conflicts` names the extra `gpu`, which `auth-client` does not have"
        );
    }
}
