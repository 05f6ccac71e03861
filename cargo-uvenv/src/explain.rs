//! What the codes of findings, errors and warnings mean, from the pages of the documentation.

use uvenv_core::{
    check::{Rule, Severity},
    error::{Diagnostic, Place, nearest},
    report::ExplanationReport,
};

const CHECK: &str = include_str!("../../docs/check.md");
const ERRORS: &str = include_str!("../../docs/errors.md");

/// No code is called so.
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
            None => "`cargo uvenv explain` lists them all".to_owned(),
        })
    }

    fn place(&self) -> Option<&Place> {
        None
    }
}

/// A code and what the pages say of it.
struct ManualSection {
    code: &'static str,
    text: &'static str,
    /// Whether it is under the heading of a page's warnings.
    is_warning: bool,
}

/// The sections of a page whose headings are codes.
fn sections(page: &'static str) -> Vec<ManualSection> {
    let mut sections = Vec::new();
    for chapter in page.split("\n## ").skip(1) {
        let is_warning = chapter.starts_with("Warnings\n");
        let of_chapter = chapter.split("\n### `").skip(1).filter_map(|section| section.split_once("`\n"));
        sections.extend(of_chapter.map(|(code, text)| ManualSection { code, text: text.trim(), is_warning }));
    }
    sections
}

/// All codes: those of findings in the order in which these are told, then those of errors and warnings.
pub(crate) fn all() -> Vec<ExplanationReport> {
    let mut all: Vec<_> = Rule::all().iter().map(of_rule).collect();
    let others = sections(ERRORS).into_iter().filter(|section| Rule::find(section.code).is_none());
    all.extend(others.map(|section| of_error(&section)));
    all
}

/// What `code` means.
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
        [text(CHECK).map(str::to_owned), text(ERRORS).map(|text| format!("As an error of another command: {text}"))];
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
    fn the_page_on_checks_has_a_section_for_each_rule_in_the_order_of_the_rules() {
        let sections: Vec<_> = sections(CHECK).iter().map(|section| section.code).collect();
        let rules: Vec<_> = Rule::all().iter().map(|rule| rule.code).collect();
        assert_eq!(sections, rules);
    }

    #[test]
    fn each_code_is_there_once_with_a_sentence_and_a_text() {
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
    fn a_code_that_there_is_not_gets_the_nearest() {
        let error = explanation("dev_tag_in_prd").unwrap_err();
        assert_eq!(error.help().as_deref(), Some("did you mean `dev-tag-in-prod`?"));
        let error = explanation("something-else-altogether").unwrap_err();
        assert!(error.help().unwrap().contains("lists them all"), "{error:?}");
    }

    #[test]
    fn an_error_with_the_code_of_a_rule_is_explained_beside_it() {
        let text = explanation("missing-lockfile").unwrap().text;
        assert!(text.contains("\n\nAs an error of another command: "), "{text}");
        assert_eq!(all().iter().filter(|explanation| explanation.code == "missing-lockfile").count(), 1);
    }
}
