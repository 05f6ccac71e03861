//! The options that select what is installed.

use std::collections::BTreeMap;

use uvenv_tests::{Fixture, Index, Uv};

use super::{PACKAGES, empty, torch, uv};

/// A root that requires `base-utils`, has `plot-utils` as an extra, `test-utils` as the default group and `docs-utils` as
/// another group; all are members.
fn with_extras_and_groups() -> Fixture {
    let names = ["base-utils", "docs-utils", "plot-utils", "test-utils"];
    let sources = names.map(|name| format!("{name} = {{ workspace = true }}\n")).concat();
    let manifest = "[project]\nname = \"bench\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\
                    dependencies = [\"base-utils\"]\n\n\
                    [project.optional-dependencies]\nplots = [\"plot-utils\"]\n\n\
                    [dependency-groups]\ndev = [\"test-utils\"]\ndocs = [\"docs-utils\"]\n\n\
                    [tool.uv]\npackage = false\n\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n\n[tool.uv.sources]\n";
    let packages = names.into_iter().fold(empty(), uvenv_tests::Monorepo::package);
    packages.file("pyproject.toml", manifest.to_owned() + &sources).build()
}

/// The distributions in the dev environment.
fn installed(repo: &Fixture) -> Vec<String> {
    repo.environment("dev").distributions().into_keys().collect()
}

/// The distributions in the dev environment after a sync with these arguments.
fn synced(repo: &Fixture, arguments: &[&str]) -> Vec<String> {
    repo.uvenv(["sync"]).args(arguments).ok();
    installed(repo)
}

#[test]
fn adds_extras_and_groups() {
    let repo = with_extras_and_groups();
    assert_eq!(synced(&repo, &[]), ["base-utils", "test-utils"]);
    assert_eq!(synced(&repo, &["--extra", "plots"]), ["base-utils", "plot-utils", "test-utils"]);
    assert_eq!(synced(&repo, &["--group", "docs"]), ["base-utils", "docs-utils", "test-utils"]);
    assert_eq!(synced(&repo, &["--no-default-groups"]), ["base-utils"]);
    let all = ["--extra", "Plots", "--group", "docs", "--no-default-groups"];
    assert_eq!(synced(&repo, &all), ["base-utils", "docs-utils", "plot-utils"]);
}

#[test]
fn syncs_members_instead_of_the_root() {
    let repo = with_extras_and_groups();
    assert_eq!(synced(&repo, &["--package", "docs-utils"]), ["docs-utils"]);
    // The oldest uv accepts only one `--package`.
    let two = ["--package", "docs-utils", "--package", "base_utils"];
    match uv() {
        Uv::Newest => assert_eq!(synced(&repo, &two), ["base-utils", "docs-utils"]),
        Uv::Oldest => drop(repo.uvenv(["sync"]).args(two).fails("uv-failed")),
    }
    let all = ["base-utils", "docs-utils", "plot-utils", "test-utils"];
    assert_eq!(synced(&repo, &["--all-packages"]), all);
    let refusal = repo.untouched_by(|| repo.uvenv(["sync", "--package", "doc-utils"]).refused("unknown-package"));
    refusal.names(["doc-utils", "pyproject.toml"]).helps(["docs-utils"]);
    assert_eq!(installed(&repo), all);
}

#[test]
fn shows_uvs_error_for_an_unknown_extra_or_group() {
    let repo = with_extras_and_groups();
    repo.uvenv(["sync"]).ok();
    for flag in ["--extra", "--group"] {
        let told = repo.untouched_by(|| repo.uvenv(["sync", flag, "plot"]).ends(1));
        assert!(told.stderr().contains("`plot`") && told.stderr().contains("error[uv-failed]"), "{told}");
    }
}

#[test]
fn passes_arguments_after_two_dashes_to_uv() {
    let repo = with_extras_and_groups();
    repo.uvenv(["sync"]).ok();
    let is_editable = || {
        let url = repo.environment("dev").direct_url("base-utils").unwrap();
        url["dir_info"]["editable"].as_bool().unwrap_or(false)
    };
    assert!(is_editable());
    assert_eq!(synced(&repo, &["--", "--no-editable"]), ["base-utils", "test-utils"]);
    assert!(!is_editable());
    assert_eq!(synced(&repo, &["--", "--no-install-package", "test-utils"]), ["base-utils"]);
    assert_eq!(synced(&repo, &["--", "--only-group", "docs"]), ["docs-utils"]);
    let told = repo.uvenv(["sync", "--", "--no-such-option"]).ends(1);
    assert!(told.stderr().contains("--no-such-option"), "{told}");
}

