//! A backend is never lost: not by syncs of packages without it, nor to other programs, nor to a guess.

use uvenv_tests::Fixture;

use super::{backends_only, three_profiles, torch, uv};

/// The installed torch of dev.
fn installed(repo: &Fixture) -> Option<String> {
    repo.environment("dev").version("torch")
}

/// A monorepo in which the root has the backends, and the packages do not.
fn with_packages() -> Fixture {
    let repo = uvenv_tests::Monorepo::new(uv()).package("alpha").package("beta").backends(["cu124", "cu128"]).build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    repo
}

#[test]
fn run_of_a_package_without_backends_removes_nothing() {
    let repo = with_packages();
    let before = repo.environment("dev").distributions();
    let version = ["python", "-c", "import torch; print(torch.__version__)"];
    for (options, variable) in [(&[][..], ""), (&[], "cu124"), (&["--backend", "cu124"], "")] {
        let run = [&["run", "--package", "alpha"], options, &["--"], &version].concat();
        let said = repo.uvenv(run).env("UVENV_BACKEND", variable).ok();
        assert_eq!(said.stdout(), "2.6.0+cu124\n");
        assert_eq!(repo.environment("dev").distributions(), before);
    }
    // The environment still has its backend.
    assert_eq!(repo.uvenv([&["run", "--"], &version[..]].concat()).ok().stdout(), "2.6.0+cu124\n");
    let other = ["run", "--package", "alpha", "--backend", "cu128", "--", "python", "-V"];
    let refusal = repo.untouched_by(|| repo.uvenv(other).refused("package-without-backend"));
    refusal.names(["alpha", "cu128", ".venv"]).helps(["cargo uvenv sync --profile dev --backend cu128"]);
}

#[test]
fn sync_of_a_package_without_backends_is_rejected_where_it_would_remove_one() {
    let repo = with_packages();
    let before = repo.environment("dev").distributions();
    let refusal = repo.untouched_by(|| repo.uvenv(["sync", "--package", "alpha"]).refused("package-without-backend"));
    refusal.names(["alpha", "cu124"]).helps(["--inexact", "--backend none"]);
    repo.uvenv(["sync", "--package", "alpha", "--", "--inexact"]).ok();
    assert_eq!(repo.environment("dev").distributions(), before);
    repo.uvenv(["sync", "--package", "alpha", "--backend", "none"]).ok();
    assert_eq!(installed(&repo), None);
    // There is no backend to lose now.
    repo.uvenv(["sync", "--package", "alpha"]).ok();
}

#[test]
fn sync_of_a_package_is_rejected_in_an_environment_that_only_uv_has_synced() {
    let repo = with_packages();
    std::fs::remove_dir_all(repo.environment("dev").path()).unwrap();
    repo.uv(["sync", "--extra", "cu124"]).ok();
    repo.untouched_by(|| repo.uvenv(["sync", "--package", "alpha"]).refused("package-without-backend"));
    repo.uvenv(["run", "--package", "alpha", "--", "python", "-V"]).ok();
    assert_eq!(installed(&repo), Some(torch("cu124")));
}

#[test]
fn run_of_a_package_does_not_replace_what_the_backend_may_need() {
    let repo = with_packages();
    repo.replace("packages/alpha/pyproject.toml", "dependencies = []", "dependencies = [\"six==1.17.0\"]");
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    repo.uv(["pip", "install", "six==1.16.0"]).ok();
    let run = ["run", "--package", "alpha", "--", "python", "-V"];
    let refusal = repo.untouched_by(|| repo.uvenv(run).refused("package-without-backend"));
    refusal.names(["alpha", "six"]).helps(["cargo uvenv sync --profile dev --backend"]);
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    repo.uvenv(run).ok();
}

/// A workspace whose root is a project without backends, and whose member `models` has them.
fn with_member_backends() -> Fixture {
    let repo = backends_only().build();
    let models = repo.read("pyproject.toml").replace("\"bench\"", "\"models\"");
    repo.write("models/pyproject.toml", models);
    repo.write(
        "pyproject.toml",
        "[project]\nname = \"bench\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\n[tool.uv]\npackage = false\n\n\
         [tool.uv.workspace]\nmembers = [\"models\"]\n",
    );
    repo
}

