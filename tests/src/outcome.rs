//! What a command said and how it ended.

use std::{
    fmt,
    process::{ExitStatus, Output},
};

use serde_json::Value;

/// The end of a command.
#[derive(Debug)]
pub struct Outcome {
    command: String,
    status: ExitStatus,
    stdout: String,
    stderr: String,
    redactions: Vec<(String, &'static str)>,
}

/// An error that uvenv wrote as JSON.
#[derive(Debug)]
pub struct Refusal {
    /// The stable code.
    pub code: String,
    /// The sentence.
    pub message: String,
    /// The way out.
    pub help: String,
    /// The whole object.
    pub json: Value,
    /// What was written to standard error.
    pub stderr: String,
}

impl Outcome {
    pub(crate) fn new(command: String, output: &Output, redactions: Vec<(String, &'static str)>) -> Self {
        Self {
            command,
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            redactions,
        }
    }

    /// The exit status, if no signal ended the command.
    pub fn status(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended the command.
    #[cfg(unix)]
    pub fn signal(&self) -> Option<i32> {
        std::os::unix::process::ExitStatusExt::signal(&self.status)
    }

    /// Standard output as it is.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// Standard error as it is.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// Standard output with the temporary directory, versions, times and commits replaced by names, for a snapshot.
    pub fn shown(&self) -> String {
        self.redact(&self.stdout)
    }

    /// Standard error for a snapshot, as [`Self::shown`].
    pub fn told(&self) -> String {
        self.redact(&self.stderr)
    }

    /// What uvenv itself told at the end of standard error, after uv's words, which differ from version to version.
    pub fn told_at_last(&self) -> String {
        let start = self.stderr.find("error[").unwrap_or_else(|| panic!("uvenv tells no error: {self}"));
        self.redact(&self.stderr[start..])
    }

    fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (value, placeholder) in &self.redactions {
            text = text.replace(value, placeholder);
        }
        words_replaced(&text)
    }

    /// The objects on standard output, where nothing else may be.
    pub fn reports(&self) -> Vec<Value> {
        let parsed = self.stdout.lines().map(serde_json::from_str);
        let reports: Vec<Value> = parsed.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}: {self}"));
        assert!(reports.iter().all(|report| report["reason"].is_string()), "each object has a `reason`: {self}");
        reports
    }

    /// The one object with this `reason`.
    pub fn report(&self, reason: &str) -> Value {
        let mut reports = self.reports();
        reports.retain(|report| report["reason"] == reason);
        assert_eq!(reports.len(), 1, "one `{reason}`: {self}");
        reports.remove(0)
    }

    /// The one error.
    pub fn refusal(&self) -> Refusal {
        let json = self.report("error");
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        Refusal { code: text("code"), message: text("message"), help: text("help"), stderr: self.stderr.clone(), json }
    }
}

impl Refusal {
    /// Asserts that the message names all of these.
    pub fn names<const N: usize>(&self, parts: [&str; N]) -> &Self {
        for part in parts {
            assert!(self.message.contains(part), "the message does not name `{part}`: {self:?}");
        }
        self
    }

    /// Asserts that the help names all of these.
    pub fn helps<const N: usize>(&self, parts: [&str; N]) -> &Self {
        for part in parts {
            assert!(self.help.contains(part), "the help does not name `{part}`: {self:?}");
        }
        self
    }

    /// Asserts that the error points to this line of a file whose path ends so.
    pub fn points_to(&self, file: &str, line: u64) -> &Self {
        let path = self.json["file"].as_str().unwrap_or_default();
        assert!(path.ends_with(file), "the file is not `{file}`: {self:?}");
        assert_eq!(self.json["line"], line, "{self:?}");
        assert!(self.json["column"].as_u64().is_some_and(|column| column > 0), "{self:?}");
        self
    }
}

/// Replaces what differs from run to run but can be told by its shape: durations and commits.
fn words_replaced(text: &str) -> String {
    text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == 'µ'))
        .map(|part| {
            let word = part.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == 'µ'));
            let rest = &part[word.len()..];
            if is_duration(word) {
                format!("[TIME]{rest}")
            } else if [8, 40].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                format!("[COMMIT]{rest}")
            } else {
                part.to_owned()
            }
        })
        .collect()
}

fn is_duration(word: &str) -> bool {
    ["ms", "µs", "s"].iter().any(|unit| {
        word.strip_suffix(unit)
            .is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()) && number.parse::<f64>().is_ok())
    })
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, status, stdout, stderr, .. } = self;
        write!(f, "{command}: {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
