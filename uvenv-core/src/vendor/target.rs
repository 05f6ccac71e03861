//! The Pythons and platforms that something is vendored for: the wheels that each can install, and what markers say there.

use std::{collections::HashMap, fmt};

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{VendorError, wheel_name::WheelName};

/// A Python: `3.12`, or `3.13t` without a global interpreter lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetPython {
    minor: u8,
    /// What markers may ask for; packages do not.
    patch: u8,
    is_free_threaded: bool,
}

/// An operating system, the oldest version of it, and a machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetPlatform {
    system: System,
    /// As `platform.machine()` has it, in lower case.
    machine: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum System {
    /// Linux with this version of glibc, or newer.
    Manylinux(u16, u16),
    /// Linux with this version of musl, or newer.
    Musllinux(u16, u16),
    MacOs(u16, u16),
    Windows,
}

/// What a vendored environment is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The Python.
    pub python: TargetPython,
    /// The platform.
    pub platform: TargetPlatform,
}

/// What a target can install: the wheel tags, and how good each is.
pub(crate) struct Tags(HashMap<String, usize>);

/// A machine and a Python on it.
#[derive(Debug, Deserialize)]
pub(crate) struct Host {
    pub(crate) implementation: String,
    version: (u8, u8, u8),
    free_threaded: bool,
    system: String,
    machine: String,
    glibc: Option<(u16, u16)>,
    musl: Option<(u16, u16)>,
    macos: Option<(u16, u16)>,
}

impl Host {
    /// What a Python prints of itself as JSON. PEP 600 and PEP 656 say where the versions of the C libraries are from.
    pub(crate) const QUESTION: &str = r"
import json, os, platform, re, subprocess, sys, sysconfig
def version(text):
    found = re.search(r'(\d+)\.(\d+)', text or '')
    return [int(part) for part in found.groups()] if found else None
glibc = musl = macos = None
if sys.platform == 'linux':
    try:
        glibc = version(os.confstr('CS_GNU_LIBC_VERSION'))
    except (AttributeError, OSError, ValueError):
        loader = '/lib/ld-musl-%s.so.1' % platform.machine()
        musl = version(subprocess.run([loader], capture_output=True, text=True).stderr) if os.path.exists(loader) else None
if sys.platform == 'darwin':
    macos = version(platform.mac_ver()[0])
print(json.dumps({
    'implementation': sys.implementation.name,
    'version': list(sys.version_info[:3]),
    'free_threaded': bool(sysconfig.get_config_var('Py_GIL_DISABLED')),
    'system': sys.platform,
    'machine': platform.machine(),
    'glibc': glibc,
    'musl': musl,
    'macos': macos,
}))
";

    /// What is vendored for it where nothing else is asked for; `None` where no wheels are made for such a machine.
    pub(crate) fn target(&self) -> Option<Target> {
        let system = match (self.system.as_str(), self.glibc, self.musl, self.macos) {
            ("linux", Some((major, minor)), ..) => System::Manylinux(major, minor),
            ("linux", None, Some((major, minor)), _) => System::Musllinux(major, minor),
            ("darwin", _, _, Some((major, minor))) => System::MacOs(major, if major > 10 { 0 } else { minor }),
            ("win32", ..) => System::Windows,
            _ => return None,
        };
        let (3, minor, patch) = self.version else { return None };
        let platform = TargetPlatform { system, machine: self.machine.to_ascii_lowercase() };
        Some(Target { python: TargetPython { minor, patch, is_free_threaded: self.free_threaded }, platform })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target() {
            Some(target) if self.implementation == "cpython" => target.fmt(f),
            _ => write!(f, "{} on {} {}", self.implementation, self.system, self.machine),
        }
    }
}

impl Target {
    /// Whether what is vendored for `self` can be installed on a machine and a Python like `other`.
    pub(crate) fn runs_on(&self, other: &Self) -> bool {
        self.python.is_same(other.python) && self.platform.runs_on(&other.platform)
    }

