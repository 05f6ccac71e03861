//! Environments that are brought to where there is no network.

use std::{collections::BTreeSet, fs, thread, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use uvenv_tests::{Files, Fixture, Index, Invocation};

use super::{empty, three_profiles};

const PROD: [&str; 4] = ["--profile", "prod", "--backend", "cu124"];

/// A monorepo whose prod profile is locked.
fn locked() -> Fixture {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo
}

fn vendor<'a>(repo: &'a Fixture, directory: &Utf8Path) -> Invocation<'a> {
    repo.uvenv(["vendor"]).args(PROD).args(["-o", directory.as_str()])
}

fn sync<'a>(repo: &'a Fixture, directory: &Utf8Path) -> Invocation<'a> {
    repo.uvenv(["sync"]).args(PROD).args(["--vendored", directory.as_str()])
}

/// A monorepo with a prod profile that is vendored.
fn vendored() -> (Fixture, Utf8PathBuf) {
    let repo = locked();
    let directory = repo.temporary().join("wheelhouse");
    vendor(&repo, &directory).ok();
    (repo, directory)
}

/// As on a machine that has seen nothing of it: no caches, no remotes.
fn elsewhere<'a>(repo: &'a Fixture, invocation: Invocation<'a>) -> Invocation<'a> {
    let cache = repo.temporary().join("empty-cache");
    fs::remove_dir_all(repo.temporary().join("remotes")).ok();
    let invocation = invocation.env("UV_CACHE_DIR", cache.join("uv")).env("UVENV_CACHE_DIR", cache.join("uvenv"));
    invocation.without("git").without_network()
}

/// What a vendored manifest says.
fn manifest(directory: &Utf8Path) -> Value {
    serde_json::from_str(&fs::read_to_string(directory.join("vendor.json")).unwrap()).unwrap()
}

fn wheels_of(directory: &Utf8Path) -> BTreeSet<String> {
    let entries = directory.join("wheels").read_dir_utf8().unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_owned()).collect()
}

/// A prod profile that depends on `requirements` of an index, which goes by the name `in-house`.
fn of_index(index: &str, requirements: &str) -> Fixture {
    let manifest = format!(
        "[project]\nname = \"bench-prod\"\nversion = \"0\"\nrequires-python = \">=3.9\"\n\
         dependencies = [{requirements}]\n\n[tool.uv]\npackage = false\n\n\
         [[tool.uv.index]]\nname = \"in-house\"\nurl = \"{}\"\ndefault = true\n",
        Index::url(index)
    );
    let repo = empty().file("prod/pyproject.toml", manifest).build();
    repo.write("pyproject.toml", repo.read("pyproject.toml") + "\n[tool.uvenv.profiles]\nprod = \"prod\"\n");
    repo
}

#[test]
fn without_network_git_and_index_the_environment_is_the_same() {
    let repo = locked();
    repo.uvenv(["sync"]).args(PROD).ok();
    let online = repo.environment("prod").files();
    let directory = repo.temporary().join("wheelhouse");
    vendor(&repo, &directory).ok();
    fs::remove_dir_all(repo.environment("prod").path()).unwrap();

    let report = elsewhere(&repo, sync(&repo, &directory)).json().report("sync-finished");
    assert_eq!((&report["changed"], &report["backend"]), (&json!(true), &json!("cu124")), "{report}");
    // What uv notes of a build of its own, and has none of for a wheel.
    let notes = "uv_build.json";
    online.without_any(notes).assert_eq(&repo.environment("prod").files().without_any(notes));
    assert_eq!(elsewhere(&repo, sync(&repo, &directory)).json().report("sync-finished")["changed"], false);
    elsewhere(&repo, repo.uvenv(["verify", "--profile", "prod", "--vendored", directory.as_str()])).ok();
}

#[test]
fn uv_and_an_online_sync_find_nothing_to_do_after_it() {
    let (repo, directory) = vendored();
    sync(&repo, &directory).ok();
    repo.uv(["sync", "--project", "prod", "--locked", "--extra", "cu124", "--check"]).ok();
    assert_eq!(repo.uvenv(["sync"]).args(PROD).json().report("sync-finished")["changed"], false);
    repo.uvenv(["verify", "--profile", "prod"]).ok();
}

