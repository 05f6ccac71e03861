//! No lockfile takes an internal package from an index, where anybody could have published a package with that name.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    lockfile::{Lockfile, PackageSource},
    model::{Name, Profile},
    monorepo::ProfileContext,
};

pub(super) const RULE: Rule = Rule {
    code: "internal-package-from-index",
    severity: Severity::Error,
    summary: "a lockfile has an internal package from a package index",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for profile in &facts.profiles {
        let Some(lockfile) = profile.readable_lockfile() else { continue };
        // A package that only another profile takes from git may well be a third-party package in a patched version.
        let own = |package: &&Name| facts.is_made_here(package) || profile.manifest.asks_for(package);
        let packages = facts.internal.iter().filter(own);
        findings.extend(packages.filter_map(|package| finding(profile, lockfile, package)));
    }
    findings
}

fn finding(facts: &ProfileContext<'_>, lockfile: &Lockfile, package: &Name) -> Option<Finding> {
    let mut locked = lockfile.packages_named(package);
    let locked = locked.find(|locked| matches!(locked.source, PackageSource::Registry(_)))?;
    let profile = facts.profile;
    let version = locked.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let message = format!("the lockfile of {profile} has `{package}`{version} from a package index");
    let mut finding = RULE.finding(message, help(facts, package)).at(lockfile.place(locked));
    if profile != Profile::Prod {
        finding.severity = Severity::Warning;
    }
    if let Some(place) = facts.manifest.place_of_requirement(package) {
        finding = finding.related(format!("{profile} depends on it here"), place);
    }
    Some(finding.in_profile(profile).about(package))
}

fn help(facts: &ProfileContext<'_>, package: &Name) -> String {
    let profile = facts.profile;
    if profile == Profile::Dev {
        format!("set the source of `{package}` to `{{ workspace = true }}`, and run `cargo uvenv lock --profile dev`")
    } else if facts.manifest.direct_requirements().contains(package) {
        format!("pin it to a tag with `cargo uvenv promote --to {profile} {package}`")
    } else {
        format!(
            "it is an indirect dependency of {profile}, and uv uses sources only for direct dependencies: make it a \
             direct one with `cargo uvenv promote --to {profile} {package}`"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::{Severity, tests::Tree};

    const LOCKED: &str =
        "{ git = \"https://git.example.com/model.git?tag=v1.0.0#0123456789012345678901234567890123456789\" }";
    const REGISTRY: &str = "{ registry = \"https://index.example.com/simple\" }";

    #[test]
    fn reports_an_error_in_prod() {
        let tree = Tree::clean();
        tree.replace("prod/uv.lock", LOCKED, REGISTRY);
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/uv.lock:24: the lockfile of prod has `model-qwen2-5` 1.0.0 from a package index"]
        );
        assert_eq!(tree.found(RULE.code)[0].severity, Severity::Error);
    }

    #[test]
    fn reports_warnings_in_dev_and_staging() {
        let tree = Tree::clean();
        tree.replace("staging/uv.lock", &LOCKED.replace("v1.0.0", "v1.0.0.dev4"), REGISTRY);
        tree.replace("uv.lock", "{ editable = \"packages/auth-client\" }\n", &format!("{REGISTRY}\n"));
        let found = tree.found(RULE.code);
        assert_eq!(found.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Warning; 2]);
    }

    /// A fork of a third-party package that only prod uses.
    #[test]
    fn ignores_packages_that_only_another_profile_pins() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", "\"six>=1.16\"", "\"six>=1.16\", \"idna\"");
        tree.replace(
            "prod/pyproject.toml",
            "[tool.uv.sources]\n",
            "[tool.uv.sources]\nidna = { git = \"https://h/idna.git\", tag = \"v3.9\" }\n",
        );
        tree.write("staging/uv.lock", &std::fs::read_to_string(tree.root.join("staging/uv.lock")).unwrap().replace("[[package]]\nname = \"model", "[[package]]\nname = \"idna\"\nversion = \"3.0\"\nsource = { registry = \"https://i/simple\" }\n\n[[package]]\nname = \"model"));
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