#[test]
fn sync_of_a_root_without_backends_keeps_that_of_a_member() {
    let repo = with_member_backends();
    repo.uvenv(["sync", "--package", "models", "--backend", "cu124"]).ok();
    assert_eq!(installed(&repo), Some(torch("cu124")));
    let refusal = repo.untouched_by(|| repo.uvenv(["sync"]).refused("package-without-backend"));
    refusal.names(["bench", "cu124"]);
    repo.uvenv(["run", "--", "python", "-V"]).ok();
    assert_eq!(installed(&repo), Some(torch("cu124")));
    repo.uvenv(["run", "--package", "models", "--", "python", "-V"]).ok();
    assert_eq!(installed(&repo), Some(torch("cu124")));
    repo.uvenv(["sync", "--backend", "none"]).ok();
    assert_eq!(installed(&repo), None);
    repo.uvenv(["sync"]).ok();
}

#[test]
fn sync_of_a_member_without_backends_keeps_that_of_another() {
    let repo = with_member_backends();
    let members = repo.read("pyproject.toml").replace("[\"models\"]", "[\"models\", \"plain\"]");
    repo.write("pyproject.toml", members);
    let plain = "[project]\nname = \"plain\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n";
    repo.write("plain/pyproject.toml", plain.to_owned() + "\n[tool.uv]\npackage = false\n");
    repo.uvenv(["sync", "--package", "models", "--backend", "cu124"]).ok();
    let refusal = repo.untouched_by(|| repo.uvenv(["sync", "--package", "plain"]).refused("package-without-backend"));
    refusal.names(["plain", "cu124"]);
    repo.uvenv(["run", "--package", "plain", "--", "python", "-V"]).ok();
    assert_eq!(installed(&repo), Some(torch("cu124")));
}

/// The extras of test runs, which include the backends, and the sets that make them all exclusive.
fn with_variants() -> Fixture {
    let repo = backends_only().build();
    let extras = "cu128 = [\"torch==2.6.0\"]\n";
    repo.replace(
        "pyproject.toml",
        extras,
        &format!("{extras}test-cu124 = [\"bench[cu124]\"]\ntest-cu128 = [\"bench[cu128]\"]\n"),
    );
    let pair = |a: &str, b: &str| format!("[{{ extra = \"{a}\" }}, {{ extra = \"{b}\" }}]");
    let pairs = [
        pair("cu124", "cu128"),
        pair("test-cu124", "test-cu128"),
        pair("cu124", "test-cu128"),
        pair("cu128", "test-cu124"),
    ];
    repo.replace(
        "pyproject.toml",
        &format!("conflicts = [{}]", pair("cu124", "cu128")),
        &format!("conflicts = [{}]", pairs.join(", ")),
    );
    repo
}

#[test]
fn extras_that_include_a_backend_select_it() {
    let repo = with_variants();
    repo.untouched_by(|| repo.uvenv(["sync"]).refused("backend-required")).names(["cu124", "cu128"]);
    let finished = repo.uvenv(["sync", "--extra", "test-cu124"]).json().report("sync-finished");
    assert_eq!((finished["backend"].as_str(), installed(&repo)), (Some("cu124"), Some(torch("cu124"))));
    repo.untouched_by(|| repo.uvenv(["sync"]).refused("backend-required"));
    repo.uvenv(["run", "--", "python", "-V"]).ok();
    assert_eq!(installed(&repo), Some(torch("cu124")));
    let both = ["sync", "--backend", "cu128", "--extra", "test-cu124"];
    repo.untouched_by(|| repo.uvenv(both).refused("backend-conflict")).names(["cu124", "cu128"]);
}

#[test]
fn unclear_backends_are_rejected_until_the_configuration_names_them() {
    let repo = backends_only().build();
    repo.replace("pyproject.toml", "cu124 = [\"torch==2.6.0\"]", "cpu = []\ncu124 = [\"torch==2.6.0\"]");
    repo.replace(
        "pyproject.toml",
        "[[{ extra = \"cu124\" }, { extra = \"cu128\" }]]",
        "[[{ extra = \"cu124\" }, { extra = \"cu128\" }], [{ extra = \"cpu\" }, { extra = \"cu128\" }]]",
    );
    repo.uv(["sync", "--extra", "cu124"]).ok();
    for command in
        [&["sync"][..], &["sync", "--backend", "cu124"], &["run", "--", "python", "-V"], &["backend", "list"]]
    {
        let refusal = repo.untouched_by(|| repo.uvenv(command).refused("unclear-backends"));
        refusal.names(["cu124", "cu128", "cpu"]).helps(["backends = ["]).points_to("pyproject.toml", 14);
    }
    repo.uvenv(["check"]).ends(1);
    repo.write("pyproject.toml", repo.read("pyproject.toml") + "\n[tool.uvenv]\nbackends = [\"cu124\", \"cu128\"]\n");
    repo.untouched_by(|| repo.uvenv(["sync"]).refused("backend-required"));
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    assert_eq!(installed(&repo), Some(torch("cu124")));
}

