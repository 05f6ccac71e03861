//! Names of packages, extras and dependency groups, compared the way Python compares them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A normalised name of a package, an extra or a dependency group: lower case, with each run of `-`, `_` and `.` as one
/// `-`, so that `Model.Qwen2_5--VL` is `model-qwen2-5-vl`.
///
/// The rules are those of the [name normalisation specification][spec] (PEP 503), which PEP 685 and PEP 735 adopt for
/// extras and groups.
///
/// ```
/// use uvenv_core::Name;
///
/// assert_eq!(Name::parse("Model_Qwen2.5-VL"), Name::parse("model-qwen2-5-vl"));
/// assert_eq!(Name::parse("-upload-pack"), None);
/// ```
///
/// [spec]: https://packaging.python.org/en/latest/specifications/name-normalization/
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Normalises `text`; returns `None` if it is not a valid name. A valid name starts and ends with an ASCII letter
    /// or digit and contains only letters, digits, `-`, `_` and `.`.
    pub fn parse(text: &str) -> Option<Self> {
        let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let valid = ends_well(text.chars().next())
            && ends_well(text.chars().next_back())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || is_separator(c));
        valid.then(|| {
            let runs: Vec<_> = text.split(is_separator).filter(|run| !run.is_empty()).collect();
            Self(runs.join("-").to_ascii_lowercase())
        })
    }

    /// Returns the normalised name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '_' | '.')
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a valid name")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_names() {
        for text in ["model-qwen2-5-vl", "model-qwen2_5-vl", "Model.Qwen2--5__VL"] {
            assert_eq!(Name::parse(text).unwrap().as_str(), "model-qwen2-5-vl");
        }
    }

    #[test]
    fn rejects_invalid_names() {
        for text in ["", "-a", "a-", "a b", "a/b", "é", "$(id)", "--upload-pack=x"] {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
    }
}
