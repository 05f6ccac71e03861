//! A tag points to the same commit as when the profile was locked.

use crate::check::{CheckFn, Facts, Finding, Remote, Rule, Severity, pins::PinnedSource};

pub(super) const RULE: Rule = Rule {
    code: "moved-tag",
    severity: Severity::Error,
    summary: "with --remote: the tag of a pin no longer points to the commit in the lockfile",
    check: CheckFn::Remote(check),
};

fn check(facts: &Facts<'_>, remote: &Remote<'_>) -> Vec<Finding> {
    facts.pins().filter_map(|pin| finding(&pin, remote)).collect()
}

fn finding(pin: &PinnedSource<'_>, remote: &Remote<'_>) -> Option<Finding> {
    let (package, locked) = pin.locked()?;
    let (locked, now) = (locked.commit.as_ref()?, remote.tag(pin)?);
    if *locked == now.commit {
        return None;
    }
    let (profile, name) = (pin.profile(), pin.package);
    let message = format!(
        "the tag `{}` of `{name}` moved after {profile} was locked: from {} to {}",
        pin.tag.value,
        remote.dated(pin, locked),
        remote.dated(pin, &now.commit)
    );
    let help = format!(
        "find out who moved it and why; then lock the new commit with `cargo uvenv lock --profile {profile} \
         --upgrade-package {name}`, or better, pin a new tag"
    );
    let finding = RULE.finding(message, help).at(pin.place()).in_profile(profile).about(name);
    Some(match pin.facts.readable_lockfile() {
        Some(lockfile) => finding.related("locked here", lockfile.place(package)),
        None => finding,
    })
}
