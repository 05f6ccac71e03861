//! What wheels are for: an interpreter, on this machine or elsewhere.

use super::{Tools, description::described_on, version_in};

/// An interpreter that wheels are for.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The tools of an interpreter of this machine with the same version.
    pub(crate) tools: Tools,
    /// The platform by uv's name, such as `aarch64-manylinux_2_28`; this machine's if there is none.
    pub(crate) platform: Option<String>,
}

impl Target {
    /// Returns a description that tells it from others: `cpython 3 11  linux x86_64 linux-x86_64 glibc-2.36`.
    pub(crate) fn description(&self) -> String {
        match &self.platform {
            None => self.tools.target.clone(),
            Some(platform) => described_on(&self.tools.target, platform),
        }
    }

    /// Returns how messages name it.
    pub(crate) fn shown(&self) -> String {
        match &self.platform {
            None => self.tools.interpreter.clone(),
            Some(platform) => format!("Python {} on {platform}", version_in(&self.tools.target)),
        }
    }
}
