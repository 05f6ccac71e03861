//! uv's configuration: the files that it may come from, and what in them lets nobody but uv judge.

use camino::{Utf8Path, Utf8PathBuf};

use super::watch_list::{Uncacheable, WatchList};
use crate::{
    manifest,
    model::Variables,
    toml::{File, Node},
};

/// The keys whose effect is known, of which none acts each time. Others may be anything.
const KEYS: [&str; 59] = [
    "add-bounds",
    "allow-insecure-host",
    "build-backend",
    "build-constraint-dependencies",
    "cache-dir",
    "cache-keys",
    "check-url",
    "concurrent-builds",
    "concurrent-downloads",
    "concurrent-installs",
    "config-settings",
    "config-settings-package",
    "conflicts",
    "constraint-dependencies",
    "default-groups",
    "dependency-groups",
    "dependency-metadata",
    "dev-dependencies",
    "environments",
    "exclude-dependencies",
    "exclude-newer",
    "exclude-newer-package",
    "extra-build-dependencies",
    "extra-build-variables",
    "extra-index-url",
    "fork-strategy",
    "http-proxy",
    "https-proxy",
    "index",
    "index-strategy",
    "index-url",
    "keyring-provider",
    "link-mode",
    "managed",
    "native-tls",
    "no-build-isolation",
    "no-build-isolation-package",
    "no-index",
    "no-proxy",
    "no-sources",
    "no-sources-package",
    "offline",
    "override-dependencies",
    "package",
    "pip",
    "prerelease",
    "publish-url",
    "pypy-install-mirror",
    "python-downloads",
    "python-downloads-json-url",
    "python-install-mirror",
    "required-environments",
    "required-version",
    "resolution",
    "sources",
    "system-certs",
    "torch-backend",
    "trusted-publishing",
    "workspace",
];

/// Adds the files of configuration of a project whose workspace has its root at `root`.
pub(super) fn add(watch_list: &mut WatchList, root: &Utf8Path, variables: &Variables) -> Result<(), Uncacheable> {
    // The nearest that says something decides; those above it are looked at for nothing.
    watch_list.upwards(root, &["uv.toml", manifest::FILE_NAME]);
    for directory in root.ancestors() {
        check(&directory.join("uv.toml"), None)?;
        check(&directory.join(manifest::FILE_NAME), Some("tool"))?;
    }
    let user = absolute(variables, "XDG_CONFIG_HOME").or_else(|| Some(absolute(variables, "HOME")?.join(".config")));
    let system = variables.get("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
    let system = system.split(':').map(Utf8PathBuf::from).chain(["/etc".into()]);
    for directory in user.iter().cloned().chain(system) {
        let path = directory.join("uv/uv.toml");
        check(&path, None)?;
        watch_list.content(path);
    }
    if let Some(path) = variables.get("UV_CONFIG_FILE").map(Utf8PathBuf::from) {
        let path = std::path::absolute(&path).ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
        let path = path.ok_or("the path in `UV_CONFIG_FILE` is not Unicode")?;
        check(&path, None)?;
        watch_list.content(path);
    }
    // A date without a time is midnight where the machine is.
    watch_list.content("/etc/localtime");
    let of_user = user.map(|directory| directory.join("uv"));
    for directory in of_user.into_iter().chain([root.to_owned()]) {
        for name in [".python-version", ".python-versions"] {
            let path = directory.join(name);
            check_python(&path)?;
            watch_list.content(path);
        }
    }
    Ok(())
}

fn absolute(variables: &Variables, name: &str) -> Option<Utf8PathBuf> {
    variables.get(name).map(Utf8PathBuf::from).filter(|path| path.is_absolute())
}

/// Refuses a file with keys that act each time, or that are not known.
fn check(path: &Utf8Path, tool: Option<&str>) -> Result<(), Uncacheable> {
    let Ok(file) = File::read(path) else {
        return Ok(());
    };
    let Ok(document) = file.parse() else {
        return Err(format!("`{path}` is not valid TOML"));
    };
    let root = Node::root(&file, &document);
    let table = match tool {
        None => Some(root),
        Some(tool) => {
            let tool = root.get(tool).ok().flatten();
            tool.and_then(|tool| tool.get("uv").ok().flatten())
        }
    };
    let Some(table) = table else { return Ok(()) };
    let entries = table.entries().map_err(|error| error.to_string())?;
    match entries.iter().find(|(key, _)| !KEYS.contains(key)) {
        Some((key, _)) => Err(format!("`{key}` is set in `{path}`")),
        None => Ok(()),
    }
}

/// Refuses a request for an interpreter that is not a plain version: a name or a path leads elsewhere tomorrow.
fn check_python(path: &Utf8Path) -> Result<(), Uncacheable> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match lines.find(|line| !is_version(line)) {
        Some(request) => Err(format!("`{path}` asks for the Python `{request}`")),
        None => Ok(()),
    }
}

