//! uv can tell whether each lockfile satisfies its manifest.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    lockfile::Freshness,
    monorepo::ProfileContext,
    uv::LockVerdict,
};

pub(super) const RULE: Rule = Rule {
    code: "unverified-lockfile",
    severity: Severity::Warning,
    summary: "it is unknown whether a lockfile satisfies its manifest",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let profiles = facts.profiles.iter().filter_map(|context| match facts.verdicts.get(&context.profile) {
        Some(LockVerdict::Unknown(why)) => Some((context, why)),
        _ => None,
    });
    let finding = |(context, why): (&ProfileContext<'_>, &String)| {
        let profile = context.profile;
        let mut message = format!("it is unknown whether the lockfile of {profile} satisfies its manifest: {why}");
        for change in context.freshness().map(Freshness::changes).unwrap_or_default() {
            message = format!("{message}; in the files, {change}");
        }
        let help = format!(
            "run `cargo uvenv check --remote` or `cargo uvenv lock --locked --profile {profile}`, with the network"
        );
        RULE.finding(message, help).at(context.manifest.heading()).in_profile(profile)
    };
    profiles.map(finding).collect()
}
