//! The parts of the example that bind Rust and Python, built with the real cargo, and the page about them.

use uvenv_tests::{Fixture, Invocation};

use super::docs::run_page_after;

/// Cargo's build directory. All checks are one test with one directory, so that dependencies are compiled once.
const BUILD_DIR: &str = "CARGO_BUILD_BUILD_DIR";

/// A program in the example that may start cargo.
fn with_cargo(invocation: Invocation<'_>) -> Invocation<'_> {
    let build_dir = invocation.fixture().cargo_build_dir().join("example");
    invocation.env(BUILD_DIR, build_dir).env("CARGO_HOME", Fixture::cargo_home()).with_system()
}

/// `cargo ARGUMENTS` in the example, with CUDA 12.4.
fn cargo<'a>(repo: &'a Fixture, arguments: &[&str]) -> Invocation<'a> {
    let cargo = repo.program("cargo", arguments.iter().take(1)).args(["--features", "cu124"]);
    with_cargo(cargo.args(&arguments[1..]))
}

/// `cargo uvenv ARGUMENTS` in the example.
fn uvenv<'a>(repo: &'a Fixture, arguments: &[&str]) -> Invocation<'a> {
    with_cargo(repo.uvenv(arguments))
}

#[test]
fn example_binds_rust_and_python() {
    let repo = Fixture::example();
    let (home, build_dir) = (Fixture::cargo_home(), repo.cargo_build_dir().join("example"));
    let script = format!("export CARGO_HOME='{home}' {BUILD_DIR}='{build_dir}'");
    run_page_after(&repo, "examples/hyperbench/BINDINGS.md", &repo.root(), &script);

    a_build_script_runs_a_generator_of_the_workspace(&repo);
    a_program_embeds_the_environment(&repo);
    a_native_package_is_built_for_the_backend(&repo);
}

fn a_build_script_runs_a_generator_of_the_workspace(repo: &Fixture) {
    let cargo = |arguments: &[&str]| cargo(repo, arguments);
    cargo(&["test", "-p", "hyperbench-units", "--lib"]).ok();
    assert_eq!(repo.environment("dev").version("nvidia-cuda-runtime-cu12").as_deref(), Some("12.4.127"));

    cargo(&["build", "-p", "hyperbench-units"]).ok();
    let built = cargo(&["build", "-p", "hyperbench-units", "-v"]).ok();
    assert!(built.stderr().contains("Fresh hyperbench-units"), "{built}");

    // Rust gets another unit from Python.
    let units = "packages/print-utils/src/print_utils/quantities.py";
    repo.replace(units, "((1.0, \"s\"), ", "((60.0, \"min\"), (1.0, \"s\"), ");
    let shown = cargo(&["run", "-q", "-p", "hyperbench-show", "--", "90", "150"]).ok();
    assert!(shown.stdout().contains("  2 min"), "{shown}");
}

fn a_program_embeds_the_environment(repo: &Fixture) {
    let expected = "        seconds
------  -------
mean     258 ms
stdev    239 ms
min     22.5 ms
median   250 ms
max      500 ms

built for CUDA 12.4
";
    let show = ["run", "-q", "-p", "hyperbench-show", "--", "0.25", "0.5", "0.0225"];
    assert_eq!(cargo(repo, &show).ok().stdout(), expected);
    let through_uvenv = ["-q", "run", "--", "cargo", "run", "-q", "-p", "hyperbench-show", "--features", "cu124", "--"];
    let shown = uvenv(repo, &through_uvenv).args(["0.25", "0.5", "0.0225"]);
    assert_eq!(shown.ok().stdout(), expected);
}

fn a_native_package_is_built_for_the_backend(repo: &Fixture) {
    let cuda = ["-q", "run", "--group", "native", "--", "python", "-c", "import bench_kernels as k; print(k.cuda())"];
    for (backend, release) in [("cu124", "12.4\n"), ("cu128", "12.8\n")] {
        uvenv(repo, &["sync", "--group", "native", "--backend", backend]).ok();
        assert_eq!(uvenv(repo, &cuda).ok().stdout(), release);
    }

    // An indirect path dependency of the package.
    repo.replace("crates/hyperbench-kernels/src/cuda.rs", "\"{}.{}\"", "\"CUDA {}.{}\"");
    assert_eq!(uvenv(repo, &cuda).ok().stdout(), "CUDA 12.8\n");
    let again = uvenv(repo, &["sync", "--group", "native", "--backend", "cu128"]).json();
    assert_eq!(again.report("sync-finished")["rebuilt"], serde_json::json!([]));
}
