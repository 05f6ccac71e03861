//! What `import uvenv` costs over the bare interpreter, and `uvenv.sync()` with nothing to do against `uv sync` as a
//! subprocess, for each CPython of this machine: `cargo bench -p uvenv-tests --bench python`.
//!
//! The wheel is compiled as for publication. What is compared runs in turn, so that whatever else the machine does weighs on
//! both; the medians count.
#![expect(clippy::print_stdout, reason = "it has figures to show")]

use std::time::Instant;

use uvenv_tests::{Build, Cpython, PythonHome};

/// How often each program is started.
const RUNS: usize = 101;

/// The package is imported without its parts; these follow when they are first used.
const SCRIPTS: [&str; 3] = ["pass", "import uvenv", "import uvenv; uvenv.sync"];

fn main() {
    let with_home = |cpython| (cpython, PythonHome::with_wheel(cpython, Build::Release, &[]));
    let homes: Vec<(&Cpython, PythonHome)> = Cpython::all().iter().map(with_home).collect();
    println!("the start of a CPython, the median of {RUNS}: bare, and what more {:?} take", &SCRIPTS[1..]);
    for (cpython, home) in &homes {
        start(cpython, home);
    }
    println!("\nnothing to do, in one process: the medians, and that of uvenv.sync() as a part of the other");
    for (cpython, home) in &homes {
        sync(cpython, home);
    }
}

fn start(cpython: &Cpython, home: &PythonHome) {
    let measure = |script: &str| {
        let started = Instant::now();
        home.program("python", ["-I", "-c", script]).ok();
        started.elapsed().as_secs_f64() * 1e3
    };
    // The first round does not count: it writes bytecode.
    let rounds: Vec<_> = (0..=RUNS).map(|_| SCRIPTS.map(measure)).skip(1).collect();
    let [bare, import, first_use] = [0, 1, 2].map(|script| median(rounds.iter().map(|round| round[script]).collect()));
    println!("{:>10}  {bare:6.2} ms  {:+6.2} ms  {:+6.2} ms", cpython.version, import - bare, first_use - bare);
}

fn sync(cpython: &Cpython, home: &PythonHome) {
    let root = home.machine().temporary().join("bench");
    home.program("cargo-uvenv", ["new", root.as_str(), "--local-remotes"]).ok();
    let said = home.program("python", ["-c", include_str!("sync.py")]).within(&root).ok();
    print!("{:>10}  {}", cpython.version, said.stdout());
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