    /// The wheel tags that it can install, in the order of
    /// <https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/>: the closest first.
    pub(crate) fn tags(&self) -> Tags {
        let TargetPython { minor, is_free_threaded, .. } = self.python;
        let platforms = self.platform.tags();
        let mut tags = Vec::new();
        let mut on_platforms = |python: &str, abi: &str| {
            tags.extend(platforms.iter().map(|platform| format!("{python}-{abi}-{platform}")));
        };
        let current = format!("cp3{minor}");
        let threads = if is_free_threaded { "t" } else { "" };
        on_platforms(&current, &format!("{current}{threads}"));
        if !is_free_threaded {
            on_platforms(&current, "abi3");
        }
        on_platforms(&current, "none");
        if !is_free_threaded {
            for earlier in (2..minor).rev() {
                on_platforms(&format!("cp3{earlier}"), "abi3");
            }
        }
        let earlier = (0..minor).rev().map(|earlier| format!("py3{earlier}"));
        let generic: Vec<_> = [format!("py3{minor}"), "py3".to_owned()].into_iter().chain(earlier).collect();
        for python in &generic {
            on_platforms(python, "none");
        }
        tags.push(format!("{current}-none-any"));
        tags.extend(generic.iter().map(|python| format!("{python}-none-any")));
        Tags(tags.into_iter().enumerate().map(|(place, tag)| (tag, place)).collect())
    }

    /// The values of <https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>.
    /// Like uv for a platform that is not its own, it knows no release of the operating system.
    pub(crate) fn markers(&self) -> Result<MarkerEnvironment, VendorError> {
        let TargetPython { minor, patch, .. } = self.python;
        let (full, short) = (format!("3.{minor}.{patch}"), format!("3.{minor}"));
        let machine = match (self.platform.system, self.platform.machine.as_str()) {
            (System::Windows, machine) => machine.to_ascii_uppercase(),
            (_, machine) => machine.to_owned(),
        };
        let (os, sys, system) = match self.platform.system {
            System::Manylinux(..) | System::Musllinux(..) => ("posix", "linux", "Linux"),
            System::MacOs(..) => ("posix", "darwin", "Darwin"),
            System::Windows => ("nt", "win32", "Windows"),
        };
        let values = MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &full,
            os_name: os,
            platform_machine: &machine,
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: system,
            platform_version: "",
            python_full_version: &full,
            python_version: &short,
            sys_platform: sys,
        };
        MarkerEnvironment::try_from(values).map_err(|error| VendorError::target("Python", &full, &error.to_string()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Python {} on {}", self.python, self.platform)
    }
}

impl TargetPython {
    /// Whether packages see no difference.
    pub(crate) fn is_same(self, other: Self) -> bool {
        (self.minor, self.is_free_threaded) == (other.minor, other.is_free_threaded)
    }

    /// Reads `3.12`, `3.12.4`, `cp312`-free forms that uv takes: `python3.12`, `cpython@3.12`, `3.13t`.
    ///
    /// # Errors
    ///
    /// [`VendorError::Target`] for anything else.
    pub fn parse(text: &str) -> Result<Self, VendorError> {
        let refused = || VendorError::target("--python", text, "is no version such as `3.12`");
        let version = text.trim_start_matches("cpython").trim_start_matches("python").trim_start_matches(['@', '-']);
        let (version, is_free_threaded) = match version.strip_suffix("+freethreaded").or(version.strip_suffix('t')) {
            Some(version) => (version, true),
            None => (version, false),
        };
        let mut numbers = version.split('.').map(str::parse::<u8>);
        match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(3)), Some(Ok(minor)), patch, None) => {
                let patch = patch.transpose().map_err(|_| refused())?.unwrap_or(0);
                Ok(Self { minor, patch, is_free_threaded })
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for TargetPython {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}{}", self.minor, if self.is_free_threaded { "t" } else { "" })
    }
}

impl TargetPlatform {
    /// Whether what is made for `self` runs on `other`: the same system, as old or newer.
    pub(crate) fn runs_on(&self, other: &Self) -> bool {
        let is_new_enough = match (self.system, other.system) {
            (System::Manylinux(major, minor), System::Manylinux(its_major, its_minor))
            | (System::Musllinux(major, minor), System::Musllinux(its_major, its_minor))
            | (System::MacOs(major, minor), System::MacOs(its_major, its_minor)) => {
                (major, minor) <= (its_major, its_minor)
            }
            (System::Windows, System::Windows) => true,
            _ => false,
        };
        is_new_enough && self.machine == other.machine
    }

