//! Chooses the tag of a package for a profile. Nothing here starts a process or uses the network.

use pep440_rs::Version;

use crate::{
    git::RemoteTag,
    model::{Name, Profile, Release, Stage},
};

/// The release to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReleaseRequest {
    /// The newest release for the profile; with `pre`, pre-releases fit too.
    Newest { profile: Profile, pre: bool },
    /// The release of this version.
    Exactly(Version),
    /// Exactly this tag.
    Tag(String),
}

/// The tag to use, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TagChoice {
    /// This tag, which is newer than the pin or cannot be compared with it.
    Take(RemoteTag),
    /// This tag, which is older than the pin but was named explicitly.
    Downgrade(RemoteTag),
    /// The pin is this tag already.
    UpToDate(RemoteTag),
    /// The pin is newer than this tag, which is the newest one that fits.
    Newer(RemoteTag),
    /// No tag fits.
    None,
}

/// Chooses among the `tags` in the repository of `package`, whose pin is `current`: a tag or any other reference.
pub(super) fn choose(package: &Name, current: Option<&str>, tags: &[RemoteTag], wanted: &ReleaseRequest) -> TagChoice {
    let pinned = current.and_then(Release::parse);
    let Some(found) = fitting(package, pinned.as_ref(), tags, wanted) else { return TagChoice::None };
    let is_pinned = current == Some(found.name.as_str());
    if is_pinned {
        return TagChoice::UpToDate(found);
    }
    let (Some(pinned), Some(release)) = (pinned, Release::parse(&found.name)) else { return TagChoice::Take(found) };
    let by_name = matches!(wanted, ReleaseRequest::Tag(_));
    match release.version.cmp(&pinned.version) {
        std::cmp::Ordering::Less if by_name => TagChoice::Downgrade(found),
        std::cmp::Ordering::Less => TagChoice::Newer(found),
        // If two tags have the same version, the pinned one is as good as the other, provided that it exists.
        std::cmp::Ordering::Equal if !by_name && tags.iter().any(|tag| Some(tag.name.as_str()) == current) => {
            TagChoice::UpToDate(found)
        }
        std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => TagChoice::Take(found),
    }
}

/// Returns the newest tag that fits the request.
fn fitting(package: &Name, pinned: Option<&Release>, tags: &[RemoteTag], wanted: &ReleaseRequest) -> Option<RemoteTag> {
    if let ReleaseRequest::Tag(name) = wanted {
        return tags.iter().find(|tag| tag.name == *name).cloned();
    }
    let releases: Vec<_> = tags.iter().filter_map(|tag| Some((tag, Release::parse(&tag.name)?))).collect();
    let family = match pinned {
        Some(release) => family(&release.prefix).to_owned(),
        None => family_of(package, releases.iter().map(|(_, release)| release)),
    };
    let fits = |release: &Release| {
        family == self::family(&release.prefix)
            && match wanted {
                ReleaseRequest::Newest { profile, pre } => fits(*profile, *pre, release.stage()),
                ReleaseRequest::Exactly(version) => release.version == *version,
                ReleaseRequest::Tag(_) => false,
            }
    };
    // Of two tags with the same version, the one spelled like the pin is preferred.
    let spelled = |release: &Release| pinned.is_some_and(|pinned| pinned.prefix == release.prefix);
    let fitting = releases.into_iter().filter(|(_, release)| fits(release));
    let newest = fitting.max_by(|(one, release), (other, than)| {
        let versions = release.version.cmp(&than.version);
        versions.then(spelled(release).cmp(&spelled(than))).then_with(|| one.name.cmp(&other.name))
    });
    newest.map(|(tag, _)| tag.clone())
}

fn fits(profile: Profile, pre: bool, stage: Stage) -> bool {
    match (profile, stage) {
        (Profile::Staging, Stage::Dev) | (Profile::Prod, Stage::Stable) => true,
        (_, Stage::Pre) => pre,
        _ => false,
    }
}

/// Returns what distinguishes the tags of one package from those of others: the prefix without the `v`.
fn family(prefix: &str) -> &str {
    prefix.strip_suffix(['v', 'V']).unwrap_or(prefix)
}

/// Returns the family of a package that has no pin yet: that of the tags that start with its name, if there are any,
/// and otherwise that of the tags that consist of a version only.
fn family_of<'a>(package: &Name, releases: impl Iterator<Item = &'a Release>) -> String {
    let is_own = |family: &str| {
        let family = family.trim_end_matches(['/', '-', '_', '@', '+', '=']);
        let name = family.rsplit('/').next().unwrap_or(family);
        Name::parse(name).is_some_and(|name| name == *package)
    };
    let mut families = releases.map(|release| family(&release.prefix));
    families.find(|family| is_own(family)).unwrap_or_default().to_owned()
}

