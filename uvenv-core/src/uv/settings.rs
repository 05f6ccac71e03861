//! uv's settings: the known properties of each key of `[tool.uv]` and `uv.toml` (uv's reference, "Settings"), and the
//! files in which uv looks for settings (uv's docs, "Configuration files").

use camino::{Utf8Path, Utf8PathBuf};

use crate::{manifest, model::Variables, toml::File};

/// A file that contains only settings. In the same directory, it replaces `[tool.uv]` of the manifest.
pub(crate) const FILE_NAME: &str = "uv.toml";

/// The files that request a version of Python.
pub(crate) const PYTHON_VERSION_FILES: [&str; 2] = [".python-version", ".python-versions"];

/// The known properties of a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// As long as its value stays the same, so does its effect: no call does anything new because of it.
    Constant,
    /// It decides where packages come from.
    Packages,
    /// It affects the workspace, its builds or its developers, so staging and prod do not need it.
    Workspace,
}

/// All known settings, by name. Unknown settings can have any effect.
const SETTINGS: &[(&str, &[About])] = &[
    ("add-bounds", &[About::Constant]),
    ("allow-insecure-host", &[About::Constant]),
    ("build-backend", &[About::Constant, About::Workspace]),
    ("build-constraint-dependencies", &[About::Constant]),
    ("cache-dir", &[About::Constant]),
    ("cache-keys", &[About::Constant, About::Workspace]),
    ("check-url", &[About::Constant]),
    ("concurrent-builds", &[About::Constant]),
    ("concurrent-downloads", &[About::Constant]),
    ("concurrent-installs", &[About::Constant]),
    ("config-settings", &[About::Constant, About::Workspace]),
    ("config-settings-package", &[About::Constant, About::Workspace]),
    ("conflicts", &[About::Constant]),
    ("constraint-dependencies", &[About::Constant]),
    ("default-groups", &[About::Constant, About::Workspace]),
    ("dependency-groups", &[About::Constant, About::Workspace]),
    ("dependency-metadata", &[About::Constant]),
    ("dev-dependencies", &[About::Constant, About::Workspace]),
    ("environments", &[About::Constant]),
    ("exclude-dependencies", &[About::Constant]),
    ("exclude-newer", &[About::Constant]),
    ("exclude-newer-package", &[About::Constant]),
    ("extra-build-dependencies", &[About::Constant]),
    ("extra-build-variables", &[About::Constant]),
    ("extra-index-url", &[About::Constant, About::Packages]),
    ("find-links", &[About::Packages]),
    ("fork-strategy", &[About::Constant]),
    ("http-proxy", &[About::Constant]),
    ("https-proxy", &[About::Constant]),
    ("index", &[About::Constant, About::Packages]),
    ("index-strategy", &[About::Constant, About::Packages]),
    ("index-url", &[About::Constant, About::Packages]),
    ("keyring-provider", &[About::Constant, About::Packages]),
    ("link-mode", &[About::Constant]),
    ("managed", &[About::Constant, About::Workspace]),
    ("native-tls", &[About::Constant]),
    ("no-build-isolation", &[About::Constant]),
    ("no-build-isolation-package", &[About::Constant]),
    ("no-index", &[About::Constant, About::Packages]),
    ("no-proxy", &[About::Constant]),
    ("no-sources", &[About::Constant]),
    ("no-sources-package", &[About::Constant]),
    ("offline", &[About::Constant]),
    ("override-dependencies", &[About::Constant]),
    ("package", &[About::Constant, About::Workspace]),
    ("pip", &[About::Constant]),
    ("prerelease", &[About::Constant]),
    ("publish-url", &[About::Constant]),
    ("pypy-install-mirror", &[About::Constant]),
    ("python-downloads", &[About::Constant]),
    ("python-downloads-json-url", &[About::Constant]),
    ("python-install-mirror", &[About::Constant]),
    ("required-environments", &[About::Constant]),
    ("required-version", &[About::Constant]),
    ("resolution", &[About::Constant]),
    ("sources", &[About::Constant, About::Workspace]),
    ("system-certs", &[About::Constant]),
    ("torch-backend", &[About::Constant]),
    ("trusted-publishing", &[About::Constant]),
    ("workspace", &[About::Constant, About::Workspace]),
];

