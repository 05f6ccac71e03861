//! Each profile has a lockfile.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    model::Profile,
    monorepo::ProfileContext,
};

pub(super) const RULE: Rule = Rule {
    code: "missing-lockfile",
    severity: Severity::Error,
    summary: "a profile has no lockfile",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let profiles = facts.profiles.iter();
    profiles.filter(|facts| matches!(facts.lockfile(), Ok(None))).map(|one| finding(facts, one)).collect()
}

fn finding(facts: &Facts<'_>, missing: &ProfileContext<'_>) -> Finding {
    let profile = missing.profile;
    let message = format!("{profile} has no lockfile `{}`", facts.monorepo.relative(&missing.paths.lockfile()));
    let help = format!("run `cargo uvenv lock --profile {profile}`, and commit the file");
    let mut finding = RULE.finding(message, help).at(missing.manifest.heading()).in_profile(profile);
    // A sync of dev creates it, but staging and prod cannot be synced without it.
    if profile == Profile::Dev {
        finding.severity = Severity::Warning;
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::{Severity, tests::Tree};

    #[test]
    fn reports_each_profile_without_a_lockfile() {
        let tree = Tree::clean();
        for path in ["uv.lock", "prod/uv.lock"] {
            std::fs::remove_file(tree.root.join(path)).unwrap();
        }
        assert_eq!(
            tree.shown(RULE.code),
            [
                "pyproject.toml:2: dev has no lockfile `uv.lock`",
                "prod/pyproject.toml:2: prod has no lockfile `prod/uv.lock`"
            ]
        );
        let severities: Vec<_> = tree.found(RULE.code).iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Warning, Severity::Error]);
    }

    #[test]
    fn damaged_lockfile_is_not_missing() {
        let tree = Tree::clean();
        tree.write("prod/uv.lock", "version = 1\n<<<<<<< HEAD\n");
        assert_eq!(tree.shown(RULE.code), [""; 0]);
        assert_eq!(tree.found("damaged-lockfile").len(), 1);
    }
}
