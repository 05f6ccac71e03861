//! What a tag says about a release: `v0.1.2`, `auth-client/v0.1.0.dev3`, `model-1.0`.
//!
//! Versions follow PEP 440. The text before the version is the prefix of the tag, which is the same for all releases of
//! a package.

use std::str::FromStr;

use pep440_rs::Version;

/// A tag that names a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// The text before the version, including `v`: `v`, `auth-client/v`, or nothing.
    pub prefix: String,
    /// The version.
    pub version: Version,
}

/// The profile for which a release is intended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A dev-release, `.devN`: for staging.
    Dev,
    /// A pre-release that is not a dev-release, or a version with a local segment. For neither profile, unless it is
    /// requested.
    Pre,
    /// A version without a pre-, dev- or local segment; this includes post-releases. For prod.
    Stable,
}

impl Release {
    /// Parses a tag. The version is the longest suffix that is a valid version and starts where a version can start: at
    /// the beginning of the tag or after a separator.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        Self::starts(tag).filter(|at| Self::is_prefix(&tag[..*at])).find_map(|at| {
            let version = Version::from_str(&tag[at..]).ok()?;
            Some(Self { prefix: tag[..at].to_owned(), version })
        })
    }

    /// Returns the positions at which a version can start: at a digit that is at the beginning of the tag, after a
    /// separator, or after a `v` in one of these places.
    fn starts(tag: &str) -> impl Iterator<Item = usize> {
        let is_start = |before: &str| {
            let before = before.strip_suffix(['v', 'V']).unwrap_or(before);
            before.is_empty() || before.ends_with(['/', '-', '_', '@', '+', '='])
        };
        let digits = tag.char_indices().filter(|(_, c)| c.is_ascii_digit());
        digits.map(|(at, _)| at).filter(move |at| is_start(&tag[..*at]))
    }

    /// Whether `before` can precede a version. It cannot consist of digits only, because `2024-01-02` is a date. It
    /// cannot be another version either, unless a `v` shows which version is meant.
    fn is_prefix(before: &str) -> bool {
        let has_version = || {
            Self::starts(before)
                .any(|at| before[at..].trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('.'))
        };
        before.is_empty() || (before.contains(char::is_alphabetic) && (before.ends_with(['v', 'V']) || !has_version()))
    }

    /// Returns the profile for which the release is intended.
    pub(crate) fn stage(&self) -> Stage {
        if self.version.is_local() {
            Stage::Pre
        } else if self.version.is_dev() {
            Stage::Dev
        } else if self.version.is_pre() {
            Stage::Pre
        } else {
            Stage::Stable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: &str) -> Option<(String, String, Stage)> {
        let release = Release::parse(tag)?;
        Some((release.prefix.clone(), release.version.to_string(), release.stage()))
    }

    fn release(prefix: &str, version: &str, stage: Stage) -> (String, String, Stage) {
        (prefix.to_owned(), version.to_owned(), stage)
    }

    #[test]
    fn parses_a_tag_into_prefix_and_version() {
        assert_eq!(read("v0.1.2"), Some(release("v", "0.1.2", Stage::Stable)));
        assert_eq!(read("0.1.2"), Some(release("", "0.1.2", Stage::Stable)));
        assert_eq!(read("auth-client/v0.1.0"), Some(release("auth-client/v", "0.1.0", Stage::Stable)));
        assert_eq!(read("model-qwen2_5-vl-v1.0rc1"), Some(release("model-qwen2_5-vl-v", "1.0rc1", Stage::Pre)));
        assert_eq!(read("qwen2-1.0"), Some(release("qwen2-", "1.0", Stage::Stable)));
        assert_eq!(read("pkg@1.0.post1"), Some(release("pkg@", "1.0.post1", Stage::Stable)));
        assert_eq!(read("v0.1.2.dev0"), Some(release("v", "0.1.2.dev0", Stage::Dev)));
        assert_eq!(read("v1.0a1.dev2"), Some(release("v", "1.0a1.dev2", Stage::Dev)));
        assert_eq!(read("v1.0+cu124"), Some(release("v", "1.0+cu124", Stage::Pre)));
        assert_eq!(read("v1.0-2"), Some(release("v", "1.0.post2", Stage::Stable)));
        assert_eq!(read("py-3.11-v1.0"), Some(release("py-3.11-v", "1.0", Stage::Stable)));
    }

    #[test]
    fn rejects_tags_without_version() {
        for tag in ["nightly", "", "v", "release", "v1.0-final-2", "dev1.x", "2024-01-02"] {
            assert_eq!(read(tag), None, "{tag}");
        }
    }
}
