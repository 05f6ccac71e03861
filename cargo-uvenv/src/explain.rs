//! The meaning of the codes of findings, errors and warnings, from the pages of the documentation.

use uvenv_core::{
    check::{Rule, Severity},
    error::{Diagnostic, Place, nearest},
    report::ExplanationReport,
};

const CHECK: &str = include_str!("../../docs/check.md");
const ERRORS: &str = include_str!("../../docs/errors.md");

/// The code does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no code `{code}`")]
pub(crate) struct UnknownCode {
    code: String,
    nearest: Option<&'static str>,
}

impl Diagnostic for UnknownCode {
    fn code(&self) -> &'static str {
        "unknown-code"
    }

    fn help(&self) -> Option<String> {
        Some(match self.nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`cargo uvenv explain` lists all codes".to_owned(),
        })
    }

    fn place(&self) -> Option<&Place> {
        None
    }
}

/// A code and its explanation in the documentation.
struct ManualSection {
    code: &'static str,
    text: &'static str,
    /// Whether it is under the heading for warnings of its page.
    is_warning: bool,
}

/// Returns the sections of a page whose headings are codes.
fn sections(page: &'static str) -> Vec<ManualSection> {
    let mut sections = Vec::new();
    for chapter in page.split("\n## ").skip(1) {
        let is_warning = chapter.starts_with("Warnings\n");
        let of_chapter = chapter.split("\n### `").skip(1).filter_map(|section| section.split_once("`\n"));
        sections.extend(of_chapter.map(|(code, text)| ManualSection { code, text: text.trim(), is_warning }));
    }
    sections
}

/// Returns all codes: those of findings, in the order in which a check reports them, then those of errors and warnings.
pub(crate) fn all() -> Vec<ExplanationReport> {
    let mut all: Vec<_> = Rule::all().iter().map(of_rule).collect();
    let others = sections(ERRORS).into_iter().filter(|section| Rule::find(section.code).is_none());
    all.extend(others.map(|section| of_error(&section)));
    all
}

/// Returns the explanation of `code`.
pub(crate) fn explanation(code: &str) -> Result<ExplanationReport, UnknownCode> {
    let found = all().into_iter().find(|explanation| explanation.code == code);
    found.ok_or_else(|| {
        let rules = Rule::all().iter().map(|rule| rule.code);
        let codes = rules.chain(sections(ERRORS).into_iter().map(|section| section.code));
        UnknownCode { code: code.to_owned(), nearest: nearest(&code.replace('_', "-"), codes, 4) }
    })
}

fn of_rule(rule: &Rule) -> ExplanationReport {
    let text = |page| sections(page).into_iter().find(|section| section.code == rule.code).map(|section| section.text);
    let texts =
        [text(CHECK).map(str::to_owned), text(ERRORS).map(|text| format!("As an error from another command: {text}"))];
    let texts: Vec<_> = texts.into_iter().flatten().collect();
    ExplanationReport {
        code: rule.code.to_owned(),
        severity: rule.severity,
        summary: rule.summary.to_owned(),
        text: texts.join("\n\n"),
    }
}

fn of_error(section: &ManualSection) -> ExplanationReport {
    ExplanationReport {
        code: section.code.to_owned(),
        severity: if section.is_warning { Severity::Warning } else { Severity::Error },
        summary: first_sentence(section.text),
        text: section.text.to_owned(),
    }
}

fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = paragraph.find(". ").unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches(['.', ':']).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn check_page_has_one_section_per_rule_in_rule_order() {
        let sections: Vec<_> = sections(CHECK).iter().map(|section| section.code).collect();
        let rules: Vec<_> = Rule::all().iter().map(|rule| rule.code).collect();
        assert_eq!(sections, rules);
    }

    #[test]
    fn each_code_has_exactly_one_summary_and_text() {
        let all = all();
        let codes: BTreeSet<_> = all.iter().map(|explanation| explanation.code.as_str()).collect();
        assert_eq!(codes.len(), all.len());
        for ExplanationReport { code, summary, text, .. } in &all {
            assert!(
                code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{code}"
            );
            assert!(!summary.is_empty() && !summary.contains('\n') && !summary.ends_with('.'), "{code}: {summary}");
            assert!(!text.is_empty() && !text.contains("\n#"), "{code}: {text}");
        }
        let severity = |code| all.iter().find(|explanation| explanation.code == code).map(|found| found.severity);
        assert_eq!(severity("backend-required"), Some(Severity::Error));
        assert_eq!(severity("other-runner"), Some(Severity::Warning));
        assert_eq!(severity("not-there"), None);
    }

    #[test]
    fn suggests_the_nearest_code_for_an_unknown_one() {
        let error = explanation("dev_tag_in_prd").unwrap_err();
        assert_eq!(error.help().as_deref(), Some("did you mean `dev-tag-in-prod`?"));
        let error = explanation("something-else-altogether").unwrap_err();
        assert!(error.help().unwrap().contains("lists all codes"), "{error:?}");
    }

    #[test]
    fn explains_a_code_shared_by_a_rule_and_an_error_in_one_page() {
        let text = explanation("missing-lockfile").unwrap().text;
        assert!(text.contains("\n\nAs an error from another command: "), "{text}");
        assert_eq!(all().iter().filter(|explanation| explanation.code == "missing-lockfile").count(), 1);
    }
}
