//! What can go wrong while an environment is described.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::model::{Diagnostic, Fault, Name, Profile, quoted_or};

/// No document was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SbomError {
    /// The environment is not what the lockfile says.
    #[error("the environment `{environment}` is not up to date with its lockfile")]
    Outdated { environment: Utf8PathBuf, profile: Profile, backend: Option<Name> },
    /// The time that was asked for is not one.
    #[error("the variable `SOURCE_DATE_EPOCH` is not a number of seconds since 1970: `{value}`")]
    Time { value: String },
    /// The document could not be made.
    #[error("the document cannot be written: {problem}")]
    Document { problem: String },
    /// A file could not be written.
    #[error("`{path}` cannot be written: {source}")]
    Io { path: Utf8PathBuf, source: std::io::Error },
}

impl Diagnostic for SbomError {
    fn code(&self) -> &'static str {
        match self {
            Self::Outdated { .. } => "outdated-environment",
            Self::Time { .. } => "invalid-source-date-epoch",
            Self::Document { .. } | Self::Io { .. } => "sbom-not-written",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Outdated { profile, backend, .. } => {
                let backend = backend.as_ref().map(|backend| format!(" --backend {backend}")).unwrap_or_default();
                format!(
                    "run `cargo uvenv sync --profile {profile}{backend}`; `cargo uvenv verify --profile {profile}` shows the \
                     differences"
                )
            }
            Self::Time { .. } => "set it to the output of `date +%s`, or unset it".to_owned(),
            Self::Document { .. } => "see that each distribution has a readable `METADATA`".to_owned(),
            Self::Io { .. } => "choose another file with `-o FILE`".to_owned(),
        })
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Outdated { .. } | Self::Time { .. } => Fault::Request,
            Self::Document { .. } | Self::Io { .. } => Fault::Finding,
        }
    }
}

/// Something that the document does not say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SbomWarning {
    /// Files are not as they were installed.
    #[error("files were changed, removed or added since the last sync: {}", shown(files))]
    Changed {
        /// Relative to the environment.
        files: Vec<Utf8PathBuf>,
    },
    /// It is not known what is linked into packages.
    #[error("it is not known what is linked into {}", reasons(packages))]
    UnknownContents {
        /// The packages, each with the reason.
        packages: Vec<(Name, String)>,
    },
}

/// Shows the first of them.
fn shown(files: &[Utf8PathBuf]) -> String {
    let first: Vec<_> = files.iter().take(3).map(|file| format!("`{file}`")).collect();
    let more = files.len().saturating_sub(first.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    first.join(", ") + &more
}

fn reasons(packages: &[(Name, String)]) -> String {
    let mut by_reason: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
    for (name, reason) in packages {
        by_reason.entry(reason).or_default().push(name);
    }
    let shown: Vec<_> =
        by_reason.into_iter().map(|(reason, names)| format!("{} ({reason})", quoted_or(&names, "nothing"))).collect();
    shown.join(", or into ")
}

impl Diagnostic for SbomWarning {
    fn code(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed-since-sync",
            Self::UnknownContents { .. } => "unknown-sbom-contents",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Changed { .. } => Some(
                "`cargo uvenv verify` names all of them; `cargo uvenv sync --recreate` makes the environment anew"
                    .to_owned(),
            ),
            Self::UnknownContents { .. } => {
                Some("nothing: the document says so too, as a composition that is `unknown`".to_owned())
            }
        }
    }
}
