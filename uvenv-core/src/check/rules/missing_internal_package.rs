//! The profiles depend on the same internal packages.
//!
//! Groups are ignored because they are for development. Staging and prod may name packages that dev gets indirectly: uv
//! uses only the sources of direct dependencies, so a package must be a direct dependency to be pinned.

use std::collections::BTreeSet;

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    manifest::{Edit, GitReference, Manifest, Requirement, SourceKind},
    model::{Name, Profile},
    monorepo::ProfileContext,
};

pub(super) const RULE: Rule = Rule {
    code: "missing-internal-package",
    severity: Severity::Error,
    summary: "dev depends on an internal package that staging or prod does not depend on, or vice versa",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(dev) = facts.profile(Profile::Dev) else { return Vec::new() };
    let mut findings = Vec::new();
    for pinned in facts.pinned() {
        findings.extend(missing_in(facts, dev, pinned));
    }
    findings.extend(missing_in_dev(facts, dev));
    findings
}

/// Whether `dev` depends on `package` and `pinned` does not.
pub(super) fn is_missing_from(pinned: &ProfileContext<'_>, dev: &ProfileContext<'_>, package: &Name) -> bool {
    let constrained = || pinned.manifest.uv.constraints.iter().any(|requirement| requirement.name == *package);
    // A project names itself to combine its own extras.
    dev.manifest.name() != Some(package)
        && !pinned.manifest.has_dynamic_requirements()
        && dev.manifest.direct_requirements().contains(package)
        && !pinned.manifest.direct_requirements().contains(package)
        && !constrained()
        && !has_through_git(pinned, package)
}

/// Whether a dependency from git brings `package` along from its own repository, as uv does if both are members of one
/// workspace. The package then cannot be pinned to another commit, and does not need to be.
fn has_through_git(pinned: &ProfileContext<'_>, package: &Name) -> bool {
    pinned.readable_lockfile().is_some_and(|lockfile| {
        lockfile.git_pin(package).is_some() && lockfile.requirements_on(package).next().is_none()
    })
}

fn missing_in(facts: &Facts<'_>, dev: &ProfileContext<'_>, pinned: &ProfileContext<'_>) -> Vec<Finding> {
    let missing = facts.internal.iter().filter(|package| is_missing_from(pinned, dev, package));
    missing.map(|package| missing_one(dev, pinned, package)).collect()
}

fn missing_one(dev: &ProfileContext<'_>, pinned: &ProfileContext<'_>, package: &Name) -> Finding {
    let profile = pinned.profile;
    let message = format!("dev depends on `{package}`, but {profile} does not");
    let help = format!(
        "add it with `cargo uvenv promote --to {profile} {package}`, or remove it from the dependencies of dev"
    );
    let finding = RULE.finding(message, help).at(pinned.manifest.heading()).in_profile(profile).about(package);
    let finding = match dev.manifest.place_of_requirement(package) {
        Some(place) => finding.related("dev depends on it here", place),
        None => finding,
    };
    // If the pin exists already, only the dependency is missing.
    match dependency(&dev.manifest, package).filter(|_| has_pin(&pinned.manifest, package)) {
        Some(requirement) => {
            let edit = Edit::AddDependency { requirement: requirement.without_versions() };
            finding.fixed_by(pinned.manifest.path(), vec![edit])
        }
        None => finding,
    }
}

/// Returns the requirement of dev's own dependencies; extras do not count.
fn dependency<'a>(manifest: &'a Manifest, package: &Name) -> Option<&'a Requirement> {
    manifest.project.as_ref()?.dependencies.iter().find(|requirement| requirement.name == *package)
}

fn has_pin(manifest: &Manifest, package: &Name) -> bool {
    let mut sources = manifest.sources_of(package).iter();
    sources.any(|source| matches!(&source.kind, SourceKind::Git { reference: Some(GitReference::Tag(_)), .. }))
}

/// Reports the packages that staging or prod depends on and that dev does not have at all, each package once.
fn missing_in_dev(facts: &Facts<'_>, dev: &ProfileContext<'_>) -> Vec<Finding> {
    let Some(had) = had_by_dev(facts, dev) else { return Vec::new() };
    let mut findings = Vec::new();
    for package in facts.internal.iter().filter(|package| !had.contains(package)) {
        let askers: Vec<_> =
            facts.pinned().filter(|pinned| pinned.manifest.direct_requirements().contains(package)).collect();
        let names: Vec<_> = askers.iter().map(|asker| asker.profile.as_str()).collect();
        if names.is_empty() {
            continue;
        }
        let does = if names.len() == 1 { "does" } else { "do" };
        let message = format!("dev does not depend on `{package}`, but {} {does}", names.join(" and "));
        let way = if facts.is_made_here(package) { "" } else { " as a member of the workspace" };
        let help = format!(
            "add it to the dependencies in `{}`{way}, or remove it from those of {}",
            facts.monorepo.relative(dev.manifest.path()),
            names.join(" and ")
        );
        let mut finding =
            RULE.finding(message, help).at(dev.manifest.heading()).in_profile(Profile::Dev).about(package);
        for asker in askers {
            if let Some(place) = asker.manifest.place_of_requirement(package) {
                finding = finding.related(format!("{} depends on it here", asker.profile), place);
            }
        }
        findings.push(finding);
    }
    findings
}

