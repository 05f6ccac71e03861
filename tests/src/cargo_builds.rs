//! Real cargo builds of crates with uvenv-core as a build dependency, without compiling it for each test.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    process::Command,
    sync::OnceLock,
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    Fixture, Invocation, Monorepo,
    programs::{run, scratch},
};

impl Fixture {
    /// `cargo ARGUMENTS` with a linker, a separate target directory ([`Self::target_dir`]) and the tester's downloads.
    pub fn cargo<A: AsRef<OsStr>>(&self, target: &str, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        self.plain_cargo(arguments).env("CARGO_TARGET_DIR", self.target_dir(target))
    }

    fn plain_cargo<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        self.program("cargo", arguments).with_system().env("CARGO_HOME", Self::cargo_home())
    }

    /// A target directory with a compiled uvenv-core.
    pub fn target_dir(&self, name: &str) -> Utf8PathBuf {
        let target = self.temporary().join(name);
        if !target.exists() {
            run(Command::new("cp").args(["-a", compiled().as_str(), target.as_str()]));
        }
        target
    }

    /// Cargo's download directory, outside of the fixture's home so that crates are downloaded only once.
    pub fn cargo_home() -> Utf8PathBuf {
        let home = || Utf8PathBuf::from(env::var("HOME").expect("the tester has a home")).join(".cargo");
        env::var("CARGO_HOME").map_or_else(|_| home(), Utf8PathBuf::from)
    }

    /// The directory of uvenv-core.
    pub fn core_dir() -> Utf8PathBuf {
        Utf8Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("uvenv-core")
    }
}

/// The target directory of a crate with uvenv-core, with default features, as a build dependency.
fn compiled() -> &'static Utf8Path {
    static COMPILED: OnceLock<Utf8PathBuf> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let directory = scratch().join("build-dependency");
        fs::create_dir_all(directory.join("src")).expect("the scratch directory can be written");
        // Two test targets may build it at the same time.
        let lock = File::create(directory.join(".lock")).expect("the scratch directory can be written");
        lock.lock().expect("files can be locked");
        let core = Fixture::core_dir();
        let manifest = format!(
            "[package]\nname = \"seed\"\nedition = \"2024\"\n\n[build-dependencies]\nuvenv-core = {{ path = \"{core}\" }}\n\n\
             [workspace]\n"
        );
        let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", ""), ("build.rs", "fn main() {}\n")];
        for (path, text) in files {
            fs::write(directory.join(path), text).expect("the scratch directory can be written");
        }
        fs::copy(core.with_file_name("Cargo.lock"), directory.join("Cargo.lock")).expect("the workspace has a lockfile");
        // Uses a fixture's variables; otherwise cargo compiles everything in the copies again.
        let fixture = Monorepo::without_uv().build();
        let build = fixture.plain_cargo(["build", "--quiet"]).env("CARGO_TARGET_DIR", directory.join("target"));
        build.within(&directory).ok();
        directory.join("target")
    })
}
