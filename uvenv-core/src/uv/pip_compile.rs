//! `uv pip compile`: what requirements that no lockfile has are resolved to.

use camino::Utf8Path;

use super::Uv;
use crate::process::Invocation;

/// `uv pip compile`, for all platforms. By the name of the output, it is a PEP 751 lock (`pylock.*.toml`) or a list of
/// requirements.
#[derive(Clone, Debug)]
pub(crate) struct PipCompileCommand<'a> {
    /// The directory whose settings apply, such as its indexes.
    pub(crate) project: &'a Utf8Path,
    pub(crate) requirements: &'a Utf8Path,
    /// The file to write. What it has already is kept, if it still fits.
    pub(crate) output: &'a Utf8Path,
    pub(crate) interpreter: &'a str,
    /// The oldest version of Python; that of the interpreter if there is none.
    pub(crate) python_version: Option<String>,
    /// Whether a list has hashes. A lock always has.
    pub(crate) hashes: bool,
    pub(crate) offline: bool,
}

/// Returns `uv pip compile` of nothing for a platform, which fails if uv does not know it.
pub(crate) fn accepts_platform(uv: &Uv, platform: &str) -> Invocation {
    let flags = ["pip", "compile", "--quiet", "--offline", "--no-index", "--no-config", "-"];
    uv.invocation().args(flags).arg(format!("--python-platform={platform}"))
}

impl PipCompileCommand<'_> {
    pub(crate) fn invocation(&self, uv: &Uv) -> Invocation {
        let flags = ["--quiet", "--universal", "--no-header", "--no-annotate", "--python"];
        let compile = uv.invocation().args(["pip", "compile"]).args(flags).arg(self.interpreter);
        let version = self.python_version.as_ref().map(|version| format!("--python-version={version}"));
        let compile = compile.args(version).args(self.hashes.then_some("--generate-hashes"));
        let compile = compile.args(self.offline.then_some("--offline"));
        let compile = compile.args(["--project", self.project.as_str()]);
        compile.args(["--output-file", self.output.as_str(), self.requirements.as_str()])
    }
}
