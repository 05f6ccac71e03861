//! The tag of a pin is signed, where the configuration requires it.

use crate::{
    check::{CheckFn, Facts, Finding, Remote, Rule, Severity},
    git::TagSignature,
};

pub(super) const RULE: Rule = Rule {
    code: "unsigned-tag",
    severity: Severity::Error,
    summary: "with --remote: the tag of a pin is not signed, and `trust.signed-tags` names the profile",
    check: CheckFn::Remote(check),
};

fn check(facts: &Facts<'_>, remote: &Remote<'_>) -> Vec<Finding> {
    let unsigned = facts.pins().filter(|pin| matches!(remote.signature(pin), Some(Ok(TagSignature::Missing))));
    let finding = |pin: crate::check::pins::PinnedSource<'_>| {
        let message = format!("the tag `{}` of `{}` is not signed", pin.tag.value, pin.package);
        let help = "release it with a new tag that is signed: `git tag -s`";
        RULE.finding(message, help).at(pin.place()).in_profile(pin.profile()).about(pin.package)
    };
    unsigned.map(finding).collect()
}
