//! The signature of a pin's tag is good, and of a trusted signer, where the configuration requires it.

use crate::{
    check::{CheckFn, Facts, Finding, Remote, Rule, Severity, pins::PinnedSource},
    git::TagSignature,
};

pub(super) const RULE: Rule = Rule {
    code: "untrusted-signer",
    severity: Severity::Error,
    summary: "with --remote: git does not trust the signature of a pin's tag, and `trust.signed-tags` names the profile",
    check: CheckFn::Remote(check),
};

fn check(facts: &Facts<'_>, remote: &Remote<'_>) -> Vec<Finding> {
    facts.pins().filter_map(|pin| finding(&pin, remote)).collect()
}

fn finding(pin: &PinnedSource<'_>, remote: &Remote<'_>) -> Option<Finding> {
    let words = match remote.signature(pin)? {
        Ok(TagSignature::Untrusted { words }) => words.clone(),
        Ok(TagSignature::Trusted | TagSignature::Missing) => return None,
        Err(error) => error.to_string(),
    };
    let message = format!("the signature of the tag `{}` of `{}` is not trusted: {words}", pin.tag.value, pin.package);
    let help = "find out who signed the tag; add the key to the file that `trust.allowed-signers` names, or to your \
                keyring, only if you trust it";
    Some(RULE.finding(message, help).at(pin.place()).in_profile(pin.profile()).about(pin.package))
}