/// Returns everything that dev requires, directly or through workspace members; `None` if only a build can tell.
fn had_by_dev<'a>(facts: &'a Facts<'_>, dev: &'a ProfileContext<'a>) -> Option<BTreeSet<&'a Name>> {
    let members = &facts.monorepo.members;
    let mut had = BTreeSet::from_iter(dev.manifest.name());
    let mut manifests = vec![&*dev.manifest];
    if dev.manifest.project.is_none() {
        // If the root of a workspace is not a project, uv syncs all members.
        had.extend(members.iter().map(|member| &member.name));
        manifests.extend(members.iter().map(|member| &member.manifest));
    }
    while let Some(manifest) = manifests.pop() {
        if manifest.has_dynamic_requirements() {
            return None;
        }
        for requirement in manifest.requirements() {
            if had.insert(&requirement.name) {
                let members = members.iter().filter(|member| member.name == requirement.name);
                manifests.extend(members.map(|member| &member.manifest));
            }
        }
    }
    Some(had)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::{
        check::{Fix, tests::Tree},
        manifest::Edit,
    };

    const SOURCE: &str =
        "model-qwen2_5 = { git = \"https://git.example.com/model.git\", tag = \"v1.0.0\", subdirectory = \".\" }\n";

    #[test]
    fn reports_a_dev_dependency_missing_from_prod() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", ", \"model-qwen2_5\"", "").replace("prod/pyproject.toml", SOURCE, "");
        let found = tree.found(RULE.code);
        assert_eq!(tree.shown(RULE.code), ["prod/pyproject.toml:2: dev depends on `model-qwen2-5`, but prod does not"]);
        assert_eq!((found[0].related[0].1.line(), found[0].fix.is_none()), (5, true));
    }

    #[test]
    fn fix_adds_the_dependency_of_a_pin() {
        let tree = Tree::clean();
        tree.replace("pyproject.toml", "Model_Qwen2.5", "Model_Qwen2.5[fast] >=1.0; sys_platform == 'linux'");
        tree.replace("prod/pyproject.toml", ", \"model-qwen2_5\"", "");
        let requirement = "Model_Qwen2.5[fast]; sys_platform == 'linux'".to_owned();
        let fix =
            Fix { manifest: tree.root.join("prod/pyproject.toml"), edits: vec![Edit::AddDependency { requirement }] };
        assert_eq!(tree.found(RULE.code)[0].fix, Some(fix));
        // The source is not removed at the same time.
        assert_eq!(tree.found("unused-source")[0].fix, None);
    }

    #[test]
    fn accepts_a_package_locked_through_another_dependency() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", ", \"model-qwen2_5\"", "").replace("prod/pyproject.toml", SOURCE, "");
        assert_eq!(tree.found(RULE.code).len(), 1);
        tree.replace(
            "prod/uv.lock",
            "    { name = \"model-qwen2-5\", git = \"https://git.example.com/model.git?tag=v1.0.0\" },\n",
            "",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn reports_a_dependency_missing_from_dev() {
        let tree = Tree::clean();
        tree.replace("pyproject.toml", ", \"Model_Qwen2.5\"", "");
        assert_eq!(
            tree.shown(RULE.code),
            ["pyproject.toml:2: dev does not depend on `model-qwen2-5`, but staging and prod do"]
        );
        assert_eq!(tree.found(RULE.code)[0].related.len(), 2);
    }

    #[test]
    fn accepts_dependencies_in_extras_but_not_in_groups() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", ", \"model-qwen2_5\"", "");
        tree.replace(
            "prod/pyproject.toml",
            "[tool.uv]\n",
            "[project.optional-dependencies]\nm = [\"model-qwen2_5\"]\n\n[tool.uv]\n",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
        tree.replace("prod/pyproject.toml", "project.optional-dependencies", "dependency-groups");
        assert_eq!(tree.found(RULE.code).len(), 1);
    }

    /// Staging and prod need a direct dependency to pin a package, but dev does not.
    #[test]
    fn accepts_a_dev_dependency_through_a_member() {
        let tree = Tree::clean();
        tree.replace("pyproject.toml", ", \"Model_Qwen2.5\"", "");
        tree.replace(
            "packages/auth-client/pyproject.toml",
            "[build-system]",
            "dependencies = [\"Model-Qwen2-5\"]\n[build-system]",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    /// A root project that is released itself, and that prod takes from its tag.
    #[test]
    fn accepts_a_dependency_of_prod_on_the_dev_project() {
        let tree = Tree::clean();
        tree.replace("pyproject.toml", "\"auth-client\", ", "\"auth-client\", \"bench[all]\", ");
        let prod = "prod/pyproject.toml";
        tree.replace(prod, "name = \"bench\"", "name = \"bench-prod\"").replace(
            prod,
            "\"auth-client\"",
            "\"auth-client\", \"bench\"",
        );
        tree.replace(
            prod,
            "[tool.uv.sources]\n",
            "[tool.uv.sources]\nbench = { git = \"https://h/b.git\", tag = \"v1.0\" }\n",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn ignores_dynamic_dependencies() {
        let tree = Tree::clean();
        tree.replace(
            "prod/pyproject.toml",
            "dependencies = [\"auth-client\", \"model-qwen2_5\", \"six>=1.16\"]",
            "dynamic = [\"dependencies\"]",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn virtual_workspace_includes_all_members() {
        let tree = Tree::clean();
        let text = std::fs::read_to_string(tree.root.join("pyproject.toml")).unwrap();
        let (_, rest) = text.split_once("[tool.uv]").unwrap();
        tree.write("pyproject.toml", &format!("[tool.uv]{rest}"));
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
