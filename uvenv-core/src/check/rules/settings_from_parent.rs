//! Staging and prod have their own settings.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    monorepo::ProfileContext,
    uv::settings,
};

pub(super) const RULE: Rule = Rule {
    code: "settings-from-parent",
    severity: Severity::Warning,
    summary: "a profile's manifest has no `[tool.uv]` table, so uv uses the indexes of the manifest above it",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.pinned().filter_map(|profile| finding(facts, profile)).collect()
}

fn finding(facts: &Facts<'_>, profile: &ProfileContext<'_>) -> Option<Finding> {
    let dev = &facts.monorepo.dev;
    // uv reads the settings of the nearest directory that has any, and prefers `uv.toml` to a manifest.
    let between = profile.paths.directory.ancestors().take_while(|directory| *directory != facts.monorepo.root);
    let has_file = between.into_iter().any(|directory| directory.join(settings::FILE_NAME).is_file());
    let is_below = profile.paths.directory.starts_with(&facts.monorepo.root);
    let key = dev.uv.keys.iter().find(|key| settings::decides_packages(&key.value))?;
    if profile.manifest.has_uv_table || has_file || !is_below || facts.monorepo.root.join(settings::FILE_NAME).is_file()
    {
        return None;
    }
    let (name, manifest) = (profile.profile, facts.monorepo.relative(profile.manifest.path()));
    let message =
        format!("`{manifest}` has no `[tool.uv]` table, so uv uses the indexes of `pyproject.toml` for {name}");
    let help = format!("add `[tool.uv]` to `{manifest}`, with the indexes for {name}");
    let finding = RULE.finding(message, help).at(profile.manifest.heading()).in_profile(name);
    Some(finding.related("these are taken", dev.place(key.span.clone())))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    fn without_table() -> Tree {
        let tree = Tree::clean();
        tree.write(
            "prod/pyproject.toml",
            "[project]\nname = \"bench\"\nversion = \"0.1.0\"\nrequires-python = \">=3.10\"\n",
        );
        tree.write("uv.lock.keep", "");
        tree
    }

    #[test]
    fn reports_indexes_inherited_from_the_parent_manifest() {
        let tree = without_table();
        // A manifest that names no internal package is not a profile unless the configuration says so.
        tree.write("Cargo.toml", "[workspace.metadata.uvenv.profiles]\nprod = \"prod\"\n");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
        tree.replace(
            "pyproject.toml",
            "package = false",
            "package = false\nindex-url = \"https://i.example.com/simple\"",
        );
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:2: `prod/pyproject.toml` has no `[tool.uv]` table, so uv uses the indexes of \
              `pyproject.toml` for prod"]
        );
        tree.write("prod/uv.toml", "");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }

    #[test]
    fn accepts_a_profile_with_its_own_table() {
        let tree = Tree::clean();
        tree.replace(
            "pyproject.toml",
            "package = false",
            "package = false\nindex-url = \"https://i.example.com/simple\"",
        );
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
