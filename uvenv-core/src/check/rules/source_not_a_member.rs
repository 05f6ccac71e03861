//! A workspace source names a member of the workspace.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity, workspace},
    manifest::{Manifest, SourceKind},
    model::{Profile, nearest},
};

pub(super) const RULE: Rule = Rule {
    code: "source-not-a-member",
    severity: Severity::Error,
    summary: "a workspace source names a package that is not a member of the workspace",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    workspace::manifests(facts).flat_map(|manifest| of_manifest(facts, manifest)).collect()
}

fn of_manifest(facts: &Facts<'_>, manifest: &Manifest) -> Vec<Finding> {
    let members: Vec<_> = workspace::manifests(facts).filter_map(Manifest::name).collect();
    let mut findings = Vec::new();
    for (package, sources) in &manifest.uv.sources {
        let from_workspace = sources.iter().find(|source| matches!(source.kind, SourceKind::Workspace));
        let Some(source) = from_workspace.filter(|_| !members.contains(&&package.value)) else { continue };
        let name = &package.value;
        let message = format!("the source of `{name}` is the workspace, which has no member of that name");
        let lost = workspace::uninitialised(facts, name.as_str());
        let near = nearest(name.as_str(), members.iter().map(|member| member.as_str()), 2);
        // A misspelled one is not meant to be unused.
        if near.is_none() && !workspace::requires(facts, name) {
            continue;
        }
        let help = match (lost, near) {
            (Some(directory), _) => format!(
                "`{0}` is a git submodule that is not initialised: run `git submodule update --init {0}`",
                facts.monorepo.relative(&directory)
            ),
            (None, Some(near)) => format!(
                "did you mean `{near}`? Otherwise add the package's directory to `members` in \
                 `[tool.uv.workspace]`"
            ),
            (None, None) => {
                "add the package's directory to `members` in `[tool.uv.workspace]`, or change its source".to_owned()
            }
        };
        let place = manifest.place(source.span.clone());
        findings.push(RULE.finding(message, help).at(place).in_profile(Profile::Dev).about(name));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_a_workspace_source_without_a_member() {
        let tree = Tree::clean();
        tree.replace("pyproject.toml", "auth-client = { workspace", "auth-clients = { workspace");
        assert_eq!(
            tree.shown(RULE.code),
            ["pyproject.toml:14: the source of `auth-clients` is the workspace, which has no member of that name"]
        );
        assert!(tree.found(RULE.code)[0].help.as_ref().unwrap().contains("did you mean `auth-client`?"));
    }

    #[test]
    fn compares_normalised_names_and_counts_the_root_as_a_member() {
        let tree = Tree::clean();
        tree.replace("pyproject.toml", "auth-client = {", "bench = { workspace = true }\nAuth_Client = {");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn accepts_a_source_that_nobody_uses() {
        let tree = Tree::clean();
        tree.replace("pyproject.toml", "auth-client = {", "agents = { workspace = true }\nauth-client = {");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
