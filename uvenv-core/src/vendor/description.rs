//! How an interpreter is described, to tell for what wheels are.

use camino::Utf8Path;

use crate::process::Invocation;

/// Prints for what an interpreter installs: implementation, version, ABI, the markers of its system and machine, platform, C
/// library.
const DESCRIPTION: &str = "import platform, sys, sysconfig
libc = '-'.join(platform.libc_ver()).strip('-') or platform.mac_ver()[0]
abi = 't' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''
print(sys.implementation.name, *sys.version_info[:2], abi, sys.platform, platform.machine(), sysconfig.get_platform(), libc)";

/// The number of words at the start that decide which packages there are: all but the platform and the C library, which only
/// decide which of their wheels.
const MARKERS: usize = 6;

/// Returns a program that prints the description of an interpreter: `cpython 3 11  linux x86_64 linux-x86_64 glibc-2.36`.
pub(crate) fn describing(python: &Utf8Path) -> Invocation {
    Invocation::new(python.as_str()).args(["-I", "-S", "-B", "-c", DESCRIPTION])
}

/// Returns the description that the program has printed. Its last word can be empty.
pub(crate) fn described(output: &str) -> String {
    output.trim_end_matches(['\r', '\n']).to_owned()
}

/// Returns the description of the same interpreter on another platform, which has uv's name.
#[cfg(feature = "full")]
pub(super) fn described_on(description: &str, platform: &str) -> String {
    let words: Vec<_> = description.split(' ').take(4).collect();
    let (arch, rest) = platform.split_once('-').unwrap_or((platform, ""));
    let (system, machine) = match (rest, arch) {
        ("apple-darwin", "aarch64") => ("darwin", "arm64"),
        ("apple-darwin", _) => ("darwin", arch),
        ("pc-windows-msvc", "x86_64") => ("win32", "AMD64"),
        ("pc-windows-msvc", "aarch64") => ("win32", "ARM64"),
        ("pc-windows-msvc", _) => ("win32", "x86"),
        _ => ("linux", arch),
    };
    format!("{} {system} {machine} {platform}", words.join(" "))
}

/// Whether two interpreters need the same packages, if perhaps other wheels of them.
pub(crate) fn have_same_markers(one: &str, other: &str) -> bool {
    one.split(' ').take(MARKERS).eq(other.split(' ').take(MARKERS))
}

/// Returns the platform in a description, for messages.
pub(crate) fn platform_in(description: &str) -> String {
    description.split(' ').skip(MARKERS).collect::<Vec<_>>().join(" ")
}

/// Returns the version of Python in a description: `3.11`.
pub(crate) fn version_in(description: &str) -> String {
    let words: Vec<_> = description.split(' ').collect();
    words.get(1..3).map(|version| version.join(".")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "cpython 3 11  linux x86_64 linux-x86_64 glibc-2.36";

    #[cfg(feature = "full")]
    #[test]
    fn compares_what_markers_see() {
        for same in ["x86_64-manylinux_2_28", "x86_64-unknown-linux-musl"] {
            assert!(have_same_markers(HERE, &described_on(HERE, same)), "{same}");
        }
        for other in ["aarch64-manylinux_2_28", "aarch64-apple-darwin", "x86_64-apple-darwin", "x86_64-pc-windows-msvc"]
        {
            assert!(!have_same_markers(HERE, &described_on(HERE, other)), "{other}");
        }
        let windows = described_on(HERE, "x86_64-pc-windows-msvc");
        assert_eq!(windows, "cpython 3 11  win32 AMD64 x86_64-pc-windows-msvc");
        assert!(!have_same_markers(HERE, "cpython 3 12  linux x86_64 linux-x86_64 glibc-2.36"));
    }

    #[test]
    fn reads_versions_in_descriptions() {
        assert_eq!(version_in(HERE), "3.11");
        assert_eq!(version_in("cpython 3 13 t linux aarch64 aarch64-manylinux_2_28"), "3.13");
        assert_eq!(platform_in(HERE), "linux-x86_64 glibc-2.36");
        assert_eq!(version_in(""), "");
    }
}