#[test]
fn two_runs_give_the_same_bytes() {
    let repo = locked();
    let [one, other] = ["one", "other/deeper"].map(|name| repo.temporary().join(name));
    vendor(&repo, &one).ok();
    // Nothing of the first is there to copy.
    let caches = repo.temporary().join("other-cache");
    let again =
        vendor(&repo, &other).env("UVENV_CACHE_DIR", caches.join("uvenv")).env("UV_CACHE_DIR", caches.join("uv"));
    let report = again.json().report("vendor-finished");
    assert_eq!(report["built"], json!(["bench_utils-0.1.2-py3-none-any.whl", "print_utils-0.1.2-py3-none-any.whl"]));
    assert_eq!(report["downloaded"], json!(["torch-2.6.0+cu124-py3-none-any.whl"]));
    Files::under(&one).assert_eq(&Files::under(&other));

    // Nothing is brought a second time, so that nothing is needed for it.
    let report = vendor(&repo, &one).arg_json().without_network().ok().report("vendor-finished");
    assert_eq!((&report["built"], &report["downloaded"], &report["removed"]), (&json!([]), &json!([]), &json!([])));
    Files::under(&one).assert_eq(&Files::under(&other));
}

#[test]
fn the_manifest_says_what_everything_is() {
    let (repo, directory) = vendored();
    let manifest = manifest(&directory);
    let wheel = |name: &str| {
        let wheels = manifest["wheels"].as_array().unwrap();
        wheels.iter().find(|wheel| wheel["name"] == name).unwrap().clone()
    };
    let source = &wheel("bench-utils")["source"];
    assert_eq!(source["commit"], repo.tag_commit("bench-utils", "v0.1.2"));
    assert_eq!((&source["kind"], &source["requested"]), (&json!("git"), &json!("v0.1.2")));
    assert_eq!(wheel("print-utils")["source"]["subdirectory"], "python");
    let torch = wheel("torch");
    assert!(repo.lockfile("prod").contains(&format!("sha256:{}", torch["sha256"].as_str().unwrap())), "{torch}");
    let [environment] = manifest["environments"].as_array().unwrap().as_slice() else { panic!("{manifest}") };
    let files: BTreeSet<_> =
        environment["wheels"].as_array().unwrap().iter().map(|file| file.as_str().unwrap().to_owned()).collect();
    assert_eq!(files, wheels_of(&directory));
    assert!(repo.python_version().starts_with(environment["python"].as_str().unwrap()));
}

#[test]
fn what_the_lockfile_no_longer_names_goes() {
    let (repo, directory) = vendored();
    let report = repo.uvenv(["vendor", "--profile", "prod", "--backend", "none", "-o", directory.as_str()]).json();
    assert_eq!(report.report("vendor-finished")["removed"], json!(["torch-2.6.0+cu124-py3-none-any.whl"]));
    assert_eq!(wheels_of(&directory).len(), 2);
}

#[test]
fn tampered_and_missing_files_are_refused_before_anything_is_touched() {
    let (repo, directory) = vendored();
    let wheel = directory.join("wheels/print_utils-0.1.2-py3-none-any.whl");
    let whole = fs::read(&wheel).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    fs::write(&wheel, changed).unwrap();
    fs::remove_file(directory.join("wheels/torch-2.6.0+cu124-py3-none-any.whl")).unwrap();
    repo.untouched_by(|| {
        let refusal = sync(&repo, &directory).fails("vendor-altered");
        refusal.names([
            "print_utils-0.1.2-py3-none-any.whl` was changed",
            "torch-2.6.0+cu124-py3-none-any.whl` is missing",
        ]);
    });
    let report = vendor(&repo, &directory).json().report("vendor-finished");
    assert_eq!(report["built"], json!(["print_utils-0.1.2-py3-none-any.whl"]));
    assert_eq!(report["downloaded"], json!(["torch-2.6.0+cu124-py3-none-any.whl"]));
    assert_eq!(fs::read(&wheel).unwrap(), whole);
    sync(&repo, &directory).ok();
}

