//! Requirements: PEP 508 strings.
//!
//! A build script needs only the name in a requirement. Versions and markers are parsed with `pep508_rs` if the feature
//! `requirements` is enabled, because that crate costs more than all other dependencies of this crate together.

use std::ops::Range;

use super::ManifestError;
use crate::{model::Name, toml::Node};

/// A requirement, such as `torch[opt]>=2.6; python_version >= "3.10"`.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The text, as written.
    pub text: String,
    /// The location of the text.
    pub span: Range<usize>,
    /// The required package.
    pub name: Name,
    /// The extras of that package.
    pub extras: Vec<Name>,
}

impl Requirement {
    /// Returns the name in the requirement `text`.
    #[cfg(feature = "full")]
    pub(crate) fn name_of(text: &str) -> Option<Name> {
        head(text).map(|(name, _)| name)
    }

    fn parse(text: &str, span: Range<usize>) -> Option<Self> {
        let (name, extras) = head(text)?;
        Some(Self { text: text.to_owned(), span, name, extras })
    }

    /// Returns its name and extras as written, and its marker. The version is omitted, because the tag of a pin
    /// determines it.
    #[cfg(feature = "full")]
    pub(crate) fn without_versions(&self) -> String {
        let (what, marker) = match self.text.split_once(';') {
            Some((what, marker)) => (what, format!("; {}", marker.trim())),
            None => (self.text.as_str(), String::new()),
        };
        let end = what.find(|c: char| "<>=!~@(".contains(c)).unwrap_or(what.len());
        format!("{}{marker}", what[..end].trim())
    }
}

/// Parses the name and the extras at the start of a requirement (PEP 508: `name [extras] …`).
fn head(text: &str) -> Option<(Name, Vec<Name>)> {
    let text = text.trim_start();
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let (name, rest) = text.split_at(text.find(|c| !in_name(c)).unwrap_or(text.len()));
    let name = Name::parse(name)?;
    let Some(list) = rest.trim_start().strip_prefix('[') else { return Some((name, Vec::new())) };
    let (list, _) = list.split_once(']')?;
    let extras = list.split(',').map(str::trim).filter(|extra| !extra.is_empty());
    Some((name, extras.map(Name::parse).collect::<Option<_>>()?))
}

pub(super) fn read(element: &Node<'_>) -> crate::Result<Requirement> {
    let text = element.string()?;
    Ok(Requirement::parse(&text.value, text.span).ok_or_else(|| ManifestError::Requirement {
        key: element.key().to_owned(),
        text: text.value,
        place: element.place(),
    })?)
}

pub(super) fn read_list(node: &Node<'_>) -> crate::Result<Vec<Requirement>> {
    let elements: Vec<_> = node.elements().map_err(|_| node.type_error("an array of requirements"))?;
    elements.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "full")]
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Option<(String, Vec<String>)> {
        let requirement = Requirement::parse(text, 0..0)?;
        let extras = requirement.extras.iter().map(Name::to_string).collect();
        Some((requirement.name.to_string(), extras))
    }

    #[test]
    fn parses_the_name_and_extras() {
        let owned = |name: &str, extras: &[&str]| {
            Some((name.to_owned(), extras.iter().map(|&extra| extra.to_owned()).collect()))
        };
        assert_eq!(parse("torch"), owned("torch", &[]));
        assert_eq!(parse(" Torch_Vision >=2 ; python_version > '3'"), owned("torch-vision", &[]));
        assert_eq!(parse("a [ x, Y_z ] @ https://x"), owned("a", &["x", "y-z"]));
        assert_eq!(parse("a[]"), owned("a", &[]));
        assert_eq!(parse("a[x"), None);
        assert_eq!(parse(">=2"), None);
        assert_eq!(parse("./a"), None);
    }

    #[cfg(feature = "full")]
    proptest! {
        /// Every requirement that `pep508_rs` accepts has the name and the extras that we parse.
        #[test]
        fn name_and_extras_agree_with_pep508(
            name in "[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?",
            extras in prop::collection::vec("[a-z0-9]([a-z0-9._-]{0,5}[a-z0-9])?", 0..3),
            space in "[ \t]{0,2}",
            rest in prop::sample::select(vec!["", ">=1.0,<2", " ; python_version >= '3.10'", " @ https://example.com/a.whl"]),
        ) {
            let list = if extras.is_empty() { String::new() } else { format!("{space}[{}]", extras.join(",")) };
            let text = format!("{name}{list}{space}{rest}");
            let oracle: Result<pep508_rs::Requirement<pep508_rs::VerbatimUrl>, _> = text.parse();
            if let Ok(oracle) = oracle {
                let expected = oracle.extras.iter().map(ToString::to_string).collect();
                prop_assert_eq!(parse(&text), Some((oracle.name.to_string(), expected)));
            }
        }
    }
}
