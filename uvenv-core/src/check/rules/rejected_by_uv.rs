//! uv can use each profile.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity},
    uv::LockVerdict,
};

pub(super) const RULE: Rule = Rule {
    code: "rejected-by-uv",
    severity: Severity::Error,
    summary: "uv cannot use a profile: every command fails",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let profiles = facts.profiles.iter().filter_map(|context| match facts.verdicts.get(&context.profile) {
        Some(LockVerdict::Rejected(why)) => Some((context, why)),
        _ => None,
    });
    let finding = |(context, why): (&crate::monorepo::ProfileContext<'_>, &String)| {
        let message = format!("uv rejects {}: {why}", context.profile);
        let help = format!("`uv lock --check --project {}` must not fail like this", context.paths.directory);
        RULE.finding(message, help).at(context.manifest.heading()).in_profile(context.profile)
    };
    profiles.map(finding).collect()
}
