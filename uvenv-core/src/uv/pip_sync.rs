//! `uv pip sync` of a PEP 751 lock, and what it leaves otherwise than `uv sync`.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Appearance, Uv, Version};
use crate::{model::Name, process::Invocation};

/// The file of a `dist-info` directory in which uv records when a local file was, from which it installed. Wheels of an index
/// and builds of commits have none.
pub(crate) const CACHE_INFO: &str = "uv_cache.json";

/// The file of a `dist-info` directory in which uv records the settings of a build.
pub(crate) const BUILD_INFO: &str = "uv_build.json";

/// What the file has without settings; `None` if this uv writes none. uv 0.13.9 does, and 0.7.16 does not.
pub(crate) fn build_info(uv: &Uv) -> Option<&'static str> {
    const FIRST: Version = Version { major: 0, minor: 8, patch: 0 };
    (uv.version >= FIRST).then_some("{}")
}

/// `uv pip sync` or `uv pip install` of a lock, without network.
#[derive(Clone, Debug)]
pub(crate) struct PipSyncCommand {
    pub(crate) environment: Utf8PathBuf,
    pub(crate) lock: Utf8PathBuf,
    /// Whether packages that the lock does not have stay.
    pub(crate) inexact: bool,
    pub(crate) reinstall: Vec<Name>,
}

impl PipSyncCommand {
    pub(crate) fn invocation(&self, uv: &Uv, appearance: &Appearance) -> Invocation {
        let invocation = uv.invocation().arg("pip");
        let invocation = if self.inexact { invocation.args(["install", "-r"]) } else { invocation.arg("sync") };
        let invocation = invocation.arg(self.lock.as_str());
        let reinstall = self.reinstall.iter().map(|name| format!("--reinstall-package={name}"));
        let invocation = invocation
            .args(["--preview", "--offline", "--no-index", "--no-config", "--python", self.environment.as_str()])
            .args(reinstall)
            .args(appearance.quiet.then_some("--quiet"));
        without_indexes(invocation)
    }
}

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
        without_indexes(invocation)
    }
}

/// Removes the variables that name indexes, which would contradict `--no-index`.
fn without_indexes(invocation: Invocation) -> Invocation {
    super::variables::with_urls().fold(invocation, Invocation::env_remove)
}
