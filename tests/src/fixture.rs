//! A monorepo on disk with its own home, caches and settings.

use std::{ffi::OsStr, fs};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::{
    Environment, Files, Index, Invocation, Uv,
    programs::{answer, cargo_uvenv, git, interpreter, path_entry, python_version, scratch},
};

/// The programs on a fixture's `PATH`; uv is not among them.
pub(crate) const ON_PATH: [&str; 5] = ["git", "cargo", "rustc", "python3", "sh"];

/// A monorepo in a temporary directory, which is deleted when this value is dropped.
#[derive(Debug)]
pub struct Fixture {
    temporary: TempDir,
    uv: Option<Uv>,
}

impl Fixture {
    pub(crate) fn new(uv: Option<Uv>) -> Self {
        let temporary = TempDir::with_prefix("uvenv-").expect("a temporary directory");
        let fixture = Self { temporary, uv };
        for directory in ["repo", "home", "cache", "remotes", "tmp", "etc/uv"] {
            fs::create_dir_all(fixture.temporary().join(directory)).expect("an empty directory");
        }
        // The tools for vendoring are the same for all: each would ask the index for them.
        let tools = scratch().join("vendoring");
        fs::create_dir_all(&tools).expect("a directory for tools");
        #[cfg(unix)]
        std::os::unix::fs::symlink(tools, fixture.cache().join("vendoring")).expect("a link to the tools");
        // uv reads only the first system-wide configuration that it finds, so it ignores that of the machine.
        fs::write(fixture.temporary().join("etc/uv/uv.toml"), "").expect("an empty file");
        fs::write(
            fixture.temporary().join("home/gitconfig"),
            "[user]\nname = Fixture\nemail = fixture@example.com\n[init]\ndefaultBranch = main\n",
        )
        .expect("the home can be written");
        fixture
    }

    /// The temporary directory, which contains the monorepo, home, caches and remotes.
    pub fn temporary(&self) -> Utf8PathBuf {
        let path = self.temporary.path().canonicalize().expect("it exists");
        Utf8PathBuf::from_path_buf(path).expect("UTF-8")
    }

    /// The monorepo's root.
    pub fn root(&self) -> Utf8PathBuf {
        self.temporary().join("repo")
    }

    /// uvenv's own cache.
    pub fn cache(&self) -> Utf8PathBuf {
        self.temporary().join("cache")
    }

    /// The uv that this fixture's uvenv drives.
    pub fn which_uv(&self) -> Option<Uv> {
        self.uv
    }