#[test]
fn a_directory_for_something_else_is_refused_before_anything_is_touched() {
    let (repo, directory) = vendored();
    repo.uvenv(["lock", "--profile", "staging"]).ok();
    let sync = |arguments: &[&str]| repo.uvenv(["sync", "--vendored", directory.as_str()]).args(arguments);
    repo.untouched_by(|| {
        let refused = |arguments: &[&str]| sync(arguments).refused("vendor-mismatch");
        refused(&["--profile", "staging", "--backend", "cu124"]).names(["for prod, not for staging"]);
        let refusal = refused(&["--profile", "prod", "--backend", "cu128"]);
        refusal.names(["`cu124`", "`cu128`"]).helps(["cargo uvenv vendor --profile prod --backend cu128 -o "]);
        refused(&["--profile", "prod", "--backend", "none"]).names(["no backend"]);
        refused(&[PROD.as_slice(), &["--no-default-groups"]].concat()).names(["--no-default-groups"]);
    });
    let text = fs::read_to_string(directory.join("vendor.json")).unwrap();
    let rewrite = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        fs::write(directory.join("vendor.json"), text.replace(from, to)).unwrap();
    };
    let python = manifest(&directory)["environments"][0]["python"].as_str().unwrap().to_owned();
    rewrite(&format!("\"python\": \"{python}\""), "\"python\": \"3.7\"");
    repo.untouched_by(|| sync(&PROD).refused("vendor-mismatch")).names(["Python 3.7", &python]);
    rewrite("manylinux_", "manylinux_9");
    repo.untouched_by(|| sync(&PROD).refused("vendor-mismatch")).names(["manylinux_9"]);
    rewrite("\"version\": 1", "\"version\": 7");
    sync(&PROD).refused("vendor-manifest").names(["version 7"]);
    rewrite("\"selection\": [", "\"selection\": 3, [");
    sync(&PROD).refused("vendor-manifest").points_to("vendor.json", 5);
    fs::write(directory.join("vendor.json"), &text).unwrap();
    sync(&PROD).ok();

    let manifest = "prod/uv.lock";
    repo.write(manifest, repo.read(manifest) + "\n");
    repo.untouched_by(|| sync(&PROD).refused("vendor-mismatch")).names(["another `prod/uv.lock`"]);
    sync(&PROD).args(["--vendored", repo.root().as_str()]).ends(2);
    repo.uvenv(["sync", "--vendored", repo.root().as_str()])
        .args(PROD)
        .refused("vendor-manifest")
        .helps(["cargo uvenv vendor"]);
}

#[test]
fn a_wheel_that_is_not_the_one_that_was_locked_is_refused() {
    let repo = locked();
    let lockfile = repo.lockfile("prod");
    let torch = lockfile.lines().find(|line| line.contains("cu124") && line.contains("sha256:")).unwrap();
    let hash = torch.split("sha256:").nth(1).unwrap().split('"').next().unwrap();
    repo.replace("prod/uv.lock", hash, &"0".repeat(64));
    let directory = repo.temporary().join("wheelhouse");
    let refusal = vendor(&repo, &directory).args(["--frozen"]).fails("download-failed");
    refusal.names(["torch-2.6.0", hash, "SHA-256"]);
    assert!(!directory.join("vendor.json").exists());
    assert!(!wheels_of(&directory).iter().any(|file| file.starts_with("torch")));
}

#[test]
fn a_download_goes_on_where_it_was_interrupted() {
    let (repo, whole) = vendored();
    let torch = "torch-2.6.0+cu124-py3-none-any.whl";
    let content = fs::read(whole.join("wheels").join(torch)).unwrap();
    let directory = repo.temporary().join("interrupted");
    let part = directory.join(".partial").join(format!("{torch}.part"));
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    // Were all of it downloaded again, it would be right.
    fs::write(&part, vec![0; content.len() / 2]).unwrap();
    vendor(&repo, &directory).fails("download-failed").names(["not what was locked"]);
    assert!(!part.exists());

    fs::write(&part, &content[..content.len() / 2]).unwrap();
    vendor(&repo, &directory).ok();
    Files::under(&whole).assert_eq(&Files::under(&directory));
}