/// Whether a request for an interpreter is a version alone: `3`, `3.12`, `3.12.1`.
pub(super) fn is_version(request: &str) -> bool {
    request.split('.').all(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What is said of a project whose root has these files, and whose user has `HOME` beside it.
    fn refusal(files: &[(&str, &str)]) -> Option<Uncacheable> {
        let guard = tempfile::tempdir().unwrap();
        let directory = Utf8PathBuf::from_path_buf(guard.path().canonicalize().unwrap()).unwrap();
        for (path, text) in files {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let home = directory.join("home");
        let variables = [("HOME", home.as_str()), ("XDG_CONFIG_DIRS", home.as_str())].into_iter().collect();
        let refusal = add(&mut WatchList::default(), &directory.join("parent/root"), &variables).err();
        refusal.map(|refusal| refusal.replace(directory.as_str(), ""))
    }

    #[test]
    fn keys_that_act_each_time_or_are_not_known_are_refused_wherever_they_stand() {
        assert_eq!(
            refusal(&[("parent/root/pyproject.toml", "[tool.uv]\nindex-url = \"u\"\n[tool.other]\nx = 1\n")]),
            None
        );
        for (path, text, key) in [
            ("parent/root/pyproject.toml", "[tool.uv]\nreinstall = true\n", "reinstall"),
            ("parent/root/uv.toml", "upgrade = true\n", "upgrade"),
            ("parent/uv.toml", "compile-bytecode = true\n", "compile-bytecode"),
            ("parent/pyproject.toml", "[tool.uv]\npreview = true\n", "preview"),
            ("home/.config/uv/uv.toml", "find-links = [\"/wheels\"]\n", "find-links"),
            ("home/uv/uv.toml", "python-preference = \"only-managed\"\n", "python-preference"),
            ("home/.config/uv/uv.toml", "of-next-year = 1\n", "of-next-year"),
        ] {
            assert_eq!(refusal(&[(path, text)]), Some(format!("`{key}` is set in `/{path}`")));
        }
        let broken = refusal(&[("parent/root/uv.toml", "a = \n")]);
        assert_eq!(broken.as_deref(), Some("`/parent/root/uv.toml` is not valid TOML"));
    }

    #[test]
    fn a_python_is_asked_for_by_version_only() {
        assert_eq!(refusal(&[("parent/root/.python-version", "# ours\n\n3.12\n")]), None);
        for request in ["pypy@3.10", "/usr/bin/python3", "3.13t", "cpython-3.12", "3.x", "default"] {
            let refusal = refusal(&[("parent/root/.python-version", request)]);
            assert_eq!(refusal, Some(format!("`/parent/root/.python-version` asks for the Python `{request}`")));
        }
        assert_eq!(refusal(&[("parent/.python-version", "pypy")]), None, "uv does not look there");
        assert!(refusal(&[("home/.config/uv/.python-versions", "pypy")]).is_some());
    }
}
