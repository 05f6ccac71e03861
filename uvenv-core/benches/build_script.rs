//! What a build script waits for in which nothing is to be done, against `uv sync`, in a monorepo of four packages:
//! `cargo bench -p uvenv-core --bench build_script`. uv is the one that `UVENV_UV` names, or that is on `PATH`.
#![expect(clippy::disallowed_methods, reason = "it starts uv, and itself as a build script")]
#![expect(clippy::print_stderr, reason = "on stdout, it talks to cargo")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use uvenv_core::build_script::Sync;

/// How often each of the two runs, in turn.
const RUNS: usize = 101;

/// The directory of the monorepo, in the process that is the build script.
const ROOT: &str = "UVENV_BENCH_ROOT";

fn main() {
    match env::var_os(ROOT) {
        Some(root) => measure(&PathBuf::from(root)),
        None => start(),
    }
}

/// Starts this program as cargo starts a build script.
fn start() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().canonicalize().expect("it exists");
    lay_out(&root);
    let (package, out_dir) = (root.join("crates/app"), root.join("target/debug/build/app-0/out"));
    let mut script = Command::new(env::current_exe().expect("this program"));
    script.current_dir(&package).stdout(Stdio::null());
    script.env(ROOT, &root).env("CARGO_MANIFEST_DIR", &package).env("CARGO_PKG_NAME", "app").env("OUT_DIR", out_dir);
    // What this cargo says is not about that crate.
    script.env("UVENV_CACHE_DIR", root.join("cache")).env_remove("CARGO_MANIFEST_LINKS");
    assert!(script.status().expect("it starts").success());
}

fn measure(root: &Path) {
    let uv = env::var_os("UVENV_UV").unwrap_or_else(|| "uv".into());
    let ours = || {
        let start = Instant::now();
        Sync::new().run().expect("it can be synced");
        start.elapsed()
    };
    let theirs = || {
        let start = Instant::now();
        let done = Command::new(&uv).args(["sync", "--quiet", "--inexact"]).current_dir(root).status();
        assert!(done.expect("uv").success());
        start.elapsed()
    };
    // What was written a moment ago is read each time, and trusted after two seconds.
    for _ in 0..3 {
        ours();
    }
    thread::sleep(Duration::from_millis(2_500));
    let _ = (ours(), theirs());
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = (0..RUNS).map(|_| (ours(), theirs())).unzip();
    let [ours, theirs] = [&mut ours, &mut theirs].map(|times| {
        times.sort();
        times[RUNS / 2].as_secs_f64() * 1e3
    });
    eprintln!("build_script::Sync {ours:.2} ms, uv sync {theirs:.2} ms, ratio {:.3} (at most 0.05)", ours / theirs);
}

fn lay_out(root: &Path) {
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    let project =
        |name: &str| format!("[project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.10\"\n");
    let names = ["one", "two", "three", "four"];
    let sources = names.map(|name| format!("{name} = {{ workspace = true }}\n")).concat();
    let root_manifest = format!(
        "{}dependencies = {names:?}\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n[tool.uv.sources]\n{sources}",
        project("bench")
    );
    write("pyproject.toml", &root_manifest);
    for name in names {
        let build = "[build-system]\nrequires = [\"uv_build>=0.7,<1\"]\nbuild-backend = \"uv_build\"\n";
        write(&format!("packages/{name}/pyproject.toml"), &(project(name) + build));
        write(&format!("packages/{name}/src/{name}/__init__.py"), "");
    }
    write("crates/app/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("target/debug/build/app-0/out/empty", "");
}
