//! Finds uv on this machine.

use camino::{Utf8Path, Utf8PathBuf};

use super::{OLDEST, Origin, PINNED, UvError, Version, executable_in};
use crate::{
    fs::cache,
    model::Variables,
    process::{is_program, on_path},
};

/// Returns the first uv, in the documented order. It is not yet known whether it runs.
pub(crate) fn find(
    variables: &Variables,
    companion: Option<&Utf8Path>,
) -> Result<Option<(Utf8PathBuf, Origin)>, UvError> {
    if let Some(path) = chosen(variables)? {
        return Ok(Some((path, Origin::Chosen)));
    }
    let found = parent(variables)
        .map(|path| (path, Origin::Parent))
        .or_else(|| Some((companion.filter(|path| is_program(path.as_std_path()))?.to_owned(), Origin::Companion)))
        .or_else(|| Some((on_path(variables, "uv").next()?, Origin::SearchPath)))
        .or_else(|| Some((cached(variables)?, Origin::Cache)));
    Ok(found)
}

/// Returns the user's explicit choice, which must be valid: a path that is absolute or relative to the current
/// directory.
fn chosen(variables: &Variables) -> Result<Option<Utf8PathBuf>, UvError> {
    let Some(value) = variables.get_os("UVENV_UV") else { return Ok(None) };
    let not_a_program = |problem| UvError::NotAProgram { path: value.to_string_lossy().into_owned(), problem };
    let path = std::path::absolute(value)
        .ok()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        .ok_or_else(|| not_a_program("is not a valid UTF-8 path"))?;
    if is_program(path.as_std_path()) {
        return Ok(Some(path));
    }
    Err(not_a_program(match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "does not exist",
        Err(_) => "cannot be read",
        Ok(metadata) if metadata.is_dir() => "is a directory",
        Ok(_) => "is not an executable file",
    }))
}

/// Returns the uv that runs this process. Other programs use a variable of this name for their own purposes (`UV=uv` in
/// a makefile), so only the absolute path of a program counts.
fn parent(variables: &Variables) -> Option<Utf8PathBuf> {
    let path = Utf8Path::new(variables.get("UV")?);
    (path.is_absolute() && is_program(path.as_std_path())).then(|| path.to_owned())
}

