//! What uv would install from a PEP 751 lock.

use camino::Utf8Path;

use super::{Uv, variables};
use crate::process::Invocation;

/// `uv pip sync --dry-run` of a lock, which tells what uv would install in a new environment, or that it cannot.
#[derive(Clone, Debug)]
pub(crate) struct PipPlanCommand<'a> {
    pub(crate) lock: &'a Utf8Path,
    /// The interpreter.
    pub(crate) python: &'a str,
    /// The platform by uv's name, if it is another one.
    pub(crate) platform: Option<&'a str>,
    /// An empty directory, which stands for the environment.
    pub(crate) target: &'a Utf8Path,
}

impl PipPlanCommand<'_> {
    pub(crate) fn invocation(&self, uv: &Uv) -> Invocation {
        let invocation = uv.invocation().args(["pip", "sync", self.lock.as_str(), "--dry-run", "--color=never"]);
        let platform = self.platform.map(|platform| format!("--python-platform={platform}"));
        let invocation = invocation
            .args(["--preview", "--offline", "--no-index", "--no-config", "--python", self.python])
            .args(["--target", self.target.as_str()])
            .args(platform);
        variables::without_choices(invocation)
    }
}