#[test]
fn python_option_selects_the_interpreter() {
    let repo = empty().build();
    let minor = repo.python_version().rsplit_once('.').unwrap().0;
    let finished = repo.uvenv(["sync", "--python", minor]).json().report("sync-finished");
    assert_eq!(finished["python"]["version"], repo.python_version());
    let python = repo.environment("dev").python();
    repo.untouched_by(|| repo.uvenv(["sync", "--python", "2.7"]).ends(1));
    repo.untouched_by(|| repo.uvenv(["sync"]).env("UV_PYTHON", "2.7").ends(1));
    repo.uvenv(["sync", "--python", python.as_str()]).ok();
    let told = repo.untouched_by(|| repo.uvenv(["sync", "--python", "/nowhere/python3"]).ends(1));
    assert!(told.stderr().contains("/nowhere/python3"), "{told}");
}

#[test]
fn run_adds_extras_and_keeps_installed_packages() {
    let repo = with_extras_and_groups();
    repo.uvenv(["run", "--extra", "plots", "--", "python", "-c", "import base_utils, plot_utils, test_utils"]).ok();
    // Without the extra, because run adds packages and does not remove any.
    repo.uvenv(["run", "--", "python", "-c", "import plot_utils"]).ok();
    assert_eq!(installed(&repo), ["base-utils", "plot-utils", "test-utils"]);
    assert_eq!(synced(&repo, &[]), ["base-utils", "test-utils"]);
}

#[test]
fn run_no_sync_uses_the_environment_unchanged() {
    let repo = with_extras_and_groups();
    let look = ["run", "--no-sync", "--", "python", "-c", "import base_utils"];
    repo.untouched_by(|| repo.uvenv(look).refused("missing-environment")).helps(["cargo uvenv sync"]);
    repo.uvenv(["sync", "--no-default-groups"]).ok();
    repo.replace("pyproject.toml", "dependencies = [\"base-utils\"]", "dependencies = []");
    repo.untouched_by(|| repo.uvenv(look).ok());
}

/// A manifest whose backends are dependency groups, one of which is a default group.
fn with_group_backends() -> Fixture {
    let indexes = ["cu124", "cu128"].map(|backend| {
        let url = Index::url(backend);
        format!("\n[[tool.uv.index]]\nname = \"pytorch-{backend}\"\nurl = \"{url}\"\nexplicit = true\n")
    });
    let manifest = "[project]\nname = \"bench\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\ndependencies = []\n\n\
                    [dependency-groups]\ndev = [\"test-utils\"]\ncu124 = [\"torch==2.6.0\"]\ncu128 = [\"torch==2.6.0\"]\n\n\
                    [tool.uv]\npackage = false\ndefault-groups = [\"dev\", \"cu124\"]\n\
                    conflicts = [[{ group = \"cu124\" }, { group = \"cu128\" }]]\n\n\
                    [tool.uv.workspace]\nmembers = [\"packages/*\"]\n\n\
                    [tool.uv.sources]\ntest-utils = { workspace = true }\n\
                    torch = [{ index = \"pytorch-cu124\", group = \"cu124\" }, { index = \"pytorch-cu128\", group = \"cu128\" }]\n";
    empty().package("test-utils").file("pyproject.toml", manifest.to_owned() + &indexes.concat()).build()
}

#[test]
fn backend_group_replaces_the_default_group() {
    let repo = with_group_backends();
    repo.uv(["lock"]).ok();
    let told = repo.uv(["sync", "--group", "cu128"]).run();
    assert_ne!(told.status(), Some(0), "uv alone keeps the default group: {told}");
    repo.untouched_by(|| repo.uvenv(["sync"]).refused("backend-required")).names(["cu124", "cu128"]);
    for backend in ["cu128", "cu124"] {
        assert_eq!(synced(&repo, &["--backend", backend]), ["test-utils", "torch"]);
        assert_eq!(repo.environment("dev").version("torch"), Some(torch(backend)));
    }
    assert_eq!(synced(&repo, &["--group", "cu128"]), ["test-utils", "torch"]);
    assert_eq!(repo.environment("dev").version("torch"), Some(torch("cu128")));
    repo.uvenv(["run", "--", "python", "-c", "import torch.only_cu128"]).ok();
    assert_eq!(synced(&repo, &["--backend", "none"]), ["test-utils"]);
    assert_eq!(synced(&repo, &["--backend", "cu128", "--no-default-groups"]), ["torch"]);
}

