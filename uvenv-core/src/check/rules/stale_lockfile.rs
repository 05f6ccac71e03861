//! Each lockfile satisfies its manifest.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    lockfile::seen_by_uv,
    model::Place,
    monorepo::ProfileContext,
    uv::LockVerdict,
};

pub(super) const RULE: Rule = Rule {
    code: "stale-lockfile",
    severity: Severity::Error,
    summary: "a lockfile does not satisfy its manifest",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for profile in &facts.profiles {
        // A lockfile that cannot be read has its own finding.
        let Ok(freshness) = profile.freshness() else { continue };
        let changes = freshness.changes();
        let said = match facts.verdicts.get(&profile.profile) {
            Some(LockVerdict::Stale(reason)) => reason.as_deref(),
            None => None,
            Some(_) => continue,
        };
        if changes.is_empty() && facts.verdicts.contains_key(&profile.profile) {
            findings.push(finding(profile, &seen_by_uv(said), None));
        }
        findings.extend(changes.iter().map(|change| {
            let place = change.place.clone();
            finding(profile, &change.to_string(), place).about(&change.package)
        }));
    }
    findings
}

fn finding(facts: &ProfileContext<'_>, why: &str, place: Option<Place>) -> Finding {
    let profile = facts.profile;
    let message = format!("the lockfile of {profile} is stale: {why}");
    let help = format!("run `cargo uvenv lock --profile {profile}`");
    let place = place.unwrap_or_else(|| facts.manifest.heading());
    RULE.finding(message, help).at(place).in_profile(profile)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_each_stale_package_at_its_line() {
        let tree = Tree::clean();
        tree.replace("prod/pyproject.toml", "v1.0.0", "v1.0.1").replace(
            "prod/pyproject.toml",
            "\"six>=1.16\"",
            "\"six>=1.17\", \"idna\"",
        );
        assert_eq!(
            tree.shown(RULE.code),
            [
                "prod/pyproject.toml:12: the lockfile of prod is stale: `model-qwen2-5` is pinned to tag `v1.0.1`, but \
                 is locked from \
                 tag `v1.0.0`",
                "prod/pyproject.toml:5: the lockfile of prod is stale: `idna` is required by `bench`, but is not \
                 locked for it",
                "prod/pyproject.toml:5: the lockfile of prod is stale: `six` is required as `>=1.17`, but locked for `>=1.16`",
            ]
        );
    }

    #[test]
    fn reports_a_member_that_is_not_locked() {
        let tree = Tree::clean();
        tree.write("packages/new/pyproject.toml", "[project]\nname = \"new\"\nversion = \"1\"\n");
        assert_eq!(
            tree.shown(RULE.code),
            ["pyproject.toml:2: the lockfile of dev is stale: the workspace member `new` is not in the lockfile"]
        );
    }
}