#[test]
fn a_run_that_was_killed_is_gone_on_with() {
    let (repo, whole) = vendored();
    let directory = repo.temporary().join("killed");
    for _ in 0..5 {
        let mut child = vendor(&repo, &directory).start();
        while !directory.join(".partial").exists() && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    vendor(&repo, &directory).ok();
    Files::under(&whole).assert_eq(&Files::under(&directory));
}

#[test]
fn several_pythons_and_platforms_are_vendored_at_once() {
    let repo = of_index("native", "\"native-lib\", \"source-only; python_version >= '3.13'\"");
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let directory = repo.temporary().join("wheelhouse");
    let vendor =
        |arguments: &[&str]| repo.uvenv(["vendor", "--profile", "prod", "-o", directory.as_str()]).args(arguments);
    let platforms = ["--platform", "x86_64-manylinux_2_28", "--platform", "aarch64-manylinux_2_28"];
    let pythons = ["--python", "3.12", "--python", "3.13"];
    let report = vendor(&[platforms, pythons].concat()).json().report("vendor-finished");
    let counts: Vec<_> =
        report["targets"].as_array().unwrap().iter().map(|target| target["distributions"].clone()).collect();
    assert_eq!(counts, [1, 1, 2, 2], "{report}");
    assert_eq!(report["built"], json!(["source_only-1.0-py3-none-any.whl"]));
    let expected = [
        "native_lib-1.0-cp312-cp312-manylinux_2_17_aarch64.whl",
        "native_lib-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        "native_lib-1.0-cp313-cp313-manylinux_2_17_aarch64.whl",
        "native_lib-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
        "source_only-1.0-py3-none-any.whl",
    ];
    assert_eq!(wheels_of(&directory), expected.map(str::to_owned).into());
    let first = fs::read(directory.join("wheels").join(expected[4])).unwrap();

    let report = vendor(&["--python", "3.12", "--platform", "macos", "--platform", "windows"]).json();
    let report = report.report("vendor-finished");
    assert_eq!(report["removed"].as_array().unwrap().len(), 5, "{report}");
    assert_eq!(report["targets"][0]["platform"], "arm64-macosx_13_0");
    let refusal = vendor(&["--python", "3.12", "--platform", "musllinux_1_2_x86_64"]).refused("no-compatible-wheel");
    refusal.names(["native-lib 1.0", "x86_64-musllinux_1_2", "win_amd64"]);
    assert_eq!(wheels_of(&directory).len(), 2, "what was there stays");

    vendor(&["--python", "3.13", "--platform", "linux"]).ok();
    assert_eq!(fs::read(directory.join("wheels").join(expected[4])).unwrap(), first, "built again, it is the same");
    vendor(&["--platform", "amiga"]).refused("invalid-arguments").names(["amiga"]);
    vendor(&["--python", "2.7"]).refused("invalid-arguments").names(["2.7"]);
}

#[test]
fn an_index_is_told_who_asks() {
    let repo = of_index("private", "\"alpha-lib\"");
    let known = |invocation: Invocation<'_>| {
        invocation.env("UV_INDEX_IN_HOUSE_USERNAME", "reader").env("UV_INDEX_IN_HOUSE_PASSWORD", "secret").ok()
    };
    known(repo.uvenv(["lock", "--profile", "prod"]));
    let directory = repo.temporary().join("wheelhouse");
    let vendor = || repo.uvenv(["vendor", "--profile", "prod", "--frozen", "-o", directory.as_str()]);
    vendor().fails("download-failed").names(["401 Unauthorized"]);
    let said = known(vendor());
    assert!(!said.told().contains("secret"), "{said}");
    assert_eq!(wheels_of(&directory).len(), 1);
}

#[test]
fn packages_of_the_working_tree_cannot_be_vendored() {
    let repo = empty().package("print-utils").build();
    repo.uvenv(["lock"]).ok();
    repo.untouched_by(|| repo.uvenv(["vendor"]).refused("local-package")).names(["print-utils"]).helps(["prod"]);
}

#[test]
fn the_directory_of_somebody_else_is_left_alone() {
    let repo = locked();
    let directory = repo.temporary().join("taken");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("thesis.txt"), "").unwrap();
    vendor(&repo, &directory).refused("vendor-directory").names(["taken"]);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    vendor(&repo, &directory.join("thesis.txt")).refused("vendor-directory");
    // Without `-o` it is in the monorepo.
    repo.uvenv(["vendor"]).args(PROD).ok();
    assert!(repo.root().join("vendor/prod-cu124/vendor.json").exists());
}