/// Returns a uv that an earlier run fetched: the version that this uvenv would fetch, or else the newest.
fn cached(variables: &Variables) -> Option<Utf8PathBuf> {
    // A cache that does not exist or cannot be read contains no uv.
    let directory = cache::directory(variables).ok()?.join("uv");
    directory
        .read_dir_utf8()
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = Version::parse(entry.file_name())?;
            let path = executable_in(entry.path());
            (version >= OLDEST && is_program(path.as_std_path())).then_some((version, path))
        })
        .max_by_key(|(version, _)| (*version == PINNED, *version))
        .map(|(_, path)| path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::{
        fs::TestTree,
        process::Terminal,
        uv::{Fetch, Uv, locate},
    };

    /// A directory with small programs that respond to `--version`.
    struct Machine {
        root: TestTree,
    }

    impl Machine {
        fn new() -> Self {
            Self { root: TestTree::new() }
        }

        fn program(&self, path: &str, script: &str) -> Utf8PathBuf {
            let path = self.root.write(path, &format!("#!/bin/sh\n{script}\n"));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        fn uv(&self, path: &str, version: &str) -> Utf8PathBuf {
            self.program(path, &format!("echo 'uv {version} (made here)'"))
        }

        fn locate(&self, variables: &[(&str, &str)]) -> crate::Result<Uv> {
            self.locate_with(None, variables)
        }

        fn locate_with(&self, companion: Option<&Utf8Path>, variables: &[(&str, &str)]) -> crate::Result<Uv> {
            let cache = self.root.join("cache");
            let variables: Variables = [("UVENV_CACHE_DIR", cache.as_str())].iter().chain(variables).copied().collect();
            locate(&variables, companion, Fetch::Never, &Terminal { quiet: true })
        }
    }

    #[test]
    fn searches_in_the_documented_order() {
        let machine = Machine::new();
        let chosen = machine.uv("chosen/uv", "0.9.0");
        let parent = machine.uv("parent/uv", "0.9.1");
        let companion = machine.uv("companion/uv", "0.9.2");
        let on_path = machine.uv("bin/uv", "0.9.2");
        machine.uv("cache/uv/0.6.0/bin/uv", "0.6.0");
        machine.uv("cache/uv/1.2.3/bin/uv", "1.2.3");
        let cached = machine.uv("cache/uv/0.13.9/bin/uv", "0.13.9");
        let bin = machine.root.join("bin");
        let all = [("UVENV_UV", chosen.as_str()), ("UV", parent.as_str()), ("PATH", bin.as_str())];
        let gone = machine.root.join("gone/uv");
        for (skip, with, path, origin) in [
            (0, &companion, &chosen, Origin::Chosen),
            (1, &companion, &parent, Origin::Parent),
            (2, &companion, &companion, Origin::Companion),
            (2, &gone, &on_path, Origin::SearchPath),
            (3, &gone, &cached, Origin::Cache),
        ] {
            let uv = machine.locate_with(Some(with), &all[skip..]).unwrap();
            assert_eq!((&uv.path, uv.origin), (path, origin));
        }
    }

    #[test]
    fn reports_when_there_is_no_uv() {
        let machine = Machine::new();
        for (fetch, message) in [
            (Fetch::Never, "on `PATH` or in the cache of uvenv"),
            (Fetch::Offline, "downloading it requires network access, which `--offline` disables"),
        ] {
            let cache = machine.root.join("cache");
            let variables = [("UVENV_CACHE_DIR", cache.as_str())].into_iter().collect();
            let error = locate(&variables, None, fetch, &Terminal { quiet: true }).unwrap_err();
            assert_eq!(error.code(), "uv-not-found");
            assert!(error.to_string().ends_with(message), "{error}");
        }
    }

    #[test]
    fn ignores_path_entries_that_are_not_programs() {
        let machine = Machine::new();
        fs::create_dir_all(machine.root.join("a/uv")).unwrap();
        let plain = machine.uv("b/uv", "0.9.0");
        fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
        let right = machine.uv("c/uv", "0.9.0");
        let root: &Utf8Path = &machine.root;
        let path = format!(":relative:{root}/a:{root}/b:{root}/none:{root}/c");
        assert_eq!(machine.locate(&[("PATH", &path)]).unwrap().path, right);
    }

    #[test]
    fn rejects_an_invalid_uvenv_uv() {
        let machine = Machine::new();
        machine.uv("bin/uv", "0.9.0");
        let plain = machine.root.join("plain");
        fs::write(&plain, "").unwrap();
        let bin = machine.root.join("bin");
        for (value, problem) in [
            ("/no/such/uv", "does not exist"),
            (bin.as_str(), "is a directory"),
            (plain.as_str(), "is not an executable file"),
        ] {
            let error = machine.locate(&[("UVENV_UV", value), ("PATH", bin.as_str())]).unwrap_err();
            assert_eq!(error.to_string(), format!("`UVENV_UV` is set to `{value}`, which {problem}"));
            assert_eq!(error.code(), "uv-not-found");
        }
    }

    #[test]
    fn ignores_an_unrelated_uv_variable() {
        let machine = Machine::new();
        let uv = machine.uv("bin/uv", "0.9.0");
        let bin = machine.root.join("bin");
        for other in ["uv", "1", "/no/such/uv", bin.as_str()] {
            let found = machine.locate(&[("UV", other), ("PATH", bin.as_str())]).unwrap();
            assert_eq!(found.path, uv);
        }
    }

    #[test]
    fn rejects_an_old_or_broken_uv() {
        let machine = Machine::new();
        machine.uv("good/uv", "0.13.9");
        let old = machine.uv("old/uv", "0.7.15");
        machine.program("shim/uv", "echo 'shim: uv: command not found' >&2; exit 127");
        machine.program("other/uv", "echo 'Ultraviolet 3.0.0'");
        machine.program("torn/uv", "");
        fs::write(machine.root.join("torn/uv"), "#!/no/such/interpreter\n").unwrap();
        let locate = |first: &str| {
            let path = format!("{0}/{first}:{0}/good", &*machine.root);
            machine.locate(&[("PATH", &path)]).unwrap_err()
        };
        let error = locate("old");
        assert_eq!(error.code(), "uv-too-old");
        assert_eq!(
            error.to_string(),
            format!("`{old}` (from `PATH`) is uv 0.7.15, but uvenv requires 0.7.16 or newer")
        );
        for (first, problem) in [
            ("shim", "`uv --version` failed with exit status 127\nshim: uv: command not found"),
            ("other", "the output of `--version` is not that of uv"),
            ("torn", "No such file or directory"),
        ] {
            let error = locate(first);
            assert_eq!(error.code(), "uv-unusable");
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}
