//! The lockfiles of staging and prod take no internal package from a directory, because `--frozen` would install
//! whatever is in it.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    lockfile::{Lockfile, Package, PackageSource},
    model::Name,
    monorepo::ProfileContext,
};

pub(super) const RULE: Rule = Rule {
    code: "lockfile-from-working-tree",
    severity: Severity::Error,
    summary: "the lockfile of staging or prod has an internal package from the working tree",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for profile in facts.pinned() {
        let Some(lockfile) = profile.readable_lockfile() else { continue };
        findings.extend(facts.internal.iter().flat_map(|package| in_lockfile(profile, lockfile, package)));
    }
    findings
}

fn in_lockfile(facts: &ProfileContext<'_>, lockfile: &Lockfile, package: &Name) -> Vec<Finding> {
    let profile = facts.profile;
    let find = |locked: &Package| {
        let directory = directory(&locked.source).filter(|directory| *directory != ".")?;
        let message = format!("the lockfile of {profile} has `{package}` from `{directory}` in the working tree");
        let help = format!(
            "pin it with `cargo uvenv promote --to {profile} {package}`, or, if it is pinned already, run `cargo uvenv \
             lock --profile {profile}`"
        );
        let finding = RULE.finding(message, help).at(lockfile.place(locked)).in_profile(profile).about(package);
        Some(match facts.manifest.place_of_requirement(package) {
            Some(place) => finding.related(format!("{profile} depends on it here"), place),
            None => finding,
        })
    };
    lockfile.packages_named(package).filter_map(find).collect()
}

/// Returns the local directory or archive from which a package is installed.
fn directory(source: &PackageSource) -> Option<&str> {
    match source {
        PackageSource::Directory(path)
        | PackageSource::Editable(path)
        | PackageSource::Virtual(path)
        | PackageSource::Path(path) => Some(path),
        PackageSource::Registry(_) | PackageSource::Git(_) | PackageSource::Url(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    const LOCKED: &str =
        "{ git = \"https://git.example.com/model.git?tag=v1.0.0#0123456789012345678901234567890123456789\" }";

    #[test]
    fn reports_prod_packages_locked_from_a_directory() {
        for source in ["editable", "directory", "virtual"] {
            let tree = Tree::clean();
            tree.replace("prod/uv.lock", LOCKED, &format!("{{ {source} = \"../packages/model\" }}"));
            assert_eq!(
                tree.shown(RULE.code),
                ["prod/uv.lock:24: the lockfile of prod has `model-qwen2-5` from `../packages/model` in the working \
                     tree"]
            );
        }
    }

    /// The profile's own project, and third-party packages that are stored next to its manifest.
    #[test]
    fn accepts_the_project_itself_and_third_party_directories() {
        let tree = Tree::clean();
        tree.replace("prod/uv.lock", "{ virtual = \".\" }", "{ editable = \".\" }");
        tree.replace(
            "prod/uv.lock",
            "{ registry = \"https://index.example.com/simple\" }",
            "{ directory = \"vendor/six\" }",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
