//! Findings as workflow commands, which GitHub reads from the output of a step and shows in the files.

use uvenv_core::{
    check::Severity,
    report::{CheckReport, FindingReport},
};

use super::{
    check::{from_repository, summary},
    stdout,
};
use crate::output::text::done;

/// Prints the findings and a summary; if only errors may be printed, only the findings that are errors.
pub(super) fn message(report: &CheckReport, quiet: bool) {
    for finding in report.findings.iter().filter(|finding| !quiet || finding.severity == Severity::Error) {
        stdout::plain(&format!("{}\n", command(report, finding)));
    }
    if !quiet {
        done("Checked", summary(report));
    }
}

fn command(report: &CheckReport, finding: &FindingReport) -> String {
    let name = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut properties = Vec::new();
    if let Some(place) = &finding.place {
        let end = place.end();
        properties.push(("file", from_repository(&report.root, place.path())));
        properties.push(("line", place.line().to_string()));
        properties.push(("endLine", end.line().to_string()));
        // GitHub supports columns only within a single line.
        if place.line() == end.line() {
            properties.push(("col", place.column().to_string()));
            properties.push(("endColumn", end.column().to_string()));
        }
    }
    properties.push(("title", finding.code.clone()));
    let properties: Vec<_> =
        properties.iter().map(|(key, value)| format!("{key}={}", escape_property(value))).collect();
    format!("::{name} {}::{}", properties.join(","), escape(&words(report, finding)))
}

/// Returns the message and then the further information, one item per line.
fn words(report: &CheckReport, finding: &FindingReport) -> String {
    let sentence = std::iter::once(finding.message.clone());
    let related = finding.related.iter().map(|related| {
        format!("{}:{}: {}", from_repository(&report.root, &related.file), related.line, related.message)
    });
    let help = finding.help.iter().map(|help| format!("help: {help}"));
    sentence.chain(related).chain(help).collect::<Vec<_>>().join("\n")
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::check::tests::{finding, report};

    #[test]
    fn escapes_characters_that_delimit_command_parts() {
        let finding = FindingReport { message: "50% of a:b,\r\nc::d".to_owned(), ..finding("/r/a,b:c%/x.toml", "key") };
        assert_eq!(
            command(&report(&[]), &finding),
            "::warning file=a%2Cb%3Ac%25/x.toml,line=1,endLine=1,col=1,endColumn=4,title=some-code::50%25 of a:b,%0D%0Ac::d"
        );
    }

    #[test]
    fn finding_without_a_place_has_only_a_title() {
        let finding = FindingReport { place: None, severity: Severity::Info, ..finding("/r/x", "") };
        assert_eq!(command(&report(&[]), &finding), "::notice title=some-code::a sentence");
    }

    #[test]
    fn multi_line_place_has_no_columns() {
        let command = command(&report(&[]), &finding("/r/x.toml", "a\nbc"));
        assert_eq!(command, "::warning file=x.toml,line=1,endLine=2,title=some-code::a sentence");
    }
}