    /// `cargo-uvenv uvenv ARGUMENTS`, as cargo starts it.
    pub fn uvenv<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        Invocation::new(self, cargo_uvenv()).args(["uvenv"]).args(arguments)
    }

    /// `cargo-uvenv ARGUMENTS`, as in a container without cargo.
    pub fn cargo_uvenv<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        Invocation::new(self, cargo_uvenv()).args(arguments)
    }

    /// `cargo uvenv ARGUMENTS`, through the real cargo.
    pub fn cargo_subcommand<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        let binary = cargo_uvenv().parent().expect("a file has a directory");
        let cargo = path_entry("cargo").join("cargo");
        Invocation::new(self, &cargo).on_path(binary).args(["uvenv"]).args(arguments)
    }

    /// An executable file with arguments.
    pub fn script<A: AsRef<OsStr>>(&self, file: &Utf8Path, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        Invocation::new(self, file).args(arguments)
    }

    /// Plain `uv ARGUMENTS`, with the uv that uvenv drives.
    pub fn uv<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        Invocation::new(self, self.uv.expect("a fixture with a uv").path()).args(arguments)
    }

    /// The program `name` of those on `PATH`.
    pub fn program<A: AsRef<OsStr>>(&self, name: &str, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        Invocation::new(self, &path_entry(name).join(name)).args(arguments)
    }

    /// The environment of a profile, in its usual place.
    pub fn environment(&self, profile: &str) -> Environment {
        Environment::at(self.profile_root(profile).join(".venv"))
    }

    /// The distributions in the base interpreter, which no test may change.
    pub fn in_base_interpreter(&self) -> Vec<String> {
        let list = "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()), sep='\\n')";
        let said = self.program("python3", ["-c", list]).ok();
        said.stdout().lines().map(str::to_owned).collect()
    }

    /// The version of that interpreter, `3.11.7`.
    pub fn python_version(&self) -> &'static str {
        python_version()
    }

    /// The directory of that interpreter.
    pub fn python_home(&self) -> &'static str {
        interpreter().parent().and_then(Utf8Path::parent).expect("`bin/python3` in a directory").as_str()
    }

    /// The text of the lockfile of a profile.
    pub fn lockfile(&self, profile: &str) -> String {
        let path = self.profile_root(profile).join("uv.lock");
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn profile_root(&self, profile: &str) -> Utf8PathBuf {
        if profile == "dev" { self.root() } else { self.root().join(profile) }
    }

    /// Writes a file of the monorepo.
    pub fn write(&self, path: impl AsRef<Utf8Path>, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a file has a directory")).expect("the directory can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Reads a file of the monorepo.
    pub fn read(&self, path: impl AsRef<Utf8Path>) -> String {
        let path = self.root().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Replaces `from`, which must be there, by `to` in a file of the monorepo.
    pub fn replace(&self, path: impl AsRef<Utf8Path>, from: &str, to: &str) {
        let text = self.read(&path);
        assert!(text.contains(from), "no `{from}` in\n{text}");
        self.write(path, text.replace(from, to));
    }

    /// The files of the monorepo, environments included.
    pub fn files(&self) -> Files {
        Files::under(&self.root())
    }

    /// Calls a function that must leave every file of the monorepo unchanged.
    pub fn untouched_by<T>(&self, action: impl FnOnce() -> T) -> T {
        let before = self.files();
        let result = action();
        self.files().assert_eq(&before);
        result
    }

    /// Asserts that a profile's environment has these packages from the commits of this tag.
    pub fn assert_from_tag(&self, profile: &str, tag: &str, packages: &[&str]) {
        let environment = self.environment(profile);
        for package in packages {
            assert_eq!(environment.commit(package), self.tag_commit(package, tag), "{package} in {profile}");
        }
    }

    /// The path of a package's git remote.
    pub fn remote(&self, package: &str) -> Utf8PathBuf {
        self.temporary().join("remotes").join(format!("{package}.git"))
    }

    /// The commit that a tag of a package's remote names.
    pub fn tag_commit(&self, package: &str, tag: &str) -> String {
        let remote = self.remote(package);
        let said = answer(git().args(["-C", remote.as_str(), "rev-parse", &format!("{tag}^{{commit}}")]));
        said.trim().to_owned()
    }

    /// The variables of every command, without `PATH`.
    pub(crate) fn variables(&self) -> Vec<(String, std::ffi::OsString)> {
        let temporary = self.temporary();
        let mut variables = vec![
            ("HOME", temporary.join("home").into_string()),
            ("TMPDIR", temporary.join("tmp").into_string()),
            ("XDG_CONFIG_DIRS", temporary.join("etc").into_string()),
            ("GIT_CONFIG_GLOBAL", temporary.join("home/gitconfig").into_string()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("CARGO_TERM_COLOR", "never".to_owned()),
            ("UVENV_CACHE_DIR", self.cache().into_string()),
            ("UV_CACHE_DIR", scratch().join("uv-cache").into_string()),
            ("PIP_CACHE_DIR", scratch().join("pip-cache").into_string()),
        ];
        if let Some(uv) = self.uv {
            variables.push(("UVENV_UV", uv.path().to_string()));
        }
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .chain(std::env::vars_os().filter_map(|(name, value)| {
                let name = name.into_string().ok()?;
                reaches_the_network(&name).then_some((name, value))
            }))
            .collect()
    }

    pub(crate) fn redactions(&self) -> Vec<(String, &'static str)> {
        let mut redactions = vec![
            (self.temporary().into_string(), "[ROOT]"),
            (self.temporary.path().to_string_lossy().into_owned(), "[ROOT]"),
            (Index::url_if_started(), "[INDEX]"),
            (scratch().to_string(), "[SCRATCH]"),
            (python_version().to_owned(), "[PYTHON]"),
        ];
        if let Some(uv) = self.uv {
            redactions.insert(0, (uv.path().to_string(), "[UV]"));
            redactions.push((uv.version().to_owned(), "[UV_VERSION]"));
        }
        redactions.retain(|(value, _)| !value.is_empty());
        redactions
    }
}

/// Whether the tester's variable controls access to packages: proxies, certificates, pip's index.
fn reaches_the_network(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    upper.ends_with("_PROXY") || upper.starts_with("SSL_CERT_") || upper.starts_with("PIP_")
}
