//! A command line that clap does not take, as an error like all others: for programs, which read messages.

use uvenv_core::error::Diagnostic;

/// What clap says, without its `error:` and in one sentence; the rest of it is the help.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    message: String,
    help: String,
}

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
