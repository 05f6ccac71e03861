//! Content of manifests and settings.

use fastrand::Rng;

/// Settings: some have an effect, some do not, and some are rejected.
const SETTINGS: [&str; 26] = [
    "resolution = \"lowest\"",
    "resolution = \"highest\"",
    "prerelease = \"allow\"",
    "fork-strategy = \"fewest\"",
    "exclude-newer = \"2030-01-01\"",
    "exclude-newer = \"2030-01-01T00:00:00Z\"",
    "constraint-dependencies = [\"beta-lib<2\"]",
    "override-dependencies = [\"alpha-lib==1.1\"]",
    "build-constraint-dependencies = [\"setuptools<80\"]",
    "dependency-metadata = [{ name = \"alpha-lib\", version = \"1.0\", requires-dist = [] }]",
    "environments = [\"sys_platform == 'linux'\"]",
    "link-mode = \"copy\"",
    "reinstall = true",
    "upgrade = true",
    "compile-bytecode = true",
    "required-version = \">=0.7\"",
    "required-version = \">=99\"",
    "offline = true",
    "offline = false",
    "no-binary = true",
    "no-build = true",
    "no-sources = true",
    "index-strategy = \"unsafe-best-match\"",
    "python-preference = \"only-system\"",
    "nonsense = 1",
    "cache-dir = ",
];

/// Those that only count in a project.
const OF_PROJECT: [&str; 6] = [
    "managed = false",
    "default-groups = [\"docs\"]",
    "default-groups = []",
    "package = true",
    "cache-keys = [{ file = \"pyproject.toml\" }, { file = \"src/**/*.py\" }]",
    "cache-keys = [{ git = true }]",
];

pub(super) fn setting(rng: &mut Rng) -> &'static str {
    SETTINGS[rng.usize(..SETTINGS.len())]
}

/// Variations of a manifest.
pub(super) fn edited(rng: &mut Rng, text: &str) -> Option<(String, String)> {
    let swap = |from: &str, to: &str| text.contains(from).then(|| (format!("{to:?}"), text.replacen(from, to, 1)));
    let versions = ["0.1.0", "0.1.2", "0.1.3", "0.2.0", "1.0"];
    let library = ["alpha-lib", "beta-lib", "gamma-lib", "alpha-lib<2", "beta-lib==1.0", "missing-lib"][rng.usize(..6)];
    match rng.u8(..16) {
        0..=2 => Some(("a comment".to_owned(), format!("{text}\n# {}\n", rng.u32(..)))),
        3 | 4 => {
            let old = versions.iter().find(|version| text.contains(&format!("\nversion = \"{version}\"")))?;
            let new = versions[rng.usize(..versions.len())];
            swap(&format!("\nversion = \"{old}\""), &format!("\nversion = \"{new}\""))
        }
        5 | 6 => swap("\ndependencies = [", &format!("\ndependencies = [\"{library}\", ")),
        7 => {
            let line = text.lines().find(|line| line.starts_with("dependencies = [\""))?;
            let first = line.split('"').nth(1)?;
            swap(line, &line.replacen(&format!("\"{first}\""), "", 1).replacen("[, ", "[", 1))
        }
        8 => {
            let range = [">=3.10", "<3.12,>=3.9", ">=3.12", ">=3.99", ">=3.8"][rng.usize(..5)];
            swap("requires-python = \">=3.9\"", &format!("requires-python = \"{range}\""))
        }
        9 => swap("\n[dependency-groups]", &format!("\n[dependency-groups]\nmore = [\"{library}\"]")),
        10 => swap("editable = true", "editable = false").or_else(|| swap("editable = false", "editable = true")),
        11..=13 => {
            let both = [&SETTINGS[..], &OF_PROJECT[..]].concat();
            let setting = both[rng.usize(..both.len())];
            let done = swap("\n[tool.uv]\n", &format!("\n[tool.uv]\n{setting}\n"));
            done.or_else(|| Some((setting.to_owned(), format!("{text}\n[tool.uv]\n{setting}\n"))))
        }
        14 => swap("tag = \"v0.1.2\"", "tag = \"v0.1.3\""),
        _ => Some(("broken".to_owned(), format!("{text}\n= broken\n"))),
    }
}

/// Variables with values that may have an effect; an empty value differs from an unset variable.
pub(super) const VARIABLES: [(&str, &[&str]); 33] = [
    ("UV_FROZEN", &["1", "", "0"]),
    ("UV_LOCKED", &["1", ""]),
    ("UV_OFFLINE", &["1", ""]),
    ("UV_RESOLUTION", &["lowest", "highest", "nonsense", ""]),
    ("UV_PRERELEASE", &["allow", ""]),
    ("UV_EXCLUDE_NEWER", &["2030-01-01", "2030-01-01T00:00:00Z", "nonsense"]),
    ("UV_INDEX", &["http://127.0.0.1:9/simple", "small=http://127.0.0.1:9/simple", ""]),
    ("UV_DEFAULT_INDEX", &["http://127.0.0.1:9/simple", ""]),
    ("UV_FIND_LINKS", &["packages", "missing"]),
    ("UV_REINSTALL", &["1", "0"]),
    ("UV_REINSTALL_PACKAGE", &["alpha-lib", "beta-lib"]),
    ("UV_COMPILE_BYTECODE", &["1", "0", ""]),
    ("UV_NO_CONFIG", &["1", "0"]),
    ("UV_CONFIG_FILE", &["uv.toml", "missing.toml", ""]),
    ("UV_NO_BINARY", &["1"]),
    ("UV_NO_BUILD", &["1", ""]),
    ("UV_NO_DEV", &["1", ""]),
    ("UV_NO_EDITABLE", &["1"]),
    ("UV_NO_SOURCES", &["1"]),
    ("UV_PYTHON", &["3.11", "3.12", "3", "nonsense", ""]),
    ("UV_PYTHON_PREFERENCE", &["only-system", "only-managed"]),
    ("UV_LINK_MODE", &["copy", "hardlink", "nonsense"]),
    ("UV_HTTP_TIMEOUT", &["30", "nonsense"]),
    ("UV_PROJECT_ENVIRONMENT", &["", ".venv-other"]),
    ("UV_WORKING_DIR", &["packages"]),
    ("UV_NONSENSE", &["1"]),
    ("XDG_CONFIG_HOME", &["/nonexistent", "relative", ""]),
    ("TZ", &["Asia/Tokyo", "UTC", ""]),
    ("TZDIR", &["/nonexistent", ""]),
    ("HOME", &["", "/nonexistent"]),
    ("PYTHONHOME", &["/nonexistent", ""]),
    ("RUST_LOG", &["info", "[", "uv=nonsense"]),
    ("BUILD_NUMBER", &["1", "2", ""]),
];

/// Variables that nothing depends on.
pub(super) const OTHER_VARIABLES: [(&str, &[&str]); 4] =
    [("EDITOR", &["vi", "ed"]), ("VIRTUAL_ENV", &["/nonexistent", ""]), ("PYTHONPATH", &["src", ""]), ("LANG", &["C"])];
