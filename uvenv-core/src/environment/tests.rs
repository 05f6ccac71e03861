use super::*;
use crate::{Profile, backend::Choice, fs::TestTree};

/// A directory in which environments are made, for either platform.
struct Place {
    root: TestTree,
}

impl Place {
    fn new() -> Self {
        Self { root: TestTree::new() }
    }

    fn environment(&self, platform: Platform) -> Environment {
        Environment { root: self.root.join(".venv"), platform }
    }

    /// Makes an environment like uv's, but with a placeholder as its Python.
    fn made(&self, platform: Platform) -> Environment {
        let environment = self.environment(platform);
        let home = self.root.join("base");
        fs::create_dir_all(&home).unwrap();
        self.write(".venv/CACHEDIR.TAG", "");
        self.write(".venv/.gitignore", "*");
        self.write(
            ".venv/pyvenv.cfg",
            &format!("home = {home}\nimplementation = CPython\nuv = 0.13.9\nversion_info = 3.11.7\nprompt = a = b\n"),
        );
        match platform {
            Platform::Unix => {
                self.program(".venv/bin/python");
                self.write(".venv/bin/activate", "");
                self.write(".venv/lib/python3.11/site-packages/a.py", "");
            }
            Platform::Windows => {
                self.program(".venv/Scripts/python.exe");
                self.write(".venv/Scripts/activate", "");
                self.write(".venv/Lib/site-packages/a.py", "");
            }
        }
        environment
    }

    fn write(&self, path: &str, text: &str) {
        self.root.write(path, text);
    }

