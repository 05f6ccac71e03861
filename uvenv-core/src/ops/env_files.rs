//! Files with variables for the command of `run`, as `uv run --env-file` reads them.

use std::{collections::BTreeMap, io};

use camino::Utf8PathBuf;

use super::Session;
use crate::model::Diagnostic;

/// A file with variables that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnvFileError {
    /// It does not exist.
    #[error("there is no file with variables at `{path}`")]
    Missing { path: Utf8PathBuf },
    /// It cannot be read.
    #[error("the file with variables `{path}` cannot be read: {source}")]
    Unreadable { path: Utf8PathBuf, source: io::Error },
    /// A line is wrong. Only a warning: as in uv, what comes before it counts.
    #[error("`{path}` has a line that is not a variable, and is not read further: `{line}`")]
    Line { path: Utf8PathBuf, line: String },
}

impl Diagnostic for EnvFileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Unreadable { .. } => "unreadable-env-file",
            Self::Line { .. } => "invalid-env-file",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } | Self::Unreadable { .. } => {
                "name another file with `--env-file` or `UV_ENV_FILE`, or use `--no-env-file`".to_owned()
            }
            Self::Line { .. } => "write each line as `NAME=value`; quote values with spaces or `#`".to_owned(),
        })
    }
}

/// Reads `files`, relative to the session's directory. Later files count before earlier ones, and existing variables before
/// all of them.
pub(super) fn read(session: &Session, files: &[String]) -> crate::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for file in files {
        let path = session.settings.directory.join(file);
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => EnvFileError::Missing { path: path.clone() },
            _ => EnvFileError::Unreadable { path: path.clone(), source },
        };
        let entries = match dotenvy::from_path_iter(&path) {
            Ok(entries) => entries,
            Err(dotenvy::Error::Io(source)) => return Err(unreadable(source).into()),
            Err(other) => return Err(unreadable(io::Error::other(other)).into()),
        };
        for entry in entries {
            match entry {
                Ok((name, value)) => drop(found.insert(name, value)),
                Err(dotenvy::Error::Io(source)) => return Err(unreadable(source).into()),
                Err(error) => {
                    let line = match error {
                        dotenvy::Error::LineParse(line, _) => line,
                        other => other.to_string(),
                    };
                    session.warn([EnvFileError::Line { path: path.clone(), line }]);
                    break;
                }
            }
        }
    }
    found.retain(|name, _| session.settings.variables.raw(name).is_none());
    Ok(found)
}
