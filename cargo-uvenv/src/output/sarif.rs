//! Findings as SARIF 2.1.0, the format that code hosts and editors accept from any checker.

use std::collections::BTreeSet;

use camino::Utf8Path;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};
use uvenv_core::{
    check::Severity,
    error::Place,
    report::{CheckReport, ExplanationReport, FindingReport},
};

use super::check::from_repository;
use crate::explain;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The characters that must be escaped in the path of a URI.
const NOT_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Returns the log of a check.
pub(super) fn text(report: &CheckReport) -> String {
    let rules = rules(report);
    let results: Vec<_> = report.findings.iter().map(|finding| result(report, &rules, finding)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "uvenv",
                    "semanticVersion": uvenv_core::VERSION,
                    "rules": rules.iter().map(rule).collect::<Vec<_>>(),
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// Returns the explanations of the codes that were found.
fn rules(report: &CheckReport) -> Vec<ExplanationReport> {
    let found: BTreeSet<_> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    explain::all().into_iter().filter(|explanation| found.contains(explanation.code.as_str())).collect()
}

fn rule(rule: &ExplanationReport) -> Value {
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.summary },
        "help": { "text": rule.text, "markdown": rule.text },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn result(report: &CheckReport, rules: &[ExplanationReport], finding: &FindingReport) -> Value {
    let message = match &finding.help {
        Some(help) => format!("{}\nhelp: {help}", finding.message),
        None => finding.message.clone(),
    };
    let location = match &finding.place {
        Some(place) => located(report, place),
        // Code hosts do not show findings without a location.
        None => json!({ "artifactLocation": artifact(report, &report.root.join("pyproject.toml")) }),
    };
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": [{ "physicalLocation": location }],
    });
    if let Some(index) = rules.iter().position(|rule| rule.code == finding.code) {
        result["ruleIndex"] = index.into();
    }
    let related = finding.related.iter().enumerate();
    let related: Vec<_> = related
        .map(|(id, related)| {
            let message = json!({ "text": related.message });
            json!({ "id": id, "message": message, "physicalLocation": located(report, &related.place) })
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

fn located(report: &CheckReport, place: &Place) -> Value {
    let end = place.end();
    json!({
        "artifactLocation": artifact(report, place.path()),
        "region": {
            "startLine": place.line(),
            "startColumn": place.column(),
            "endLine": end.line(),
            "endColumn": end.column(),
        },
    })
}

/// Returns a URI relative to the repository's root, if the file is in the repository.
fn artifact(report: &CheckReport, path: &Utf8Path) -> Value {
    let path = from_repository(&report.root, path);
    let uri = utf8_percent_encode(&path, NOT_IN_PATHS).to_string();
    if path.starts_with('/') {
        json!({ "uri": format!("file://{uri}") })
    } else {
        json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::check::tests::{finding, report};

    fn results(findings: &[FindingReport]) -> Vec<Value> {
        let log: Value = serde_json::from_str(&text(&report(findings))).unwrap();
        log["runs"][0]["results"].as_array().unwrap().clone()
    }

    #[test]
    fn regions_count_lines_and_characters_from_one() {
        let results = results(&[finding("/r/x.toml", "\u{fc} = 1\n")]);
        let region = &results[0]["locations"][0]["physicalLocation"]["region"];
        assert_eq!(*region, json!({ "startLine": 1, "startColumn": 1, "endLine": 2, "endColumn": 1 }));
    }

    #[test]
    fn files_outside_the_root_get_absolute_uris_and_no_file_the_manifest() {
        let nowhere = FindingReport { place: None, ..finding("/r/x", "") };
        let results = results(&[finding("/else where/x.toml", "a"), nowhere]);
        let artifact = |index: usize| &results[index]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(*artifact(0), json!({ "uri": "file:///else%20where/x.toml" }));
        assert_eq!(*artifact(1), json!({ "uri": "pyproject.toml", "uriBaseId": "%SRCROOT%" }));
    }
}