/// A root whose extras forward to the extras of the member `kernels`.
fn with_forwarded_extras() -> Fixture {
    let indexes = ["cu124", "cu128"].map(|backend| {
        let url = Index::url(backend);
        format!("\n[[tool.uv.index]]\nname = \"pytorch-{backend}\"\nurl = \"{url}\"\nexplicit = true\n")
    });
    let member = "[project]\nname = \"kernels\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\n\
                  [project.optional-dependencies]\ncu124 = [\"torch==2.6.0\"]\ncu128 = [\"torch==2.6.0\"]\n\n\
                  [build-system]\nrequires = [\"uv_build>=0.7.16,<0.14\"]\nbuild-backend = \"uv_build\"\n\n\
                  [tool.uv.sources]\n\
                  torch = [{ index = \"pytorch-cu124\", extra = \"cu124\" }, { index = \"pytorch-cu128\", extra = \"cu128\" }]\n";
    let root = "[project]\nname = \"bench\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\ndependencies = [\"kernels\"]\n\n\
                [project.optional-dependencies]\ncu124 = [\"kernels[cu124]\"]\ncu128 = [\"kernels[cu128]\"]\n\n\
                [tool.uv]\npackage = false\n\
                conflicts = [\n  [{ extra = \"cu124\" }, { extra = \"cu128\" }],\n  \
                [{ package = \"kernels\", extra = \"cu124\" }, { package = \"kernels\", extra = \"cu128\" }],\n]\n\n\
                [tool.uv.workspace]\nmembers = [\"packages/*\"]\n\n[tool.uv.sources]\nkernels = { workspace = true }\n";
    empty()
        .file("packages/kernels/pyproject.toml", member.to_owned())
        .file("packages/kernels/src/kernels/__init__.py", "")
        .file("pyproject.toml", root.to_owned() + &indexes.concat())
        .build()
}

#[test]
fn backend_extra_may_forward_to_a_member_extra() {
    let repo = with_forwarded_extras();
    repo.uvenv(["sync"]).refused("backend-required").names(["cu124", "cu128"]);
    for backend in ["cu124", "cu128"] {
        assert_eq!(synced(&repo, &["--backend", backend]), ["kernels", "torch"]);
        assert_eq!(repo.environment("dev").version("torch"), Some(torch(backend)));
    }
    assert_eq!(synced(&repo, &["--package", "kernels", "--backend", "cu124"]), ["kernels", "torch"]);
    assert_eq!(repo.environment("dev").version("torch"), Some(torch("cu124")));
    let said = repo.uvenv(["backend", "list"]).ok();
    assert!(said.stdout().contains("12.4") && said.stdout().contains("12.8"), "{said}");
}

#[test]
fn profile_without_backends_syncs_without_a_backend() {
    let repo = super::pinned().build();
    let backends = super::backends_only().build();
    // dev has backends, prod has none.
    let dev = backends
        .read("pyproject.toml")
        .replace("[tool.uv.sources]\n", "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n\n[tool.uv.sources]\n");
    repo.write("pyproject.toml", dev);
    repo.uvenv(["sync"]).refused("backend-required");
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["sync", "--profile", "prod"]).ok();
    repo.assert_from_tag("prod", "v0.1.2", &PACKAGES);
    // The variable for other profiles has no effect there.
    let finished = repo.uvenv(["sync", "--profile", "prod"]).env("UVENV_BACKEND", "cu124").json();
    let finished = finished.report("sync-finished");
    assert!(finished["backend"].is_null(), "{finished}");
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).refused("unknown-backend").names(["prod/"]);
}

#[test]
fn upgrades_one_package_or_all() {
    let repo = empty().build();
    repo.replace("pyproject.toml", "dependencies = []", "dependencies = [\"idna<3.5\", \"six<1.16\"]");
    repo.uvenv(["lock"]).ok();
    repo.replace("pyproject.toml", "\"idna<3.5\", \"six<1.16\"", "\"idna\", \"six\"");
    let versions = |arguments: &[&str]| -> BTreeMap<String, (String, String)> {
        let finished = repo.uvenv(["lock"]).args(arguments).json().report("lock-finished");
        let changed = finished["packages"].as_array().unwrap().iter();
        let text = |value: &serde_json::Value| value[0].as_str().unwrap().to_owned();
        changed.map(|c| (c["name"].as_str().unwrap().to_owned(), (text(&c["from"]), text(&c["to"])))).collect()
    };
    assert!(versions(&[]).is_empty(), "what is locked stays");
    let would = repo.untouched_by(|| versions(&["--upgrade", "--dry-run"]));
    assert!(would.is_empty(), "nothing is written: {would:?}");
    let one = versions(&["--upgrade-package", "six"]);
    assert_eq!(one.keys().collect::<Vec<_>>(), ["six"]);
    let rest = versions(&["-U"]);
    assert_eq!(rest.keys().collect::<Vec<_>>(), ["idna"]);
}

#[test]
fn offline_lock_uses_no_network() {
    let repo = super::pinned().build();
    let manifest = repo.read("prod/pyproject.toml");
    let elsewhere = format!("file://{}", repo.remote("bench-utils"));
    repo.write("prod/pyproject.toml", manifest.replace(&elsewhere, "http://127.0.0.1:9/bench-utils.git"));
    repo.untouched_by(|| repo.uvenv(["lock", "--profile", "prod", "--offline"]).fails("uv-failed"));
    repo.untouched_by(|| repo.uvenv(["lock", "--profile", "prod"]).fails("unreachable-remote"));
}
