//! Reports an invalid command line like all other errors.

use camino::Utf8Path;
use uvenv_core::{Profile, error::Diagnostic};

/// What is wrong with the command line, and how to fix it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    message: String,
    help: String,
}

impl UsageError {
    /// Returns the error for two profiles that would be synced into the same environment at the same time.
    pub(crate) fn shared_environment(profiles: [Profile; 2], environment: &Utf8Path) -> Self {
        let [one, other] = profiles;
        Self {
            message: format!("`UV_PROJECT_ENVIRONMENT` gives {one} and {other} the same environment, `{environment}`"),
            help: "unset it or set it to a relative path, so that each profile has its own, or sync one profile only"
                .to_owned(),
        }
    }
}

/// For programs that read messages: clap's message as a single sentence, without its `error:`; the rest becomes the
/// help.
impl From<&clap::Error> for UsageError {
    fn from(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim();
        // A list of missing arguments belongs to the sentence, which ends at an empty line.
        let (message, help) = text.split_once("\n\n").unwrap_or((text, "For more information, try '--help'."));
        let on_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { message: on_one_line(message), help: help.trim().to_owned() }
    }
}

impl Diagnostic for UsageError {
    fn code(&self) -> &'static str {
        "invalid-arguments"
    }

    fn help(&self) -> Option<String> {
        Some(self.help.clone())
    }
}
