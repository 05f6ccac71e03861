//! What a build script pays for `uvenv-core`: its cold build with default features, against that of a crate that depends on
//! `cargo_metadata`, `toml_edit`, `serde`, `thiserror` and `camino` alone, in the same versions and with the same profile.
//!
//! `cargo bench -p uvenv-core --bench build_cost` builds both in turn, a few times, and fails if the budget is exceeded.
//! Beside that it shows what a crate with a build script waits for: uvenv-core as a build-dependency, alone, and beside
//! `cc` and `pyo3-build-config`, against those two without it.
#![expect(clippy::disallowed_methods, reason = "it starts cargo")]
#![expect(clippy::print_stdout, reason = "it has figures to show")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

const CORE: &str = env!("CARGO_MANIFEST_DIR");

/// What the budget is measured against.
const BASELINE: [&str; 5] = ["cargo_metadata", "toml_edit", "serde", "thiserror", "camino"];

/// How much more the core may cost.
const BUDGET: f64 = 1.6;

const RUNS: usize = 5;

/// Common build-dependencies of crates that bind Python or C.
const OTHERS: [&str; 2] = ["cc = \"1\"", "pyo3-build-config = \"0.30\""];
const OTHER_NAMES: &str = "cc and pyo3-build-config";

fn main() -> ExitCode {
    let uvenv = format!("uvenv-core = {{ path = {CORE:?} }}");
    let locked = BASELINE.map(|name| format!("{name} = \"={}\"", locked_version(name)));
    let baseline = Project::new("baseline", "dependencies", &locked);
    let core = Project::new("core", "dependencies", std::slice::from_ref(&uvenv));
    let mut ratios = Vec::new();
    for run in 1..=RUNS {
        // One right after the other, so that whatever else the machine does weighs on both.
        let (baseline, core) = (baseline.build().as_secs_f64(), core.build().as_secs_f64());
        println!("run {run}: baseline {baseline:.2} s, uvenv-core {core:.2} s, ratio {:.2}", core / baseline);
        ratios.push(core / baseline);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[RUNS / 2];
    println!("median ratio {median:.2}, of {BUDGET} allowed");
    build_dependencies(uvenv);
    if median <= BUDGET { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is compiled before a build script can run, all else being equal.
fn build_dependencies(uvenv: String) {
    let others = OTHERS.map(str::to_owned).to_vec();
    let all = [others.as_slice(), std::slice::from_ref(&uvenv)].concat();
    for (name, dependencies) in [("uvenv-core", vec![uvenv]), (OTHER_NAMES, others), ("all three", all)] {
        let project = Project::new(&name.replace(' ', "-"), "build-dependencies", &dependencies);
        let mut seconds: Vec<_> = (0..RUNS).map(|_| project.build().as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        println!("build-dependencies {name}: {:.2} s cold, the median of {RUNS}", seconds[RUNS / 2]);
    }
}

/// A crate with nothing but dependencies.
struct Project(PathBuf);

impl Project {
    fn new(name: &str, table: &str, dependencies: &[String]) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-cost").join(name);
        fs::create_dir_all(directory.join("src")).expect("the target directory can be written");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[{table}]\n{}\n\n[workspace]\n",
            dependencies.join("\n")
        );
        fs::write(directory.join("Cargo.toml"), manifest).expect("the target directory can be written");
        fs::write(directory.join("src/lib.rs"), "").expect("the target directory can be written");
        if table == "build-dependencies" {
            // Without one, cargo builds no build-dependencies.
            fs::write(directory.join("build.rs"), "fn main() {}\n").expect("the target directory can be written");
        }
        fs::copy(lockfile(), directory.join("Cargo.lock")).expect("the workspace has a lockfile");
        let project = Self(directory);
        project.cargo(&["fetch"]);
        project
    }

    /// Builds everything anew.
    fn build(&self) -> Duration {
        // There is none before the first run.
        let _ = fs::remove_dir_all(self.target());
        let start = Instant::now();
        self.cargo(&["build", "--offline"]);
        start.elapsed()
    }

    fn cargo(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).arg("--quiet").current_dir(&self.0).env("CARGO_TARGET_DIR", self.target());
        // As cargo builds what comes from a registry or from git; only crates on disk are compiled incrementally.
        command.env("CARGO_INCREMENTAL", "0");
        assert!(command.status().expect("cargo starts").success(), "{command:?} failed");
    }

    fn target(&self) -> PathBuf {
        self.0.join("target")
    }
}

fn lockfile() -> PathBuf {
    Path::new(CORE).with_file_name("Cargo.lock")
}

fn locked_version(name: &str) -> String {
    let text = fs::read_to_string(lockfile()).expect("the workspace has a lockfile");
    let found = text.split_once(&format!("name = \"{name}\"\nversion = \"")).and_then(|(_, rest)| rest.split_once('"'));
    found.unwrap_or_else(|| panic!("`{name}` is not in the lockfile")).0.to_owned()
}
