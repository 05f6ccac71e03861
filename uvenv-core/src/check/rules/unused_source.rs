//! Each source belongs to a package that something requires directly. uv ignores all other sources: an indirect
//! dependency comes from an index, whatever source the manifest has for it.

use super::missing_internal_package;
use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    manifest::{Edit, Manifest},
    model::{Name, Profile},
    monorepo::Monorepo,
    monorepo::ProfileContext,
    toml::Spanned,
};

pub(super) const RULE: Rule = Rule {
    code: "unused-source",
    severity: Severity::Error,
    summary: "a manifest has a source for a package that nothing depends on",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.profiles.iter().flat_map(|profile| in_profile(facts, profile)).collect()
}

fn in_profile(facts: &Facts<'_>, profile: &ProfileContext<'_>) -> Vec<Finding> {
    let with_fix = |package: &Spanned<Name>| {
        let finding = finding(&profile.manifest, profile.profile, package);
        let name = &package.value;
        if is_needed(facts, profile, name) {
            let help = format!("add `{name}` to the dependencies: uv uses sources only for direct dependencies");
            return Finding { help: Some(help), ..finding };
        }
        finding.fixed_by(profile.manifest.path(), vec![Edit::RemoveSource { package: name.clone() }])
    };
    unused(facts.monorepo, profile.profile, &profile.manifest).map(with_fix).collect()
}

/// Whether the dependency is probably missing and the source is not a leftover: dev has the dependency, or it is locked
/// because another package depends on it.
fn is_needed(facts: &Facts<'_>, profile: &ProfileContext<'_>, package: &Name) -> bool {
    let dev = facts.profile(Profile::Dev);
    dev.is_some_and(|dev| missing_internal_package::is_missing_from(profile, dev, package))
        || profile.readable_lockfile().is_some_and(|lockfile| lockfile.packages_named(package).next().is_some())
}

/// The same check if only one manifest is available.
pub(in crate::check) fn in_manifest(monorepo: &Monorepo, profile: Profile, manifest: &Manifest) -> Vec<Finding> {
    unused(monorepo, profile, manifest).map(|package| finding(manifest, profile, package)).collect()
}

/// Returns the packages of unused sources. The sources of a workspace's root also apply to its members, and to what
/// they build with.
fn unused<'a>(
    monorepo: &'a Monorepo,
    profile: Profile,
    manifest: &'a Manifest,
) -> impl Iterator<Item = &'a Spanned<Name>> {
    let members = monorepo.members_of(profile).iter().map(|member| &member.manifest);
    let projects: Vec<_> = std::iter::once(manifest).chain(members).collect();
    // Requirements that only a build can tell may include any package.
    let is_used = move |package: &Name| {
        projects.iter().any(|project| project.has_dynamic_requirements() || project.asks_for(package))
    };
    manifest.uv.sources.iter().map(|(package, _)| package).filter(move |package| !is_used(&package.value))
}

fn finding(manifest: &Manifest, profile: Profile, package: &Spanned<Name>) -> Finding {
    let name = &package.value;
    let message = format!("{profile} has a source for `{name}`, but nothing there depends on it");
    let help = format!("add `{name}` to the dependencies, or remove the source");
    let finding = RULE.finding(message, help).at(manifest.place(package.span.clone())).in_profile(profile).about(name);
    // In staging and prod, it is a pin that has no effect.
    Finding { severity: if profile == Profile::Dev { Severity::Warning } else { Severity::Error }, ..finding }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::{
        check::{Fix, Severity, tests::Tree},
        manifest::Edit,
        model::Name,
    };

    fn with_source(path: &str, source: &str) -> Tree {
        let tree = Tree::clean();
        tree.replace(path, "[tool.uv.sources]\n", &format!("[tool.uv.sources]\n{source}\n"));
        tree
    }

    #[test]
    fn fix_removes_an_unused_source() {
        let tree = with_source("prod/pyproject.toml", "Old_One = { git = \"https://h/old.git\", tag = \"v1.0\" }");
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:11: prod has a source for `old-one`, but nothing there depends on it"]
        );
        let edit = Edit::RemoveSource { package: Name::parse("old-one").unwrap() };
        let fix = Fix { manifest: tree.root.join("prod/pyproject.toml"), edits: vec![edit] };
        assert_eq!(tree.found(RULE.code)[0].fix, Some(fix));
    }

    #[test]
    fn reports_but_keeps_the_source_of_an_indirect_dependency() {
        let tree = with_source("prod/pyproject.toml", "idna = { git = \"https://h/idna.git\", tag = \"v1.0\" }");
        tree.replace("prod/uv.lock", "[[package]]\nname = \"model", "[[package]]\nname = \"idna\"\nversion = \"3.0\"\nsource = { registry = \"https://i/simple\" }\n\n[[package]]\nname = \"model");
        assert_eq!(tree.found(RULE.code).len(), 1);
        assert_eq!(tree.found(RULE.code)[0].fix, None);
    }

    #[test]
    fn counts_every_table_that_uv_applies_sources_to() {
        for table in [
            "[dependency-groups]\ntest = [\"extra-one\"]\n",
            "[project.optional-dependencies]\nx = [\"extra_one\"]\n",
            "[build-system]\nrequires = [\"Extra.One\"]\n",
            "[tool.uv]\noverride-dependencies = [\"extra-one\"]\n",
            "[tool.uv]\nconstraint-dependencies = [\"extra-one\"]\n",
            "[tool.uv]\nbuild-constraint-dependencies = [\"extra-one\"]\n",
            "[tool.uv.extra-build-dependencies]\nsix = [{ requirement = \"extra-one\", match-runtime = true }]\n",
        ] {
            let tree = with_source("prod/pyproject.toml", "extra-one = { git = \"https://h/x.git\", tag = \"v1.0\" }");
            tree.replace(
                "prod/pyproject.toml",
                "[tool.uv]\n",
                if table.starts_with("[tool.uv]") { table } else { "[tool.uv]\n" },
            );
            if !table.starts_with("[tool.uv]") {
                let text = std::fs::read_to_string(tree.root.join("prod/pyproject.toml")).unwrap();
                tree.write("prod/pyproject.toml", &format!("{text}\n{table}"));
            }
            assert_eq!(tree.shown(RULE.code), [""; 0], "{table}");
        }
    }

    #[test]
    fn root_source_may_serve_a_member() {
        let tree = with_source("pyproject.toml", "shared = { git = \"https://h/x.git\", tag = \"v1.0\" }");
        let severities: Vec<_> = tree.found(RULE.code).iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Warning]);
        tree.replace("packages/model/pyproject.toml", "[build-system]", "dependencies = [\"shared\"]\n[build-system]");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn accepts_any_source_with_dynamic_dependencies() {
        let tree = with_source("pyproject.toml", "shared = { git = \"https://h/x.git\", tag = \"v1.0\" }");
        tree.replace("packages/model/pyproject.toml", "[build-system]", "dynamic = [\"dependencies\"]\n[build-system]");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
