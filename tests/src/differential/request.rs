//! Requests to uvenv and the equivalent requests to uv.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// The uv variables that uvenv turns into flags.
pub(super) const AS_FLAGS: [&str; 3] = ["UV_FROZEN", "UV_LOCKED", "UV_OFFLINE"];

/// A request for a sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) profile: &'static str,
    pub(super) backend: Option<&'static str>,
    pub(super) frozen: bool,
    pub(super) locked: bool,
    /// `--extra plots`, `--group docs`, `--no-default-groups`, `--package NAME`, `--all-packages`, `--offline`: the same to
    /// both.
    pub(super) shared: Vec<String>,
    pub(super) python: Option<&'static str>,
    /// `--project`, in place of `--profile`.
    pub(super) project: Option<Utf8PathBuf>,
    /// The directory of the request, relative to the root.
    pub(super) directory: Utf8PathBuf,
    /// Whether uvenv gets that directory through `-C`.
    pub(super) by_flag: bool,
    /// A directory in which nothing can be written.
    pub(super) read_only: Option<Utf8PathBuf>,
    pub(super) variables: BTreeMap<&'static str, String>,
}

impl Request {
    /// The arguments for uvenv, in `directory`.
    pub(super) fn of_uvenv(&self, directory: &Utf8Path) -> Vec<String> {
        let mut arguments = vec!["-v".to_owned(), "sync".to_owned()];
        if self.by_flag && !directory.as_str().is_empty() {
            arguments.extend(["-C".to_owned(), directory.to_string()]);
        }
        if let Some(project) = &self.project {
            arguments.push(format!("--project={project}"));
        } else if self.profile != "dev" || !self.directory.as_str().is_empty() {
            arguments.push(format!("--profile={}", self.profile));
        }
        arguments.extend(self.backend.map(|backend| format!("--backend={backend}")));
        arguments.extend(self.rest());
        for (on, flag) in [(self.frozen, "--frozen"), (self.locked, "--locked")] {
            arguments.extend(on.then(|| flag.to_owned()));
        }
        arguments
    }

    /// The arguments of a `uv sync` of the same meaning, where `report` tells the backend.
    pub(super) fn of_uv(&self, project: &Utf8Path, report: &Value) -> Vec<String> {
        let mut arguments = vec!["sync".to_owned(), format!("--project={project}")];
        let on = |name: &str| self.variables.get(name).is_some_and(|value| value == "1");
        // uvenv turns these variables into flags, unless the flags are given.
        let frozen = self.frozen || (!self.locked && on("UV_FROZEN"));
        let locked = self.locked || (!frozen && on("UV_LOCKED"));
        if frozen {
            arguments.push("--frozen".to_owned());
        } else if locked || self.profile != "dev" {
            arguments.push("--locked".to_owned());
        }
        arguments.extend(on("UV_OFFLINE").then(|| "--offline".to_owned()));
        arguments.extend(report["backend"].as_str().map(|backend| format!("--extra={backend}")));
        arguments.extend(self.rest());
        arguments
    }

    fn rest(&self) -> impl Iterator<Item = String> {
        let python = self.python.map(|python| format!("--python={python}"));
        self.shared.iter().cloned().chain(python)
    }
}
