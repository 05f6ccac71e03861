//! What is really locked for a backend: the same CUDA version as declared, in all profiles.

use serde_json::Value;
use uvenv_tests::{Fixture, Index};

use super::{pinned, three_profiles};

/// The findings of `check`.
fn findings(repo: &Fixture) -> Vec<Value> {
    let report = repo.uvenv(["check"]).arg_json().run().report("check-finished");
    report["findings"].as_array().unwrap().clone()
}

/// The messages of the findings with `code`.
fn messages(repo: &Fixture, code: &str) -> Vec<String> {
    let found = findings(repo).into_iter().filter(|finding| finding["code"] == code);
    found.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

fn lock_all(repo: &Fixture) {
    repo.uvenv(["lock", "--all-profiles"]).ok();
}

#[test]
fn profiles_with_the_same_backends_have_no_findings() {
    let repo = three_profiles().build();
    lock_all(&repo);
    assert_eq!(findings(&repo), [] as [Value; 0]);
}

/// Gives prod the extras and conflicts of dev, but not the sources.
fn with_names_only() -> Fixture {
    let repo = three_profiles().build();
    let prod = repo.read("prod/pyproject.toml");
    let start = prod.find("torch = [").unwrap();
    let end = start + prod[start..].find('\n').unwrap();
    // As on PyPI: another torch, for another CUDA version.
    let index = format!("{}\n[[tool.uv.index]]\nurl = \"{}\"\ndefault = true\n", &prod[..start], Index::url("cu128"));
    assert!(prod[end..].contains("pytorch-cu124"));
    repo.write("prod/pyproject.toml", index);
    lock_all(&repo);
    repo
}

#[test]
fn backend_of_the_same_name_with_another_cuda_is_found_and_fixed() {
    let repo = with_names_only();
    let mismatches = messages(&repo, "locked-backend-mismatch");
    assert_eq!(
        mismatches,
        [
            "the backend `cu124` of prod is locked with CUDA 12.8 (`torch` 2.6.0+cu128), but it is declared for CUDA 12.4"
        ]
    );
    let sources = messages(&repo, "backend-mismatch");
    assert_eq!(sources.len(), 2, "{sources:?}");
    assert!(sources[0].contains("takes `torch` from"), "{sources:?}");
    let said = repo.uvenv(["diff", "dev", "prod"]).ok();
    assert!(said.stdout().contains(&format!("torch from {}", Index::url("cu124"))), "{said}");
    repo.uvenv(["check", "--fix"]).run();
    assert_eq!(messages(&repo, "backend-mismatch"), [""; 0]);
    lock_all(&repo);
    assert_eq!(findings(&repo), [] as [Value; 0], "{}", repo.read("prod/pyproject.toml"));
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).ok();
    assert_eq!(repo.environment("prod").version("torch"), Some(super::torch("cu124")));
}

#[test]
fn fix_copies_all_backends_to_a_profile_without_any() {
    let repo = three_profiles().build();
    let plain = pinned().build().read("prod/pyproject.toml");
    let url = |text: &str| text.lines().find(|line| line.contains("git = ")).unwrap().to_owned();
    let prod = plain.replace(&url(&plain), &url(&repo.read("prod/pyproject.toml")));
    let lines = |text: &str| text.lines().filter(|line| line.contains("git = ")).map(str::to_owned).collect::<Vec<_>>();
    let original = repo.read("prod/pyproject.toml");
    let mut prod = prod;
    for (other, own) in lines(&plain).iter().zip(lines(&original)) {
        prod = prod.replace(other, &own);
    }
    repo.write("prod/pyproject.toml", format!("# ours\n{prod}"));
    lock_all(&repo);
    assert_eq!(messages(&repo, "backend-mismatch").len(), 2);
    repo.uvenv(["check", "--fix"]).run();
    let fixed = repo.read("prod/pyproject.toml");
    for part in
        ["# ours\n", "cu124 = [\"torch==2.6.0\"]", "cu128", "conflicts = [[", "pytorch-cu128", "explicit = true"]
    {
        assert!(fixed.contains(part), "{part}: {fixed}");
    }
    lock_all(&repo);
    assert_eq!(findings(&repo), [] as [Value; 0], "{fixed}");
    repo.uvenv(["sync", "--profile", "prod"]).refused("backend-required");
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu128"]).ok();
    assert_eq!(repo.environment("prod").version("torch"), Some(super::torch("cu128")));
}

#[test]
fn torch_without_a_backend_is_a_warning() {
    let repo = three_profiles().build();
    let index = format!("\n[[tool.uv.index]]\nurl = \"{}\"\ndefault = true\n", Index::url("cu128"));
    for profile in ["", "staging/", "prod/"] {
        let path = format!("{profile}pyproject.toml");
        repo.replace(&path, "dependencies = [", "dependencies = [\"torch\", ");
        repo.write(&path, repo.read(&path) + &index);
    }
    lock_all(&repo);
    let warnings = messages(&repo, "accelerator-without-backend");
    assert_eq!(warnings.len(), 3, "{:?}", findings(&repo));
    assert!(warnings[0].ends_with("dev installs `torch` 2.6.0+cu128 for CUDA 12.8"), "{warnings:?}");
    repo.uvenv(["check"]).ok();
}

#[test]
fn backend_without_packages_is_a_warning() {
    let repo = three_profiles().build();
    repo.replace("prod/pyproject.toml", "cu124 = [\"torch==2.6.0\"]", "cu124 = []");
    repo.replace("prod/pyproject.toml", "{ index = \"pytorch-cu124\", extra = \"cu124\" }, ", "");
    lock_all(&repo);
    let warnings = messages(&repo, "backend-without-cuda");
    assert_eq!(warnings, ["the backend `cu124` of prod is locked without any package for CUDA"]);
    let mismatches = messages(&repo, "backend-mismatch");
    assert!(mismatches.contains(&"the backend `cu124` adds `torch==2.6.0` in dev, but not in prod".to_owned()));
}

#[test]
fn sources_of_a_virtual_root_apply_to_the_extras_of_its_members() {
    let repo = super::backends_only().build();
    let manifest = repo.read("pyproject.toml");
    let (_, settings) = manifest.split_once("[tool.uv.sources]").unwrap();
    let (project, _) = manifest.split_once("[tool.uv.sources]").unwrap();
    repo.write("models/pyproject.toml", project);
    repo.write("pyproject.toml", format!("[tool.uv.workspace]\nmembers = [\"models\"]\n\n[tool.uv.sources]{settings}"));
    repo.uvenv(["lock"]).ok();
    assert_eq!(findings(&repo), [] as [Value; 0]);
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    assert_eq!(repo.environment("dev").version("torch"), Some(super::torch("cu124")));
}
