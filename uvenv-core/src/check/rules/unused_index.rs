//! Each explicit index is used by a source.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    manifest::{Edit, SourceKind},
    monorepo::ProfileContext,
};

pub(super) const RULE: Rule = Rule {
    code: "unused-index",
    severity: Severity::Warning,
    summary: "no source uses an explicit index",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.profiles.iter().flat_map(|profile| of_profile(profile)).collect()
}

fn of_profile(profile: &ProfileContext<'_>) -> Vec<Finding> {
    let projects: Vec<_> = profile.manifests().collect();
    let sources = projects.iter().flat_map(|project| &project.uv.sources).flat_map(|(_, sources)| sources);
    let used: Vec<_> = sources
        .filter_map(|source| match &source.kind {
            SourceKind::Index(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let mut findings = Vec::new();
    for index in profile.manifest.uv.indexes.iter().filter(|index| index.is_explicit) {
        let Some(name) = index.name.as_deref().filter(|name| !used.contains(name)) else { continue };
        let message = format!("no source uses the index `{name}`: it is explicit, so uv never uses it");
        let help = format!("use it with `{{ index = \"{name}\" }}` in `[tool.uv.sources]`, or remove it");
        let edits = vec![Edit::RemoveIndex { name: name.to_owned() }];
        let finding = RULE.finding(message, help).at(profile.manifest.place(index.span.clone()));
        findings.push(finding.in_profile(profile.profile).fixed_by(profile.manifest.path(), edits));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    fn with_index(more: &str) -> Tree {
        let tree = Tree::clean();
        let index = format!("[[tool.uv.index]]\nname = \"pytorch\"\nurl = \"https://i.example.com/cu124\"\n{more}\n");
        tree.replace("prod/pyproject.toml", "[tool.uv.sources]\n", &format!("{index}[tool.uv.sources]\n"));
        tree
    }

    #[test]
    fn reports_an_explicit_index_without_a_source() {
        let tree = with_index("explicit = true\n");
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:12: no source uses the index `pytorch`: it is explicit, so uv never uses it"]
        );
        tree.replace(
            "prod/pyproject.toml",
            "[tool.uv.sources]\n",
            "[tool.uv.sources]\nsix = { index = \"pytorch\" }\n",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn accepts_indexes_that_are_not_explicit() {
        assert_eq!(with_index("").shown(RULE.code), [""; 0]);
        assert_eq!(with_index("explicit = false").shown(RULE.code), [""; 0]);
    }
}
