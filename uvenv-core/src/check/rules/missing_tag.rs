//! The tag of a pin exists in its remote.

use crate::{
    check::{CheckFn, Facts, Finding, Remote, Rule, Severity, pins::PinnedSource},
    git,
};

pub(super) const RULE: Rule = Rule {
    code: "missing-tag",
    severity: Severity::Error,
    summary: "with --remote: the git remote of a pin does not have its tag",
    check: CheckFn::Remote(check),
};

/// Reports missing tags. A remote that cannot be reached is a finding too, because its tags are unknown.
fn check(facts: &Facts<'_>, remote: &Remote<'_>) -> Vec<Finding> {
    facts.pins().filter_map(|pin| finding(&pin, remote)).collect()
}

fn finding(pin: &PinnedSource<'_>, remote: &Remote<'_>) -> Option<Finding> {
    let query = git::TagQuery {
        package: pin.package.clone(),
        url: pin.url.value.clone(),
        tag: pin.tag.value.clone(),
        url_place: pin.place().at(pin.url.span.clone()),
        tag_place: pin.place(),
    };
    let error = match (query.explain(remote.tags(pin)), remote.not_fetched(pin)) {
        (Some(error), _) => error,
        (None, Some(error)) => query.unreachable(&error.to_string()),
        (None, None) => return None,
    };
    Some(Finding { severity: RULE.severity, ..Finding::unreadable(pin.profile(), &error) }.about(pin.package))
}
