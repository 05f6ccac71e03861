//! The layout of an environment on each platform.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

/// The platforms, which decide the layout of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    Unix,
    Windows,
}

/// The files that tools write next to `pyvenv.cfg` when they make an environment. No base interpreter has them.
pub(super) const MARKS: [&str; 6] =
    ["CACHEDIR.TAG", ".gitignore", ".lock", super::sync_record::FILE, super::NATIVE_RECORD, super::STATE_DIRECTORY];

impl Platform {
    pub(crate) const CURRENT: Self = if cfg!(windows) { Self::Windows } else { Self::Unix };

    pub(super) fn scripts(self) -> &'static str {
        match self {
            Self::Unix => "bin",
            Self::Windows => "Scripts",
        }
    }

    /// Returns the path of the interpreter, relative to the environment.
    pub(super) fn python(self) -> Utf8PathBuf {
        match self {
            Self::Unix => "bin/python".into(),
            Self::Windows => "Scripts/python.exe".into(),
        }
    }

    /// Returns the `site-packages` directory. On Unix its path contains the interpreter's name (`python3.11`,
    /// `python3.13t`, `pypy3.10`), so it must be searched for.
    pub(super) fn site_packages(self, root: &Utf8Path) -> Option<Utf8PathBuf> {
        let found = match self {
            Self::Windows => root.join("Lib/site-packages"),
            Self::Unix => interpreters(root).map(|library| library.join("site-packages")).find(|path| path.is_dir())?,
        };
        found.is_dir().then_some(found)
    }

    /// Whether a directory without `pyvenv.cfg` that contains `names` is the remainder, or the beginning, of an
    /// environment. In doubt it is not, because an environment may be deleted.
    pub(super) fn is_remains(self, root: &Utf8Path, names: &[String]) -> bool {
        let has = |name: &str| names.iter().any(|other| other == name);
        if names.iter().all(|name| MARKS.contains(&name.as_str())) {
            return has("CACHEDIR.TAG") || has(super::sync_record::FILE);
        }
        let marked = has(super::sync_record::FILE)
            || (has("CACHEDIR.TAG") && has(".gitignore"))
            || root.join(self.scripts()).join("activate").is_file();
        marked && has(self.scripts()) && !self.is_base(root, names)
    }

    /// Whether a directory that contains `names` has nothing but what every new environment has.
    pub(super) fn are_beginnings(self, root: &Utf8Path, names: &[String]) -> bool {
        const NEW: [&str; 7] = ["bin", "Scripts", "lib", "lib64", "Lib", "include", "pyvenv.cfg"];
        let is_new = |name: &String| NEW.contains(&name.as_str()) || MARKS.contains(&name.as_str());
        root.is_dir() && names.iter().all(is_new) && !self.is_base(root, names)
    }

    /// Whether it is a Python installation, or a conda environment.
    fn is_base(self, root: &Utf8Path, names: &[String]) -> bool {
        let has_library = |library: &Utf8Path| library.join("os.py").exists();
        names.iter().any(|name| name == "conda-meta")
            || match self {
                Self::Unix => interpreters(root).any(|library| has_library(&library)),
                Self::Windows => has_library(&root.join("Lib")),
            }
    }
}

/// Whether a new environment has a file with this name among its programs: an interpreter, or what activates it.
#[cfg(feature = "full")]
pub(super) fn is_script_of_new_environment(name: &str) -> bool {
    let is_interpreter = |start: &str| {
        let rest =
            name.strip_prefix(start).map(|rest| rest.strip_suffix(".exe").unwrap_or(rest).trim_end_matches(['t', 'w']));
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    let name = &*name.to_ascii_lowercase();
    ["activate", "activate_this.py", "deactivate.bat", "pydoc.bat"].contains(&name)
        || name.starts_with("activate.")
        || ["python", "pypy", "graalpy"].into_iter().any(is_interpreter)
}

/// Returns `lib/python3.11` and similar directories, sorted.
fn interpreters(root: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> {
    let mut found: Vec<_> = fs::read_dir(root.join("lib"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.ok()?.path()).ok())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default();
            ["python", "pypy", "graalpy"].iter().any(|start| name.starts_with(start))
        })
        .collect();
    found.sort();
    found.into_iter()
}

/// Returns the value of `key` in the text of a `pyvenv.cfg`, read as Python reads it: `key = value`, with keys in any
/// case.
pub(super) fn configuration_value<'text>(text: &'text str, key: &str) -> Option<&'text str> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}
