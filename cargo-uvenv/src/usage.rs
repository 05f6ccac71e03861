//! A command line that cannot be, as an error like all others.

use camino::Utf8Path;
use uvenv_core::{Profile, error::Diagnostic};

/// What is wrong with it, and the way out.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    message: String,
    help: String,
}

impl UsageError {
    /// Two profiles that are to be synced at the same time, into the same environment.
    pub(crate) fn shared_environment(profiles: [Profile; 2], environment: &Utf8Path) -> Self {
        let [one, other] = profiles;
        Self {
            message: format!("`UV_PROJECT_ENVIRONMENT` gives {one} and {other} the same environment, `{environment}`"),
            help: "unset it or make it a relative path, and each profile has its own; or sync one profile only"
                .to_owned(),
        }
    }
}

/// For programs, which read messages: what clap says, without its `error:` and in one sentence; the rest is the help.
impl From<&clap::Error> for UsageError {
    fn from(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim();
        // A list of what is missing belongs to the sentence; an empty line ends it.
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
