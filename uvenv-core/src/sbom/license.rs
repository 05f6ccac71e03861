//! The license of a distribution, from its [METADATA].
//!
//! [METADATA]: https://packaging.python.org/en/latest/specifications/core-metadata/

use camino::Utf8Path;
use cyclonedx_bom::{
    external_models::spdx::SpdxExpression,
    models::license::{License, LicenseChoice, Licenses},
};
use mailparse::{MailHeaderMap as _, parse_headers};

use crate::model::redact;

/// The start of the classifiers that name a license.
const CLASSIFIER: &str = "License :: ";

/// The longest text that can be the name of a license; longer ones are the license itself.
const LONGEST_NAME: usize = 100;

/// Returns the license of the distribution whose `dist-info` directory this is; `None` if it does not say it.
pub(super) fn of_distribution(folder: &Utf8Path) -> Option<Licenses> {
    of_metadata(&std::fs::read(folder.join("METADATA")).ok()?)
}

/// Returns what METADATA says: the expression (PEP 639), or else the name in `License` or the classifiers.
fn of_metadata(metadata: &[u8]) -> Option<Licenses> {
    let (headers, _) = parse_headers(metadata).ok()?;
    let header = |key: &str| {
        let text = redact(headers.get_first_value(key)?.trim()).into_owned();
        (!text.is_empty()).then_some(text)
    };
    if let Some(expression) = header("License-Expression") {
        return Some(of_text(&expression));
    }
    let is_name = |text: &String| text.len() <= LONGEST_NAME && !text.contains('\n') && text != "UNKNOWN";
    let free = header("License").filter(is_name);
    if let Some(expression) = free.as_ref().and_then(|text| SpdxExpression::try_from(text.clone()).ok()) {
        return Some(Licenses(vec![LicenseChoice::Expression(expression)]));
    }
    let classifiers = headers.get_all_values("Classifier");
    let names = classifiers.iter().filter_map(|text| text.strip_prefix(CLASSIFIER)?.rsplit(" :: ").next());
    let names: Vec<_> = names.filter(|name| *name != "OSI Approved").map(LicenseChoice::license).collect();
    if names.is_empty() {
        free.map(|text| Licenses(vec![LicenseChoice::license(&text)]))
    } else {
        Some(Licenses(names))
    }
}

/// Returns the license that `text` names: an SPDX expression, or something else.
pub(super) fn of_text(text: &str) -> Licenses {
    let choice = match SpdxExpression::parse_lax(text.to_owned()) {
        Ok(expression) => LicenseChoice::Expression(expression),
        Err(_) => LicenseChoice::License(License::named_license(text)),
    };
    Licenses(vec![choice])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(metadata: &str) -> Vec<String> {
        let licenses = of_metadata(metadata.as_bytes()).map(|licenses| licenses.0).unwrap_or_default();
        let show = |choice: LicenseChoice| match choice {
            LicenseChoice::Expression(expression) => format!("expression {expression}"),
            LicenseChoice::License(license) => format!("{:?}", license.license_identifier),
        };
        licenses.into_iter().map(show).collect()
    }

    #[test]
    fn reads_what_metadata_says() {
        let start = "Metadata-Version: 2.4\nName: one\n";
        assert_eq!(shown(&format!("{start}License-Expression: MIT OR Apache-2.0\n")), ["expression MIT OR Apache-2.0"]);
        assert_eq!(shown(&format!("{start}License: BSD-3-Clause\n")), ["expression BSD-3-Clause"]);
        let classifiers = "License: see file\nClassifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License\n";
        assert_eq!(shown(&format!("{start}{classifiers}")), ["Name(NormalizedString(\"MIT License\"))"]);
        assert_eq!(shown(&format!("{start}License: see file\n")), ["Name(NormalizedString(\"see file\"))"]);
        let text = format!("{start}License: Copyright\n        all rights\n");
        assert_eq!(shown(&text).len(), 1);
        for nothing in [start, &format!("{start}License: UNKNOWN\n"), ""] {
            assert_eq!(shown(nothing), [""; 0], "{nothing}");
        }
    }
}