fn is(key: &str, about: About) -> bool {
    SETTINGS.iter().any(|(name, known)| *name == key && known.contains(&about))
}

/// Whether uv takes the same interpreter, without network, whatever the value of `key` is, and refuses nothing because of it.
#[cfg(feature = "vendored")]
pub(crate) fn is_neutral(key: &str) -> bool {
    SETTINGS.iter().any(|(name, _)| *name == key) && !["managed", "required-version"].contains(&key)
}

/// Whether `key` has the same effect in each call.
pub(crate) fn is_constant(key: &str) -> bool {
    is(key, About::Constant)
}

/// Whether `key` decides where packages come from.
#[cfg(feature = "full")]
pub(crate) fn decides_packages(key: &str) -> bool {
    is(key, About::Packages)
}

/// Returns the settings that affect the workspace, its builds or its developers.
#[cfg(feature = "full")]
pub(crate) fn of_the_workspace() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter(|(_, known)| known.contains(&About::Workspace)).map(|(name, _)| *name)
}

/// Returns the keys that a file with settings sets. An error is a sentence about a file that cannot be understood.
pub(crate) fn keys_in(path: &Utf8Path) -> Result<Vec<String>, String> {
    let Ok(file) = File::read(path) else { return Ok(Vec::new()) };
    let Ok(document) = file.parse() else { return Err(format!("`{path}` is not valid TOML")) };
    let root = document.root();
    let table = if path.file_name() == Some(manifest::FILE_NAME) {
        let tool = root.get("tool").ok().flatten();
        tool.and_then(|tool| tool.get("uv").ok().flatten())
    } else {
        Some(root)
    };
    let entries = table.map(|table| table.entries()).transpose().map_err(|error| error.to_string())?;
    Ok(entries.into_iter().flatten().map(|(key, _)| key.to_owned()).collect())
}

/// Returns the interpreters that the text of a version file requests.
pub(crate) fn python_requests(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether a request for an interpreter is only a version: `3`, `3.12` or `3.12.1`.
pub(crate) fn is_version(request: &str) -> bool {
    request.split('.').all(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The files that can contain settings for a project, whether or not they exist.
pub(crate) struct ConfigFiles {
    /// `uv.toml` and `pyproject.toml` in the root of the workspace and all directories above it.
    pub(crate) of_project: Vec<Utf8PathBuf>,
    /// The directory of the user's configuration.
    pub(crate) user_directory: Option<Utf8PathBuf>,
    /// The user's file, the system files, and the file that `UV_CONFIG_FILE` names.
    pub(crate) others: Vec<Utf8PathBuf>,
}

impl ConfigFiles {
    /// Returns the files for a workspace with its root at `root`. An error is a sentence about a path that cannot be
    /// represented.
    pub(crate) fn new(root: &Utf8Path, variables: &Variables) -> Result<Self, String> {
        let in_each = [FILE_NAME, manifest::FILE_NAME];
        let of_project = root.ancestors().flat_map(|directory| in_each.map(|name| directory.join(name))).collect();
        let absolute = |name: &str| variables.get(name).map(Utf8PathBuf::from).filter(|path| path.is_absolute());
        let user = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
        let system = variables.get("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
        let system = system.split(':').map(Utf8PathBuf::from).chain(["/etc".into()]);
        let mut others: Vec<_> =
            user.iter().cloned().chain(system).map(|directory| directory.join("uv").join(FILE_NAME)).collect();
        if let Some(path) = variables.get("UV_CONFIG_FILE") {
            let path = std::path::absolute(path).ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
            others.push(path.ok_or("the path in `UV_CONFIG_FILE` is not Unicode")?);
        }
        Ok(Self { of_project, user_directory: user.map(|directory| directory.join("uv")), others })
    }
}