    fn program(&self, path: &str) {
        self.write(path, "");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(self.root.join(path), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

const BOTH: [Platform; 2] = [Platform::Unix, Platform::Windows];

#[track_caller]
fn broken(environment: &Environment) -> String {
    let error = environment.usable().unwrap_err();
    assert_eq!(error.code(), "broken-environment");
    assert!(error.help().unwrap().contains("--recreate"));
    let prefix = format!("the environment `{}` ", environment.root());
    error.to_string().strip_prefix(&prefix).unwrap().to_owned()
}

#[test]
fn recognises_environments_of_each_platform() {
    for (platform, executable, site_packages) in [
        (Platform::Unix, "bin/python", "lib/python3.11/site-packages"),
        (Platform::Windows, "Scripts/python.exe", "Lib/site-packages"),
    ] {
        let place = Place::new();
        let environment = place.made(platform);
        let python = environment.usable().unwrap().unwrap();
        assert_eq!(python.executable, environment.root().join(executable));
        assert_eq!(python.version, "3.11.7");
        assert_eq!(python.home, place.root.join("base").as_str());
        assert_eq!(environment.site_packages(), Some(environment.root().join(site_packages)));
    }
}

#[test]
fn reads_pyvenv_cfg_of_venv_and_virtualenv() {
    let value = layout::configuration_value;
    assert_eq!(value("home = /usr/bin\nversion = 3.12.1\n", "version"), Some("3.12.1"));
    assert_eq!(value("HOME=C:\\Python 3\r\nVersion=3.12\r\n", "home"), Some("C:\\Python 3"));
    assert_eq!(value("home =\nversion_info = 3.11.2.final.0", "home"), None);
    assert_eq!(value("version_info = 3.11.2.final.0", "version_info"), Some("3.11.2.final.0"));
}

#[test]
fn empty_or_missing_directory_is_a_missing_environment() {
    let place = Place::new();
    let environment = place.environment(Platform::CURRENT);
    assert_eq!(environment.inspect().unwrap(), Inspection::Missing);
    fs::create_dir(environment.root()).unwrap();
    assert_eq!(environment.inspect().unwrap(), Inspection::Missing);
    assert_eq!(environment.usable().unwrap(), None);
}

#[test]
fn never_removes_what_is_not_an_environment() {
    let file = Place::new();
    file.write(".venv", "/elsewhere");
    let other = Place::new();
    other.write(".venv/notes.txt", "");
    let tag_only = Place::new();
    tag_only.write(".venv/CACHEDIR.TAG", "");
    tag_only.write(".venv/debug/program", "");
    // `/usr/local` of an image that contains Python.
    let base = Place::new();
    base.write(".venv/bin/activate", "");
    base.program(".venv/bin/python");
    base.write(".venv/lib/python3.11/os.py", "");
    let conda = Place::new();
    conda.write(".venv/conda-meta/history", "");
    conda.write(".venv/bin/activate", "");
    for (place, found) in [
        (file, "it is a file"),
        (other, "it is a directory with other files"),
        (tag_only, "it is a directory with other files"),
        (base, "it is a directory with other files"),
        (conda, "it is a directory with other files"),
    ] {
        let environment = place.environment(Platform::Unix);
        for error in [environment.usable().unwrap_err(), environment.remove().unwrap_err()] {
            assert_eq!(error.code(), "not-an-environment");
            assert_eq!(error.to_string(), format!("`{}` is not an environment: {found}", environment.root()));
        }
        assert!(environment.root().exists());
    }
}

#[test]
fn missing_or_damaged_pyvenv_cfg_is_a_broken_environment() {
    for platform in BOTH {
        let place = Place::new();
        let environment = place.made(platform);
        let configuration = environment.root().join("pyvenv.cfg");
        fs::write(&configuration, "home = /usr/bin\n").unwrap();
        assert_eq!(broken(&environment), "has a `pyvenv.cfg` without `version`");
        fs::write(&configuration, b"version = \xff\xfe\n").unwrap();
        assert_eq!(broken(&environment), "has a `pyvenv.cfg` without `home`");
        fs::remove_file(&configuration).unwrap();
        assert_eq!(broken(&environment), "has no `pyvenv.cfg`");
        fs::create_dir(&configuration).unwrap();
        assert!(broken(&environment).starts_with("has a `pyvenv.cfg` that cannot be read ("));
        environment.remove().unwrap();
        assert!(!environment.root().exists());
    }
}

#[test]
fn partly_created_environment_is_broken() {
    let place = Place::new();
    let environment = place.environment(Platform::Unix);
    place.write(".venv/CACHEDIR.TAG", "");
    assert_eq!(broken(&environment), "has no `pyvenv.cfg`");
    place.write(".venv/.gitignore", "*");
    place.write(".venv/bin/python", "");
    assert_eq!(broken(&environment), "has no `pyvenv.cfg`");
}

#[test]
fn environment_without_python_is_broken() {
    for (platform, python) in [(Platform::Unix, "bin/python"), (Platform::Windows, "Scripts/python.exe")] {
        let place = Place::new();
        let environment = place.made(platform);
        let executable = environment.root().join(python);
        fs::remove_file(&executable).unwrap();
        assert_eq!(broken(&environment), format!("has no `{python}`"));
        fs::create_dir(&executable).unwrap();
        assert_eq!(broken(&environment), format!("has a `{python}` that is not an executable file"));
    }
}

#[test]
fn environment_is_broken_on_windows_if_its_base_python_is_gone() {
    let place = Place::new();
    let environment = place.made(Platform::Windows);
    let home = place.root.join("base");
    fs::remove_dir(&home).unwrap();
    assert_eq!(broken(&environment), format!("was created from the Python in `{home}`, which no longer exists"));
}

#[test]
fn never_removes_an_environment_that_contains_a_project() {
    let place = Place::new();
    let environment = place.made(Platform::CURRENT);
    place.write(".venv/pyproject.toml", "");
    let error = environment.remove().unwrap_err();
    assert_eq!(error.code(), "not-an-environment");
    assert!(environment.root().join("pyvenv.cfg").exists());
}

#[test]
fn removal_also_removes_leftovers_of_earlier_removals_only() {
    let place = Place::new();
    let environment = place.made(Platform::CURRENT);
    place.write(".venv.removed-1/x", "");
    place.write(".venv-cu124/x", "");
    environment.remove().unwrap();
    let left: Vec<_> = place.root.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(place.root.join("base").exists() && place.root.join(".venv-cu124").exists());
    environment.remove().unwrap();
}

#[test]
fn removes_the_content_and_keeps_the_directory() {
    let place = Place::new();
    let environment = place.made(Platform::CURRENT);
    environment.remove_content().unwrap();
    assert_eq!(environment.inspect().unwrap(), Inspection::Missing);
    assert!(environment.root().exists());
}

#[test]
fn reads_back_its_record_and_ignores_a_damaged_one() {
    let place = Place::new();
    let environment = place.made(Platform::CURRENT);
    let file = environment.root().join(".uvenv.json");
    assert_eq!(SyncRecord::read(&environment), None);
    for backend in [Choice::parse("cu124").ok(), None] {
        let record = SyncRecord::new(Profile::Prod, backend, vec!["--no-dev".to_owned()], &environment);
        record.write(&environment).unwrap();
        assert_eq!(SyncRecord::read(&environment), Some(record));
    }
    let place = environment.root();
    let version = crate::VERSION;
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!(
            r#"{{"schema":1,"profile":"prod","backend":null,"selection":["--no-dev"],"place":"{place}","uvenv":"{version}"}}"#
        )
    );
    for damaged in ["", "{", r#"{"schema":2,"profile":"prod","backend":null,"selection":[],"uvenv":"9"}"#, "[]"] {
        fs::write(&file, damaged).unwrap();
        assert_eq!(SyncRecord::read(&environment), None, "{damaged}");
    }
    assert_eq!(environment.names().unwrap().iter().filter(|name| name.contains("uvenv")).count(), 1);
}

#[test]
fn reports_a_record_that_cannot_be_written() {
    let place = Place::new();
    let environment = place.environment(Platform::CURRENT);
    let error = SyncRecord::new(Profile::Dev, None, Vec::new(), &environment).write(&environment).unwrap_err();
    assert_eq!(error.code(), "environment-not-writable");
}

#[test]
fn checking_writability_leaves_no_files() {
    let place = Place::new();
    place.environment(Platform::CURRENT).check_writable().unwrap();
    let environment = place.made(Platform::CURRENT);
    let before = environment.names().unwrap().len();
    environment.check_writable().unwrap();
    assert_eq!(environment.names().unwrap().len(), before);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn reports_broken_and_looping_links() {
        let place = Place::new();
        let environment = place.made(Platform::Unix);
        let python = environment.root().join("bin/python");
        for target in ["/no/such/python3", "python"] {
            fs::remove_file(&python).unwrap();
            symlink(target, &python).unwrap();
            assert_eq!(broken(&environment), format!("has a broken link `bin/python` to `{target}`"));
        }
    }

    #[test]
    fn removing_a_linked_environment_keeps_the_link() {
        let place = Place::new();
        let target = place.made(Platform::Unix);
        let link = Environment::new(place.root.join("link"));
        symlink(target.root(), link.root()).unwrap();
        assert!(matches!(link.inspect().unwrap(), Inspection::Ready(_)));
        link.remove().unwrap();
        assert!(link.root().is_symlink());
        assert_eq!(fs::read_dir(target.root()).unwrap().count(), 0);
        fs::remove_file(link.root()).unwrap();
        for nowhere in ["gone", "link"] {
            symlink(nowhere, link.root()).unwrap();
            assert_eq!(broken(&link), format!("is a broken link to `{nowhere}`"));
            link.remove().unwrap();
            assert!(!link.root().is_symlink());
        }
    }

    #[test]
    fn removal_does_not_follow_links() {
        let place = Place::new();
        let environment = place.made(Platform::Unix);
        place.write("precious/data", "");
        symlink(place.root.join("precious"), environment.root().join("share")).unwrap();
        symlink(place.root.join("precious"), environment.root().join("lib/python3.11/site-packages/b")).unwrap();
        environment.remove_content().unwrap();
        assert!(place.root.join("precious/data").exists());
    }

    #[test]
    fn handles_names_that_are_not_unicode() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

        let place = Place::new();
        let environment = place.made(Platform::Unix);
        let strange = OsStr::from_bytes(b"\xff-1.dist-info");
        fs::create_dir(environment.site_packages().unwrap().as_std_path().join(strange)).unwrap();
        fs::write(environment.root().as_std_path().join(strange), "").unwrap();
        assert_eq!(Distributions::read(&environment).unwrap().iter().count(), 0);
        assert!(matches!(environment.inspect().unwrap(), Inspection::Ready(_)));
        environment.remove().unwrap();
        assert!(!environment.root().exists());
    }

    #[test]
    fn reports_a_path_that_is_too_long() {
        let environment = Environment::new(format!("/{}/.venv", "x".repeat(300)));
        assert_eq!(environment.inspect().unwrap_err().code(), "environment-unreadable");
    }
}
