//! uv's settings: what in them lets nobody but uv judge.

use camino::Utf8Path;

use super::watch_list::{Uncacheable, WatchList};
use crate::{
    model::Variables,
    uv::settings::{ConfigFiles, PYTHON_VERSION_FILES, is_constant, is_version, keys_in, python_requests},
};

/// Adds the configuration files of a project whose workspace has its root at `root`.
pub(super) fn add(watch_list: &mut WatchList, root: &Utf8Path, variables: &Variables) -> Result<(), Uncacheable> {
    let files = ConfigFiles::new(root, variables)?;
    // The nearest file with settings decides; it does no harm to include those above it.
    for path in files.of_project.into_iter().chain(files.others) {
        check(&path)?;
        watch_list.content(path);
    }
    // A date without a time means midnight in the machine's time zone.
    watch_list.content("/etc/localtime");
    for directory in files.user_directory.into_iter().chain([root.to_owned()]) {
        for path in PYTHON_VERSION_FILES.map(|name| directory.join(name)) {
            check_python(&path)?;
            watch_list.content(path);
        }
    }
    Ok(())
}

/// Refuses a file with keys that take effect in each run, or with unknown keys.
fn check(path: &Utf8Path) -> Result<(), Uncacheable> {
    match keys_in(path)?.iter().find(|key| !is_constant(key)) {
        Some(key) => Err(format!("`{key}` is set in `{path}`")),
        None => Ok(()),
    }
}

/// Refuses a request for an interpreter that is not a plain version, because a name or a path can change its meaning.
fn check_python(path: &Utf8Path) -> Result<(), Uncacheable> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    match python_requests(&text).find(|request| !is_version(request)) {
        Some(request) => Err(format!("`{path}` requests the Python `{request}`")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TestTree;

    /// Returns the reason for refusing a project whose root has these files. The user's `HOME` is next to the root.
    fn refusal(files: &[(&str, &str)]) -> Option<Uncacheable> {
        let directory = TestTree::with(files);
        let home = directory.join("home");
        let variables = [("HOME", home.as_str()), ("XDG_CONFIG_DIRS", home.as_str())].into_iter().collect();
        let refusal = add(&mut WatchList::default(), &directory.join("parent/root"), &variables).err();
        refusal.map(|refusal| refusal.replace(directory.as_str(), ""))
    }

    #[test]
    fn rejects_unknown_keys_and_keys_that_act_every_time() {
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
    fn accepts_only_versions_as_python_requests() {
        assert_eq!(refusal(&[("parent/root/.python-version", "# ours\n\n3.12\n")]), None);
        for request in ["pypy@3.10", "/usr/bin/python3", "3.13t", "cpython-3.12", "3.x", "default"] {
            let refusal = refusal(&[("parent/root/.python-version", request)]);
            assert_eq!(refusal, Some(format!("`/parent/root/.python-version` requests the Python `{request}`")));
        }
        assert_eq!(refusal(&[("parent/.python-version", "pypy")]), None, "uv does not look there");
        assert!(refusal(&[("home/.config/uv/.python-versions", "pypy")]).is_some());
    }
}
