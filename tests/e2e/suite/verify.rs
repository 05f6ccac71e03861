//! Whether an environment is what its lockfile says, file by file.

use std::fs;

use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};
use uvenv_tests::{Fixture, Outcome};

use super::{empty, three_profiles};

const PROD: [&str; 3] = ["verify", "--profile", "prod"];

/// A monorepo whose prod environment is synced.
fn synced() -> Fixture {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).ok();
    repo
}

/// What is found, as kind and name.
fn found(said: &Outcome) -> Vec<(String, String)> {
    let report = said.report("verify-finished");
    let findings = report["findings"].as_array().expect("findings").clone();
    let text = |finding: &Value, key: &str| finding[key].as_str().expect("a text").to_owned();
    findings.iter().map(|finding| (text(finding, "kind"), text(finding, "name"))).collect()
}

fn finding(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

#[test]
fn what_was_synced_is_as_it_is_locked_without_network_and_changes() {
    let repo = synced();
    let said = repo.untouched_by(|| repo.uvenv(PROD).env("UV_OFFLINE", "1").ok());
    assert!(said.stdout().contains("as it is locked"), "{said}");
    let report = repo.uvenv(PROD).json().report("verify-finished");
    assert_eq!((&report["findings"], &report["distributions"]), (&json!([]), &json!(3)), "{report}");
    assert!(report["files"].as_u64().is_some_and(|count| count > 10), "{report}");
}

#[test]
fn distributions_that_are_missing_extra_or_others_are_found() {
    let repo = synced();
    let environment = repo.environment("prod");
    let site_packages = environment.site_packages().unwrap();
    let rename = |from: &str, to: &str| fs::rename(site_packages.join(from), site_packages.join(to)).unwrap();
    rename("bench_utils-0.1.2.dist-info", "other-0.1.2.dist-info");
    rename("torch-2.6.0+cu124.dist-info", "torch-2.5.0+cu124.dist-info");
    let direct_url = site_packages.join("print_utils-0.1.2.dist-info/direct_url.json");
    let text = fs::read_to_string(&direct_url).unwrap();
    let commit = environment.commit("print-utils");
    fs::remove_file(&direct_url).unwrap();
    fs::write(&direct_url, text.replace(&commit, &"0".repeat(40))).unwrap();

    let said = repo.untouched_by(|| repo.uvenv(PROD).arg_json().ends(1));
    let found = found(&said);
    for expected in [
        finding("missing", "bench-utils"),
        finding("extra", "other"),
        finding("version", "torch"),
        finding("commit", "print-utils"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
    let report = said.report("verify-finished");
    let of = |kind: &str| report["findings"].as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap();
    assert_eq!((&of("version")["expected"], &of("version")["found"]), (&json!("2.6.0+cu124"), &json!("2.5.0+cu124")));
    assert_eq!(of("commit")["expected"], commit);
    assert_eq!(of("missing")["expected"], "0.1.2");
}

#[test]
fn files_that_are_not_what_was_installed_are_found() {
    let repo = synced();
    let site_packages = repo.environment("prod").site_packages().unwrap();
    // A link may lead to uv's cache, which is not ours to damage.
    let replace = |path: &str, text: &str| {
        fs::remove_file(site_packages.join(path)).unwrap();
        fs::write(site_packages.join(path), text).unwrap();
    };
    let module = "bench_utils/__init__.py";
    let size = fs::read(site_packages.join(module)).unwrap().len();
    replace(module, &"#".repeat(size));
    fs::remove_file(site_packages.join("print_utils/__init__.py")).unwrap();
    fs::remove_file(site_packages.join("torch-2.6.0+cu124.dist-info/RECORD")).unwrap();
    let said = repo.uvenv(PROD).ends(1);
    assert_data_eq!(
        said.shown(),
        str![[r#"
 distribution  what is wrong                                           file
 torch         cannot be read: No such file or directory (os error 2)  prod/.venv/lib/python[..]/site-packages/torch-2.6.0+cu124.dist-info/RECORD
 bench-utils   was changed                                             prod/.venv/lib/python[..]/site-packages/bench_utils/__init__.py
 print-utils   is gone                                                 prod/.venv/lib/python[..]/site-packages/print_utils/__init__.py

prod in prod/.venv: 3 findings; 3 distributions, [..] files

"#]]
    );
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124", "--recreate"]).ok();
    repo.uvenv(PROD).ok();
}

#[test]
fn what_python_compiles_and_a_kept_selection_are_no_findings() {
    let repo = empty().package("print-utils").build();
    repo.uvenv(["sync"]).ok();
    repo.uvenv(["run", "--", "python", "-c", "import print_utils"]).ok();
    fs::write(repo.root().join("packages/print-utils/src/print_utils/__init__.py"), "# edited").unwrap();
    repo.uvenv(["verify"]).ok();
}

#[test]
fn an_environment_of_plain_uv_is_compared_with_the_backend_that_is_named() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uv(["sync", "--project", "prod", "--frozen", "--extra", "cu124"]).ok();
    repo.uvenv(PROD).refused("backend-required");
    let verify = |backend: &str| repo.uvenv(PROD).args(["--backend", backend]);
    verify("cu124").ok();
    assert_eq!(found(&verify("cu128").arg_json().ends(1)), [finding("version", "torch")]);
}

#[test]
fn without_an_environment_or_a_lockfile_nothing_can_be_told() {
    let repo = synced();
    fs::remove_file(repo.root().join("prod/uv.lock")).unwrap();
    repo.untouched_by(|| repo.uvenv(PROD).fails("missing-lockfile"));
    repo.uvenv(["verify"]).refused("missing-environment");
}
