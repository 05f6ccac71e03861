//! Which artifacts an interpreter needs: what `packaging` selects from what uv exports.

use camino::Utf8Path;
use serde::Deserialize;

use super::{Target, VendorContext, VendorError, tools::captured};
use crate::model::Name;

/// What an interpreter would install.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Selected {
    #[serde(rename = "selected")]
    pub(crate) artifacts: Vec<Artifact>,
}

/// What is to be installed of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Artifact {
    /// The number of the package in the lock, from 0.
    pub(crate) index: usize,
    pub(crate) name: Name,
    pub(crate) kind: ArtifactKind,
    pub(crate) url: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) file: Option<String>,
    /// What its URL calls it.
    pub(crate) remote_file: Option<String>,
    pub(crate) sha256: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) subdirectory: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ArtifactKind {
    Wheel,
    Sdist,
    Vcs,
    Directory,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Error { error: String },
    UnknownPlatform { unknown_platform: String },
    Selected(Selected),
}

/// Returns what `target` would install from the lock at `path`.
pub(crate) fn select(context: &VendorContext<'_>, target: &Target, path: &Utf8Path) -> crate::Result<Selected> {
    let script = path.with_file_name("select.py");
    std::fs::write(&script, include_str!("select.py")).map_err(VendorError::io(&script))?;
    let select = target.tools.python().args([script.as_str(), path.as_str()]);
    let answer = captured(context, select.args(target.platform.as_deref()))?;
    let unreadable = |error: serde_json::Error| VendorError::Tools { problem: error.to_string() };
    match serde_json::from_str(&answer).map_err(unreadable)? {
        Answer::Selected(selected) => {
            // It becomes the name of a file here.
            let is_name = |file: &String| Utf8Path::new(file).file_name() == Some(file) && !file.contains(['\\', '\n']);
            let is_odd =
                |artifact: &&Artifact| artifact.file.iter().chain(&artifact.remote_file).any(|file| !is_name(file));
            let odd = selected.artifacts.iter().find(is_odd);
            match odd {
                Some(odd) => {
                    let problem = format!("`{}` is not the name of a file", odd.file.as_deref().unwrap_or_default());
                    Err(VendorError::Package { package: odd.name.to_string(), problem }.into())
                }
                None => Ok(selected),
            }
        }
        Answer::Error { error } => Err(VendorError::Selection { interpreter: target.shown(), problem: error }.into()),
        Answer::UnknownPlatform { unknown_platform } => {
            Err(VendorError::UnknownPlatform { platform: unknown_platform }.into())
        }
    }
}
