//! Staging and prod take each internal package from a tag.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    manifest::{Edit, GitReference, SourceKind, UvSource},
    model::{Name, Release},
    monorepo::ProfileContext,
};

pub(super) const RULE: Rule = Rule {
    code: "unpinned-internal-package",
    severity: Severity::Error,
    summary: "staging or prod does not pin an internal package to a tag",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .pinned()
        .flat_map(|profile| facts.taken_by(profile).flat_map(|package| of_package(profile, package)))
        .collect()
}

fn of_package(facts: &ProfileContext<'_>, package: &Name) -> Vec<Finding> {
    match facts.manifest.sources_of(package) {
        [] => of_requirement(facts, package).into_iter().collect(),
        sources => sources.iter().filter_map(|source| of_source(facts, package, source)).collect(),
    }
}

/// Reports a requirement without a source, which takes whatever the index has, or has its own URL. A constraint alone
/// installs nothing.
fn of_requirement(facts: &ProfileContext<'_>, package: &Name) -> Option<Finding> {
    let requirement = facts.manifest.requirements().find(|requirement| requirement.name == *package)?;
    let origin = if has_url(&requirement.text) { "the URL in its requirement" } else { "a package index" };
    Some(finding(facts, package, origin).at(facts.manifest.place(requirement.span.clone())))
}

fn of_source(facts: &ProfileContext<'_>, package: &Name, source: &UvSource) -> Option<Finding> {
    let place = facts.manifest.place(source.span.clone());
    let found = |origin: &str| Some(finding(facts, package, origin).at(place.clone()));
    match &source.kind {
        SourceKind::Git { reference: Some(GitReference::Tag(_)), .. } => None,
        SourceKind::Git { reference: None, .. } => found("the default branch of its repository"),
        SourceKind::Git { reference: Some(reference), .. } => {
            let text = reference.text();
            let words = if matches!(reference, GitReference::Branch(_)) { "branch" } else { "revision" };
            let finding =
                finding(facts, package, &format!("the {words} `{}`", text.value)).at(place.at(text.span.clone()));
            Some(match tag_of_revision(reference) {
                Some(tag) => {
                    let edit = Edit::SetTag { package: package.clone(), tag: tag.to_owned() };
                    finding.fixed_by(facts.manifest.path(), vec![edit])
                }
                None => finding,
            })
        }
        SourceKind::Workspace => found("the workspace"),
        SourceKind::Path(path) => found(&format!("the directory `{path}`")),
        SourceKind::Url(_) => found("an archive"),
        SourceKind::Index(index) => found(&format!("the index `{index}`")),
    }
}

fn finding(facts: &ProfileContext<'_>, package: &Name, origin: &str) -> Finding {
    let profile = facts.profile;
    let message = format!("the source of `{package}` in {profile} is {origin}, not a tag");
    let help = format!("pin it to a tag with `cargo uvenv promote --to {profile} {package}`");
    RULE.finding(message, help).in_profile(profile).about(package)
}

/// Returns the tag if a revision such as `rev = "v0.1.2"` means the tag with that name. The digits of a commit are not
/// a version.
fn tag_of_revision(reference: &GitReference) -> Option<&str> {
    let GitReference::Rev(revision) = reference else { return None };
    let text = revision.value.as_str();
    Release::parse(text).filter(|release| release.version.release().len() > 1).map(|_| text)
}

/// Whether a requirement has the form `name @ URL` (PEP 508).
fn has_url(requirement: &str) -> bool {
    let before_marker = requirement.split(';').next().unwrap_or_default();
    before_marker.contains('@')
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::{
        check::{Fix, tests::Tree},
        manifest::Edit,
        model::Name,
    };

    const PIN: &str = "{ git = \"https://git.example.com/model.git\", tag = \"v1.0.0\", subdirectory = \".\" }";

    fn with_source(source: &str) -> Tree {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", PIN, source);
        tree
    }

    #[test]
    fn reports_sources_other_than_tags() {
        for (source, origin) in [
            ("{ git = \"https://h/model.git\", branch = \"main\" }", "the branch `main`"),
            ("{ git = \"https://h/model.git\", rev = \"0123456\" }", "the revision `0123456`"),
            ("{ git = \"https://h/model.git\" }", "the default branch of its repository"),
            ("{ path = \"../packages/model\", editable = true }", "the directory `../packages/model`"),
            ("{ workspace = true }", "the workspace"),
            ("{ index = \"internal\" }", "the index `internal`"),
            ("{ url = \"https://h/model-1.0.whl\" }", "an archive"),
        ] {
            let tree = with_source(source);
            let message =
                format!("prod/pyproject.toml:12: the source of `model-qwen2-5` in prod is {origin}, not a tag");
            assert_eq!(tree.shown(RULE.code), [message]);
            assert!(tree.found(RULE.code)[0].fix.is_none());
        }
    }

    #[test]
    fn checks_each_of_several_sources() {
        let tree = with_source(&format!(
            "[{}, {{ index = \"internal\", marker = \"sys_platform == 'win32'\" }}]",
            PIN.replace(" }", ", marker = \"sys_platform != 'win32'\" }")
        ));
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:12: the source of `model-qwen2-5` in prod is the index `internal`, not a tag"]
        );
    }

    #[test]
    fn reports_a_package_without_a_source() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", &format!("model-qwen2_5 = {PIN}\n"), "");
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:5: the source of `model-qwen2-5` in prod is a package index, not a tag"]
        );
        tree.replace("prod/pyproject.toml", "\"model-qwen2_5\"", "\"model-qwen2_5 @ git+https://h/model.git@v1.0.0\"");
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:5: the source of `model-qwen2-5` in prod is the URL in its requirement, not a tag"]
        );
    }

    #[test]
    fn fix_turns_a_revision_that_names_a_tag_into_a_tag() {
        let tree = with_source("{ git = \"https://h/model.git\", rev = \"v1.0.0\" }");
        let edit = Edit::SetTag { package: Name::parse("model-qwen2-5").unwrap(), tag: "v1.0.0".to_owned() };
        let fix = Fix { manifest: tree.root.join("prod/pyproject.toml"), edits: vec![edit] };
        assert_eq!(tree.found(RULE.code)[0].fix, Some(fix));
    }

    #[test]
    fn accepts_any_source_in_dev() {
        let tree = Tree::clean();
        tree.replace(
            "pyproject.toml",
            "auth-client = { workspace = true }",
            "auth-client = { path = \"packages/auth-client\" }",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
