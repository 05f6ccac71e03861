//! Either all tags of a monorepo have a `v` before the version, or none has.

use crate::{
    check::{CheckFn, Facts, Finding, Rule, Severity, pins::PinnedSource},
    model::Release,
};

pub(super) const RULE: Rule = Rule {
    code: "tag-prefix",
    severity: Severity::Error,
    summary: "some pinned tags have a `v` before the version, and some do not",
    check: CheckFn::Offline(check),
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let releases = facts.pins().filter_map(|pin| Some((pin, pin.release()?)));
    let (with, without): (Vec<_>, Vec<_>) = releases.partition(|(_, release)| has_v(release));
    // The smaller group is reported. If both are equally large, it is the tags without `v`, because `v` is the
    // convention in git.
    let (usual, odd) = if with.len() >= without.len() { (with, without) } else { (without, with) };
    let Some((usual, _)) = usual.first() else { return Vec::new() };
    odd.iter().map(|(pin, release)| finding(pin, release, usual)).collect()
}

fn finding(pin: &PinnedSource<'_>, release: &Release, usual: &PinnedSource<'_>) -> Finding {
    let (profile, package) = (pin.profile(), pin.package);
    let (has, have) = if has_v(release) { ("a", "none") } else { ("no", "one") };
    let message = format!(
        "the tag `{}` of `{package}` has {has} `v` before the version, but other tags here have {have}",
        pin.tag.value
    );
    let help = format!("tag `{package}` in the same way as the others, and promote it to that tag");
    let words = format!("{} pins `{}` to `{}`", usual.profile(), usual.package, usual.tag.value);
    RULE.finding(message, help).at(pin.place()).related(words, usual.place()).in_profile(profile).about(package)
}

/// Whether there is a `v` directly before the version, after any other prefix.
fn has_v(release: &Release) -> bool {
    release.prefix.ends_with(['v', 'V'])
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::Tree;

    #[test]
    fn reports_the_tag_with_the_unusual_prefix() {
        let tree = Tree::clean();
        tree.replace("staging/pyproject.toml", "\"v1.0.0.dev4", "\"1.0.0.dev4");
        let found = tree.found(RULE.code);
        assert_eq!(found.len(), 1);
        assert_eq!(
            tree.shown(RULE.code),
            ["staging/pyproject.toml:12: the tag `1.0.0.dev4` of `model-qwen2-5` has no `v` before the version, but \
              other tags here have one"]
        );
        assert_eq!(found[0].related[0].0, "staging pins `auth-client` to `auth-client/v0.1.3.dev0`");

        for profile in ["staging", "prod"] {
            tree.replace(&format!("{profile}/pyproject.toml"), "auth-client/v", "auth-client/");
        }
        assert_eq!(
            tree.shown(RULE.code),
            ["prod/pyproject.toml:12: the tag `v1.0.0` of `model-qwen2-5` has a `v` before the version, but other \
                 tags here have none"]
        );
    }

    #[test]
    fn accepts_package_prefixes_and_tags_without_v() {
        let tree = Tree::clean();
        for profile in ["staging", "prod"] {
            let manifest = format!("{profile}/pyproject.toml");
            tree.replace(&manifest, "auth-client/v", "auth-client-").replace(&manifest, "tag = \"v", "tag = \"");
        }
        assert_eq!(tree.shown(RULE.code), [""; 0]);
    }
}