#[test]
fn run_and_dry_runs_take_it_too() {
    let (repo, directory) = vendored();
    repo.untouched_by(|| {
        let planned = sync(&repo, &directory).args(["--dry-run"]).json().report("sync-planned");
        assert!(planned["command"].as_str().unwrap().contains("pip sync"), "{planned}");
    });
    let run = || repo.uvenv(["run"]).args(PROD).args(["--vendored", directory.as_str(), "--", "python", "-c"]);
    let said = elsewhere(&repo, run().args(["import bench_utils; print(bench_utils.__version__)"])).ok();
    assert_eq!(said.stdout(), "0.1.2\n");
    // `run` keeps what is there beside, `sync` does not.
    let extra = repo.environment("prod").site_packages().unwrap().join("other-1.dist-info");
    fs::create_dir(&extra).unwrap();
    fs::write(extra.join("METADATA"), "Metadata-Version: 2.1\nName: other\nVersion: 1\n").unwrap();
    fs::write(extra.join("RECORD"), "other-1.dist-info/METADATA,,\nother-1.dist-info/RECORD,,\n").unwrap();
    run().args(["0"]).ok();
    assert!(extra.exists());
    sync(&repo, &directory).args(["--", "--link-mode", "copy"]).ok();
    assert!(!extra.exists());
    sync(&repo, &directory).args(["--recreate"]).ok();
    repo.uvenv(["verify", "--profile", "prod", "--vendored", directory.as_str()]).ok();
}

#[test]
fn uv_itself_is_brought_on_request() {
    let (repo, directory) = vendored();
    let with_uv = || vendor(&repo, &directory).args(["--with-uv"]);
    with_uv().args(["--offline"]).fails("download-failed").names(["uv could not", "`--offline`"]);
    let report = with_uv().json().report("vendor-finished");
    let [wheel] = report["uv"].as_array().unwrap().as_slice() else { panic!("{report}") };
    let wheel = directory.join("uv").join(wheel.as_str().unwrap());
    let again = with_uv().args(["--offline"]).arg_json().without_network().ok().report("vendor-finished");
    assert_eq!(again["uv"], report["uv"]);

    // On a machine that has no uv, and no index to get one from.
    let sync = || elsewhere(&repo, sync(&repo, &directory)).env_remove("UVENV_UV").env("PIP_NO_INDEX", "1");
    let mut content = fs::read(&wheel).unwrap();
    content.push(0);
    fs::write(&wheel, &content).unwrap();
    repo.untouched_by(|| sync().fails("vendor-altered")).names([wheel.as_str()]);
    content.pop();
    fs::write(&wheel, &content).unwrap();
    let report = sync().json().report("sync-finished");
    assert!(report["uv"]["path"].as_str().unwrap().starts_with(repo.temporary().join("empty-cache").as_str()));
    assert_eq!(repo.environment("prod").version("torch").as_deref(), Some("2.6.0+cu124"));
    // What nobody asks for any more goes.
    let report = vendor(&repo, &directory).json().report("vendor-finished");
    assert_eq!((&report["uv"], wheel.exists()), (&json!([]), false));
}

#[test]
fn a_pin_from_another_commit_is_installed_again() {
    let (repo, directory) = vendored();
    sync(&repo, &directory).ok();
    let environment = repo.environment("prod");
    let commit = environment.commit("print-utils");
    let direct_url = environment.site_packages().unwrap().join("print_utils-0.1.2.dist-info/direct_url.json");
    let text = fs::read_to_string(&direct_url).unwrap();
    fs::write(&direct_url, text.replace(&commit, &"0".repeat(40))).unwrap();
    let verify = || repo.uvenv(["verify", "--profile", "prod", "--vendored", directory.as_str()]);
    let finding = &verify().arg_json().ends(1).report("verify-finished")["findings"][0];
    assert_eq!((&finding["kind"], &finding["expected"]), (&json!("commit"), &json!(commit)));
    let report = sync(&repo, &directory).json().report("sync-finished");
    assert_eq!(report["installed"][0]["name"], "print-utils", "{report}");
    assert_eq!(environment.commit("print-utils"), commit);
    verify().ok();
}