    /// Reads what uv takes for `--python-platform` (`x86_64-manylinux_2_28`, `aarch64-apple-darwin`, `windows`) and the
    /// platform tags of wheels (`manylinux_2_28_x86_64`, `win_amd64`).
    ///
    /// # Errors
    ///
    /// [`VendorError::Target`] for anything else.
    pub fn parse(text: &str) -> Result<Self, VendorError> {
        let refused = || VendorError::target("--platform", text, "is no platform such as `x86_64-manylinux_2_28`");
        // What these are for uv: https://docs.astral.sh/uv/reference/cli/#uv-pip-compile
        let (system, machine) = match text {
            "linux" | "x86_64-unknown-linux-gnu" => (System::Manylinux(2, 28), "x86_64"),
            "aarch64-unknown-linux-gnu" => (System::Manylinux(2, 28), "aarch64"),
            "x86_64-unknown-linux-musl" => (System::Musllinux(1, 2), "x86_64"),
            "aarch64-unknown-linux-musl" => (System::Musllinux(1, 2), "aarch64"),
            "macos" | "aarch64-apple-darwin" => (System::MacOs(13, 0), "arm64"),
            "x86_64-apple-darwin" => (System::MacOs(13, 0), "x86_64"),
            "windows" | "x86_64-pc-windows-msvc" | "win_amd64" => (System::Windows, "amd64"),
            "aarch64-pc-windows-msvc" | "win_arm64" => (System::Windows, "arm64"),
            "i686-pc-windows-msvc" | "win32" => (System::Windows, "x86"),
            "manylinux2014_x86_64" | "x86_64-manylinux2014" => (System::Manylinux(2, 17), "x86_64"),
            "manylinux2014_aarch64" | "aarch64-manylinux2014" => (System::Manylinux(2, 17), "aarch64"),
            _ => return Self::parse_tag(text).ok_or_else(refused),
        };
        Ok(Self { system, machine: machine.to_owned() })
    }

    fn parse_tag(text: &str) -> Option<Self> {
        // `MACHINE-KIND_MAJOR_MINOR` or `KIND_MAJOR_MINOR_MACHINE`.
        let (machine, tag) = text.split_once('-').map_or((None, text), |(machine, tag)| (Some(machine), tag));
        let mut parts = tag.splitn(4, '_');
        let kind = parts.next()?;
        let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let system = match kind {
            "manylinux" => System::Manylinux(major, minor),
            "musllinux" => System::Musllinux(major, minor),
            "macosx" => System::MacOs(major, minor),
            _ => return None,
        };
        let rest = parts.next();
        let ((Some(machine), None) | (None, Some(machine))) = (machine, rest) else { return None };
        let machine = match (system, machine) {
            (System::MacOs(..), "aarch64") => "arm64",
            (_, machine) => machine,
        };
        let is_word = !machine.is_empty() && machine.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_word.then(|| Self { system, machine: machine.to_owned() })
    }

    /// The platform tags of the wheels that run there, the closest first.
    pub(crate) fn tags(&self) -> Vec<String> {
        let machine = &self.machine;
        match self.system {
            System::Manylinux(major, minor) => {
                let is_old = ["x86_64", "i686"].contains(&machine.as_str());
                let versions = (if is_old { 5 } else { 17 }..=minor).rev();
                let tags = versions.flat_map(|minor| {
                    let legacy = match minor {
                        17 => Some("manylinux2014"),
                        12 if is_old => Some("manylinux2010"),
                        5 if is_old => Some("manylinux1"),
                        _ => None,
                    };
                    let legacy = legacy.map(|legacy| format!("{legacy}_{machine}"));
                    [format!("manylinux_{major}_{minor}_{machine}")].into_iter().chain(legacy)
                });
                tags.chain([format!("linux_{machine}")]).collect()
            }
            System::Musllinux(major, minor) => {
                let tags = (0..=minor).rev().map(|minor| format!("musllinux_{major}_{minor}_{machine}"));
                tags.chain([format!("linux_{machine}")]).collect()
            }
            System::MacOs(major, minor) => mac_tags(major, minor, machine),
            System::Windows if machine == "x86" => vec!["win32".to_owned()],
            System::Windows => vec![format!("win_{machine}")],
        }
    }
}

/// From macOS 11 on each year has a major version of its own; what was built for 10 runs there.
fn mac_tags(major: u16, minor: u16, machine: &str) -> Vec<String> {
    let newer = (11..=major).rev().map(|major| (major, 0));
    let latest_of_ten = if major > 10 { 16 } else { minor };
    let older = (4..=latest_of_ten).rev().map(|minor| (10, minor));
    let formats = |version: u16| match (machine, version) {
        ("x86_64", _) => vec!["x86_64", "intel", "fat64", "fat32", "universal2", "universal"],
        (machine, 11..) => vec![machine, "universal2"],
        // Of version 10 a Mac with another processor runs only the halves that are its own.
        _ => vec!["universal2"],
    };
    let tags = newer.chain(older).flat_map(|(major, minor)| {
        formats(major).into_iter().map(move |format| format!("macosx_{major}_{minor}_{format}"))
    });
    tags.collect()
}

