//! How an interpreter is described, to tell for what wheels are.

use camino::Utf8Path;

use crate::process::Invocation;

/// Prints for what an interpreter installs: implementation, version, ABI, platform, C library.
const DESCRIPTION: &str = "import platform, sys, sysconfig
libc = '-'.join(platform.libc_ver()).strip('-') or platform.mac_ver()[0]
abi = sysconfig.get_config_var('abiflags') or ''
print(sys.implementation.name, *sys.version_info[:2], abi, sysconfig.get_platform(), libc)";

/// Returns a program that prints the description of an interpreter: `cpython 3 11  linux-x86_64 glibc-2.36`.
pub(crate) fn describing(python: &Utf8Path) -> Invocation {
    Invocation::new(python.as_str()).args(["-I", "-S", "-B", "-c", DESCRIPTION])
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