/// Returns the stable release that a release in staging leads to: `0.1.2` for `0.1.2.dev3`.
pub(super) fn stable(version: &Version) -> Version {
    let post = version.post();
    version.only_release().with_epoch(version.epoch()).with_post(post)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proptest::prelude::*;

    use super::*;

    const STAGING: ReleaseRequest = ReleaseRequest::Newest { profile: Profile::Staging, pre: false };
    const PROD: ReleaseRequest = ReleaseRequest::Newest { profile: Profile::Prod, pre: false };

    fn tag(name: &str) -> RemoteTag {
        RemoteTag { name: name.to_owned(), commit: format!("of {name}"), object: format!("of {name}") }
    }

    /// Formats the choice as a word and the tag.
    fn chosen(current: impl Into<Option<&'static str>>, tags: &[&str], wanted: &ReleaseRequest) -> String {
        let tags: Vec<_> = tags.iter().map(|name| tag(name)).collect();
        let package = Name::parse("Auth_Client").unwrap();
        match choose(&package, current.into(), &tags, wanted) {
            TagChoice::Take(tag) => format!("take {}", tag.name),
            TagChoice::Downgrade(tag) => format!("down to {}", tag.name),
            TagChoice::UpToDate(tag) => format!("has {}", tag.name),
            TagChoice::Newer(tag) => format!("is newer than {}", tag.name),
            TagChoice::None => "none".to_owned(),
        }
    }

    #[test]
    fn takes_the_newest_release_for_each_profile() {
        let tags = ["v0.1.2", "v0.1.10", "v0.1.9", "v0.1.11.dev0", "v0.1.11.dev2", "v0.2.0rc1", "nightly", "v9+cu124"];
        assert_eq!(chosen("v0.1.2", &tags, &PROD), "take v0.1.10");
        assert_eq!(chosen("v0.1.9.dev1", &tags, &STAGING), "take v0.1.11.dev2");
        assert_eq!(chosen("v0.1.10", &tags, &PROD), "has v0.1.10");
        assert_eq!(chosen(None, &tags, &PROD), "take v0.1.10");
        for (profile, tag) in [(Profile::Staging, "v9+cu124"), (Profile::Prod, "v9+cu124")] {
            assert_eq!(chosen("v0.1.2", &tags, &ReleaseRequest::Newest { profile, pre: true }), format!("take {tag}"));
        }
    }

    #[test]
    fn compares_versions_rather_than_strings() {
        assert_eq!(chosen("v0.1.9", &["v0.1.9", "v0.1.10"], &PROD), "take v0.1.10");
        assert_eq!(chosen("v1.0", &["v1.0", "v1.0.post1"], &PROD), "take v1.0.post1");
        assert_eq!(chosen("v9.0", &["v9.0", "v1!1.0"], &PROD), "take v1!1.0");
    }

    #[test]
    fn keeps_a_newer_pin() {
        assert_eq!(chosen("v0.2.0.dev1", &["v0.1.9", "v0.2.0.dev1"], &PROD), "is newer than v0.1.9");
        assert_eq!(chosen("v0.2.0", &["v0.1.9"], &PROD), "is newer than v0.1.9");
        let exactly = ReleaseRequest::Exactly(Version::from_str("0.1.9").unwrap());
        assert_eq!(chosen("v0.2.0", &["v0.1.9"], &exactly), "is newer than v0.1.9");
    }

    #[test]
    fn takes_any_tag_that_is_named() {
        let tags = ["v0.1.9", "v0.2.0", "nightly"];
        let tag = |name: &str| ReleaseRequest::Tag(name.to_owned());
        assert_eq!(chosen("v0.2.0", &tags, &tag("v0.1.9")), "down to v0.1.9");
        assert_eq!(chosen("v0.2.0", &tags, &tag("nightly")), "take nightly");
        assert_eq!(chosen("v0.2.0", &tags, &tag("v0.2.0")), "has v0.2.0");
        assert_eq!(chosen("v0.2.0", &tags, &tag("v0.3.0")), "none");
    }

    #[test]
    fn replaces_a_pin_that_is_not_a_release() {
        for current in ["main", "nightly", "0123abcd"] {
            assert_eq!(chosen(current, &["v0.1.9"], &PROD), "take v0.1.9", "{current}");
        }
    }

    #[test]
    fn ignores_tags_of_other_packages_in_the_repository() {
        let tags = ["v9.0", "auth-client/v0.1.0", "auth-client/0.1.1", "auth-client-2/v0.3.0", "print-utils/v0.5.0"];
        assert_eq!(chosen("auth-client/v0.1.0", &tags, &PROD), "take auth-client/0.1.1");
        assert_eq!(chosen("v8.0", &tags, &PROD), "take v9.0");
        assert_eq!(chosen(None, &tags, &PROD), "take auth-client/0.1.1");
        assert_eq!(chosen(None, &["v9.0", "print-utils/v0.5.0"], &PROD), "take v9.0");
        assert_eq!(chosen(None, &["print-utils/v0.5.0"], &PROD), "none");
        assert_eq!(chosen(None, &["v9.0", "packages/auth_client@1.0"], &PROD), "take packages/auth_client@1.0");
    }

    #[test]
    fn prefers_the_tag_spelling_of_the_pin() {
        assert_eq!(chosen("v0.1.0", &["0.2.0", "v0.2.0"], &PROD), "take v0.2.0");
        assert_eq!(chosen("0.1.0", &["0.2.0", "v0.2.0"], &PROD), "take 0.2.0");
        assert_eq!(chosen("v0.2.0", &["0.2.0", "v0.2.0"], &PROD), "has v0.2.0");
        assert_eq!(chosen("v0.2", &["v0.2", "v0.2.0"], &PROD), "has v0.2.0");
        // The pinned tag does not exist.
        assert_eq!(chosen("v0.2.0", &["0.2.0"], &PROD), "take 0.2.0");
    }

    #[test]
    fn exact_takes_the_stable_version_of_the_staging_release() {
        for (dev, becomes) in [
            ("0.1.2.dev3", "0.1.2"),
            ("0.1.2rc1.dev3", "0.1.2"),
            ("1!0.1.2a1+local", "1!0.1.2"),
            ("0.1.2.post1.dev0", "0.1.2.post1"),
            ("0.1.2", "0.1.2"),
        ] {
            assert_eq!(stable(&Version::from_str(dev).unwrap()).to_string(), becomes);
        }
        let exactly = ReleaseRequest::Exactly(stable(&Version::from_str("0.1.2.dev3").unwrap()));
        assert_eq!(chosen("v0.1.1", &["v0.1.2", "v0.1.3", "v0.1.2.dev3"], &exactly), "take v0.1.2");
        assert_eq!(chosen("v0.1.1", &["v0.1.3", "v0.1.2.dev3"], &exactly), "none");
    }

    /// Generates tags as they occur: of this package, of another package, and some that name no release.
    fn any_tag() -> impl Strategy<Value = String> {
        "(|v|auth-client/v|auth-client-|other/v)[0-2][.][0-2](|rc1|[.]dev[0-2]|[.]post1|[+]cu124)|nightly"
    }

    proptest! {
        /// No pin moves back unless requested, the chosen tag fits, and a second promotion has nothing left to do.
        #[test]
        fn never_takes_an_older_release_and_takes_it_only_once(
            names in prop::collection::btree_set(any_tag(), 0..12),
            current in prop::option::of(any_tag()),
            pre in any::<bool>(),
            profile in prop_oneof![Just(Profile::Staging), Just(Profile::Prod)],
        ) {
            let tags: Vec<_> = names.iter().map(|name| tag(name)).collect();
            let package = Name::parse("auth-client").unwrap();
            let wanted = ReleaseRequest::Newest { profile, pre };
            match choose(&package, current.as_deref(), &tags, &wanted) {
                TagChoice::Take(taken) => {
                    let release = Release::parse(&taken.name).unwrap();
                    prop_assert!(fits(profile, pre, release.stage()));
                    if let Some(pinned) = current.as_deref().and_then(Release::parse) {
                        prop_assert!(release.version >= pinned.version);
                        prop_assert_eq!(family(&release.prefix), family(&pinned.prefix));
                    }
                    let again = choose(&package, Some(&taken.name), &tags, &wanted);
                    prop_assert_eq!(again, TagChoice::UpToDate(taken));
                }
                TagChoice::Downgrade(tag) => prop_assert!(false, "{tag:?}"),
                TagChoice::UpToDate(_) => prop_assert!(current.is_some_and(|current| names.contains(&current))),
                TagChoice::Newer(tag) => {
                    let (newest, pinned) = (Release::parse(&tag.name), current.as_deref().and_then(Release::parse));
                    prop_assert!(newest.unwrap().version < pinned.unwrap().version);
                }
                TagChoice::None => {}
            }
        }
    }
}