impl fmt::Display for TargetPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        match self.system {
            System::Manylinux(major, minor) => write!(f, "{machine}-manylinux_{major}_{minor}"),
            System::Musllinux(major, minor) => write!(f, "{machine}-musllinux_{major}_{minor}"),
            System::MacOs(major, minor) => write!(f, "{machine}-macosx_{major}_{minor}"),
            System::Windows => f.write_str(match machine.as_str() {
                "arm64" => "aarch64-pc-windows-msvc",
                "x86" => "i686-pc-windows-msvc",
                _ => "x86_64-pc-windows-msvc",
            }),
        }
    }
}

impl Tags {
    /// How good a wheel is here, less being better; `None` if it cannot be installed.
    pub(crate) fn rank(&self, wheel: &WheelName) -> Option<usize> {
        wheel.tags().filter_map(|tag| self.0.get(&tag).copied()).min()
    }
}

impl Serialize for TargetPython {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TargetPython {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for TargetPlatform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TargetPlatform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(python: &str, platform: &str) -> Target {
        Target { python: TargetPython::parse(python).unwrap(), platform: TargetPlatform::parse(platform).unwrap() }
    }

    fn best<'a>(target: &Target, wheels: &[&'a str]) -> Option<&'a str> {
        let tags = target.tags();
        let ranked = wheels.iter().filter_map(|wheel| Some((tags.rank(&WheelName::parse(wheel)?)?, *wheel)));
        ranked.min().map(|(_, wheel)| wheel)
    }

    #[test]
    fn pythons_and_platforms_are_said_in_several_ways() {
        let python = |text| TargetPython::parse(text).unwrap().to_string();
        for text in ["3.12", "3.12.4", "python3.12", "cpython-3.12", "cpython@3.12"] {
            assert_eq!(python(text), "3.12", "{text}");
        }
        assert_eq!((python("3.13t").as_str(), python("3.13+freethreaded").as_str()), ("3.13t", "3.13t"));
        for text in ["", "3", "2.7", "3.x", "pypy3.10", "/usr/bin/python3", "3.12.1.1", ">=3.10"] {
            assert!(TargetPython::parse(text).is_err(), "{text}");
        }
        let platform = |text| TargetPlatform::parse(text).unwrap().to_string();
        for text in ["linux", "x86_64-unknown-linux-gnu", "manylinux_2_28_x86_64", "x86_64-manylinux_2_28"] {
            assert_eq!(platform(text), "x86_64-manylinux_2_28", "{text}");
        }
        assert_eq!(platform("aarch64-macosx_14_0"), "arm64-macosx_14_0");
        assert_eq!(platform("macosx_11_0_arm64"), "arm64-macosx_11_0");
        for text in ["windows", "win_arm64", "win32", "x86_64-apple-darwin", "musllinux_1_2_aarch64"] {
            let shown = platform(text);
            assert_eq!(TargetPlatform::parse(&shown).unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "x86_64", "beos", "manylinux_2_28", "x86_64-manylinux_2", "x86_64-manylinux_2_28_x86_64"] {
            assert!(TargetPlatform::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_closest_wheel_is_taken() {
        let wheels = [
            "a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "a-1-cp312-cp312-manylinux_2_28_x86_64.whl",
            "a-1-cp312-cp312-manylinux_2_34_x86_64.whl",
            "a-1-cp38-abi3-manylinux2014_aarch64.whl",
            "a-1-cp313-cp313t-musllinux_1_2_x86_64.whl",
            "a-1-cp39-abi3-macosx_10_12_universal2.whl",
            "a-1-cp312-none-win_amd64.whl",
            "a-1-py2.py3-none-any.whl",
        ];
        for (python, platform, expected) in [
            ("3.12", "x86_64-manylinux_2_28", wheels[1]),
            ("3.12", "x86_64-manylinux_2_17", wheels[0]),
            ("3.12", "x86_64-manylinux_2_39", wheels[2]),
            ("3.11", "x86_64-manylinux_2_39", wheels[7]),
            ("3.13", "aarch64-manylinux_2_28", wheels[3]),
            ("3.13t", "aarch64-manylinux_2_28", wheels[7]),
            ("3.13t", "x86_64-musllinux_1_2", wheels[4]),
            ("3.12", "macos", wheels[5]),
            ("3.12", "windows", wheels[6]),
        ] {
            assert_eq!(best(&target(python, platform), &wheels), Some(expected), "{python} {platform}");
        }
        assert_eq!(best(&target("3.11", "windows"), &wheels[..7]), None);
    }

    /// `packaging`, which pip brings, is what the specification was made from.
    #[test]
    fn tags_are_those_of_packaging_in_their_order() {
        let ask = r#"
import json, sys
from pip._vendor.packaging import tags
minor, abi, platforms = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
found = [*tags.cpython_tags((3, minor), [abi], platforms), *tags.compatible_tags((3, minor), f"cp3{minor}", platforms)]
print(json.dumps([str(tag) for tag in found]))
"#;
        for (python, abi) in [("3.10", "cp310"), ("3.12", "cp312")] {
            for platform in
                ["x86_64-manylinux_2_28", "aarch64-musllinux_1_2", "macos", "x86_64-apple-darwin", "windows"]
            {
                let target = target(python, platform);
                let platforms = serde_json::to_string(&target.platform.tags()).unwrap();
                let minor = target.python.minor.to_string();
                let said =
                    crate::process::Invocation::new("python3").args(["-c", ask, &minor, abi, &platforms]).capture();
                let said = said.unwrap();
                let expected: Vec<String> =
                    serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}", said.stderr));
                let mut tags: Vec<_> = target.tags().0.into_iter().collect();
                tags.sort_by_key(|(_, place)| *place);
                let tags: Vec<_> = tags.into_iter().map(|(tag, _)| tag).collect();
                let differing = tags.iter().zip(&expected).find(|(one, other)| one != other);
                assert!(tags == expected, "{python} {platform}: {differing:?}");
            }
        }
    }

    /// The platforms of this machine, as `packaging` finds them, are those that are vendored for it.
    #[test]
    fn this_machine_is_known() {
        let ask = |question: &str| {
            let said = crate::process::Invocation::new("python3").args(["-c", question]).capture().unwrap();
            assert!(said.status.success(), "{}", said.stderr);
            said.stdout
        };
        let host: Host = serde_json::from_str(&ask(Host::QUESTION)).unwrap();
        let expected = ask("from pip._vendor.packaging import tags\nprint(*tags.platform_tags())");
        let mut expected: Vec<_> = expected.split_whitespace().collect();
        let platform = host.target().unwrap().platform;
        let mut tags = platform.tags();
        expected.sort_unstable();
        tags.sort_unstable();
        assert_eq!(tags, expected, "{platform}");
    }

    #[test]
    fn markers_are_those_of_the_target() {
        let holds = |target: &Target, marker: &str| {
            let marker: pep508_rs::MarkerTree = marker.parse().unwrap();
            marker.evaluate(&target.markers().unwrap(), &[])
        };
        let linux = target("3.12", "x86_64-manylinux_2_28");
        assert!(holds(&linux, "sys_platform == 'linux' and platform_machine == 'x86_64'"));
        assert!(holds(&linux, "python_full_version >= '3.12' and python_version < '3.13' and os_name == 'posix'"));
        let windows = target("3.10", "windows");
        assert!(holds(&windows, "platform_machine == 'AMD64' and platform_system == 'Windows'"));
        assert!(!holds(&windows, "implementation_name == 'pypy'"));
        assert!(holds(&target("3.10", "macos"), "platform_machine == 'arm64' and sys_platform == 'darwin'"));
    }

    #[test]
    fn older_systems_vendor_for_newer_ones() {
        let runs = |mine: (&str, &str), its: (&str, &str)| target(mine.0, mine.1).runs_on(&target(its.0, its.1));
        assert!(runs(("3.12", "x86_64-manylinux_2_28"), ("3.12.4", "x86_64-manylinux_2_36")));
        assert!(!runs(("3.12", "x86_64-manylinux_2_36"), ("3.12", "x86_64-manylinux_2_28")));
        assert!(!runs(("3.12", "x86_64-manylinux_2_28"), ("3.13", "x86_64-manylinux_2_28")));
        assert!(!runs(("3.13", "x86_64-manylinux_2_28"), ("3.13t", "x86_64-manylinux_2_28")));
        assert!(!runs(("3.12", "x86_64-manylinux_2_28"), ("3.12", "aarch64-manylinux_2_28")));
        assert!(!runs(("3.12", "x86_64-musllinux_1_2"), ("3.12", "x86_64-manylinux_2_28")));
        assert!(runs(("3.12", "windows"), ("3.12", "win_amd64")));
    }
}
