//! What wheels are for: an interpreter, on this machine or elsewhere.

use camino::Utf8Path;

use super::{Tools, VendorContext, tools::captured};
use crate::process::Invocation;

/// Prints for what an interpreter installs: implementation, version, ABI, platform, C library.
const DESCRIPTION: &str = "import platform, sys, sysconfig
libc = '-'.join(platform.libc_ver()).strip('-') or platform.mac_ver()[0]
abi = sysconfig.get_config_var('abiflags') or ''
print(sys.implementation.name, *sys.version_info[:2], abi, sysconfig.get_platform(), libc)";

/// An interpreter that wheels are for.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The tools of an interpreter of this machine with the same version.
    pub(crate) tools: Tools,
    /// The platform by uv's name, such as `aarch64-manylinux_2_28`; this machine's if there is none.
    pub(crate) platform: Option<String>,
}

impl Target {
    /// Returns a description that tells it from others: `cpython 3 11  linux-x86_64 glibc-2.36`.
    pub(crate) fn description(&self) -> String {
        match &self.platform {
            None => self.tools.target.clone(),
            Some(platform) => {
                let words: Vec<_> = self.tools.target.split(' ').take(4).collect();
                format!("{} {platform}", words.join(" "))
            }
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

/// Returns a program that prints the [`Target::description`] of an interpreter.
pub(crate) fn describing(python: &Utf8Path) -> Invocation {
    Invocation::new(python.as_str()).args(["-I", "-S", "-B", "-c", DESCRIPTION])
}

/// Asks an interpreter for its description.
pub(super) fn describe(context: &VendorContext<'_>, python: &Utf8Path) -> crate::Result<String> {
    Ok(captured(context, describing(python))?.trim_end_matches(['\r', '\n']).to_owned())
}

/// Returns the version of Python in a description: `3.11`.
pub(crate) fn version_in(description: &str) -> String {
    let words: Vec<_> = description.split(' ').collect();
    words.get(1..3).map(|version| version.join(".")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_in_descriptions() {
        assert_eq!(version_in("cpython 3 11  linux-x86_64 glibc-2.36"), "3.11");
        assert_eq!(version_in("cpython 3 13 t aarch64-manylinux_2_28"), "3.13");
        assert_eq!(version_in(""), "");
    }
}