#[test]
fn notices_a_backend_that_uv_has_changed() {
    let repo = backends_only().build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    repo.uv(["sync", "--extra", "cu128"]).ok();
    let status = repo.uvenv(["status"]).json().report("status");
    let environment = &status["profiles"][0]["environments"][0];
    assert_eq!(environment["state"], "out-of-sync", "{status}");
    assert!(environment["detail"].as_str().is_some_and(|detail| detail.contains("`cu128`")), "{status}");
    let refusal = repo.untouched_by(|| repo.uvenv(["run", "--", "python", "-V"]).refused("backend-changed"));
    refusal.names(["cu124", "cu128"]).helps(["--backend cu124", "--backend cu128"]);
    let said = repo.uvenv(["sync", "--backend", "cu124"]).ok();
    assert!(said.stderr().contains("warning[backend-changed]"), "{said}");
    let said = repo.uvenv(["sync", "--backend", "cu124"]).ok();
    assert!(!said.stderr().contains("warning"), "{said}");
    assert_eq!(installed(&repo), Some(torch("cu124")));
}

#[test]
fn installs_a_backend_again_that_uv_has_removed() {
    let repo = backends_only().build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    repo.uv(["sync"]).ok();
    assert_eq!(installed(&repo), None);
    let said = repo.uvenv(["run", "--", "python", "-V"]).ok();
    assert!(said.stderr().contains("warning[backend-changed]"), "{said}");
    assert_eq!(installed(&repo), Some(torch("cu124")));
}

#[test]
fn another_package_in_the_environment_does_not_change_its_backend() {
    let repo = backends_only().build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    repo.uv(["pip", "install", "six"]).ok();
    let said = repo.uvenv(["run", "--", "python", "-c", "import six, torch; print(torch.__version__)"]).ok();
    assert_eq!((said.stdout(), said.stderr().contains("warning")), ("2.6.0+cu124\n", false), "{said}");
}

#[test]
fn commands_that_sync_nothing_check_the_named_backend() {
    let repo = backends_only().build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    for command in [&["run", "--no-sync", "--backend"][..], &["env", "--backend"]] {
        let with = |backend| {
            let end: &[&str] = if command[0] == "run" { &["--", "python", "-V"] } else { &[] };
            repo.uvenv([command, &[backend], end].concat())
        };
        with("cu124").ok();
        with("nonsense").refused("unknown-backend");
        with("cu128").refused("other-backend").names(["cu124", "cu128"]).helps(["cargo uvenv sync --profile dev"]);
        with("none").refused("other-backend");
    }
}

#[test]
fn backend_of_one_environment_is_no_request_for_another() {
    let repo = three_profiles().build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    for profile in ["staging", "prod"] {
        repo.uvenv(["lock", "--profile", profile]).ok();
    }
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu128"]).ok();
    let variables = ["-c", "import os; print(os.environ['UVENV_BACKEND'], os.environ['UVENV_ENVIRONMENT'])"];
    let said = repo.uvenv([&["run", "--profile", "prod", "--", "python"], &variables[..]].concat()).ok();
    let (backend, environment) = said.stdout().trim().split_once(' ').unwrap();
    assert_eq!((backend, environment), ("cu128", repo.environment("prod").path().as_str()));
    let within = |arguments: &[&str]| {
        let invocation = repo.uvenv(arguments);
        invocation.env("UVENV_PROFILE", "prod").env("UVENV_BACKEND", backend).env("UVENV_ENVIRONMENT", environment)
    };
    within(&["sync"]).ok();
    repo.untouched_by(|| within(&["sync", "--profile", "dev"]).refused("backend-required")).names([environment]);
    within(&["run", "--profile", "dev", "--", "python", "-V"]).ok();
    assert_eq!(installed(&repo), Some(torch("cu124")));
    // Another value than that of the environment is a request.
    within(&["sync", "--profile", "dev"]).env("UVENV_BACKEND", "none").ok();
    assert_eq!(installed(&repo), None);
}
