//! `vendor`: what an environment needs, in one directory.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use uvenv_tests::{Environment, Files, Fixture};

use super::{PACKAGES, empty, pinned, three_profiles, torch};

/// A monorepo whose prod is locked.
fn locked() -> Fixture {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo
}

fn vendor(repo: &Fixture, directory: &str, more: &[&str]) -> Value {
    let arguments = [&["vendor", "--profile", "prod", "-o", directory], more].concat();
    repo.uvenv(arguments).json().report("vendor-finished")
}

fn vendor_cu124(repo: &Fixture, directory: &str) -> Value {
    vendor(repo, directory, &["--backend", "cu124"])
}

/// The files in a directory, relative to the monorepo.
fn names(repo: &Fixture, directory: &str) -> Vec<String> {
    let entries = repo.root().join(directory).read_dir_utf8().unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    names
}

/// Installs a lock with plain uv, without network and without programs.
fn install(repo: &Fixture, lock: &Utf8Path) -> Environment {
    let place = repo.temporary().join("sealed");
    repo.uv(["venv", "--quiet", "--allow-existing", place.as_str()]).ok();
    let sync = ["pip", "sync", "--preview", "--offline", "--no-index", "--python", place.as_str(), lock.as_str()];
    let cache = repo.temporary().join("empty-cache");
    repo.uv(sync).env("UV_CACHE_DIR", cache).without("git").without("cargo").ok();
    Environment::at(place)
}

#[test]
fn plain_uv_installs_what_was_vendored() {
    let repo = locked();
    let report = vendor_cu124(&repo, "vendored");
    assert_eq!(report["locks"], json!([{ "file": "pylock.toml", "backend": "cu124", "packages": report["wheels"] }]));
    assert_eq!(report["pythons"].as_array().unwrap().len(), 1);
    assert_eq!(report["built"].as_array().unwrap().len(), PACKAGES.len());
    let lock = repo.root().join("vendored/pylock.toml");
    let sealed = install(&repo, &lock);
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).ok();
    assert_eq!(sealed.distributions(), repo.environment("prod").distributions());
    assert_eq!(sealed.version("torch"), Some(torch("cu124")));
    // Each pin, with its commit.
    let text = fs::read_to_string(lock).unwrap();
    for package in PACKAGES {
        assert!(text.contains(&format!("commit = \"{}\"", repo.tag_commit(package, "v0.1.2"))), "{text}");
    }
}

#[test]
fn two_directories_have_the_same_bytes() {
    let repo = locked();
    vendor_cu124(&repo, "vendored");
    let elsewhere = repo.temporary().join("elsewhere");
    // Another user's permissions for new files.
    let script = "umask 077; exec \"$@\"";
    let cli = uvenv_tests::cargo_uvenv().as_str();
    let arguments = ["-c", script, "sh", cli, "vendor", "--profile=prod", "--backend=cu124", "-o", elsewhere.as_str()];
    repo.program("sh", arguments).ok();
    Files::under(&elsewhere).assert_eq(&Files::under(&repo.root().join("vendored")));
}

#[test]
fn a_second_run_starts_nothing() {
    let repo = locked();
    vendor_cu124(&repo, "vendored");
    let report = repo.untouched_by(|| {
        let again = ["vendor", "--profile", "prod", "-o", "vendored", "--backend", "cu124"];
        repo.uvenv(again).without("git").json().report("vendor-finished")
    });
    assert!(report["uv"].is_null(), "{report}");
    for key in ["downloaded", "built", "removed"] {
        assert_eq!(report[key], json!([]), "{report}");
    }
}

#[test]
fn a_later_run_makes_only_what_is_missing() {
    let repo = locked();
    vendor_cu124(&repo, "vendored");
    let wheels = names(&repo, "vendored/wheels");
    let damaged = wheels.iter().find(|name| name.starts_with("torch")).unwrap();
    let path = repo.root().join("vendored/wheels").join(damaged);
    fs::write(&path, "damaged").unwrap();
    fs::write(repo.root().join("vendored/wheels/other-1.0-py3-none-any.whl"), "").unwrap();
    let report = vendor_cu124(&repo, "vendored");
    assert_eq!(report["downloaded"], json!([damaged]), "{report}");
    assert_eq!(report["built"], json!([]), "{report}");
    assert_eq!(report["removed"], json!(["wheels/other-1.0-py3-none-any.whl"]), "{report}");
    assert_eq!(names(&repo, "vendored/wheels"), wheels);

    // A promotion changes the pins.
    repo.replace("prod/pyproject.toml", "tag = \"v0.1.2\"", "tag = \"v0.1.3\"");
    let stale = ["vendor", "--profile", "prod", "--backend", "cu124"];
    repo.untouched_by(|| repo.uvenv(stale).args(["-o", "vendored"]).ends(1));
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let report = vendor_cu124(&repo, "vendored");
    assert_eq!(report["downloaded"], json!([]), "{report}");
    assert_eq!(report["built"].as_array().unwrap().len(), PACKAGES.len(), "{report}");
    assert_eq!(report["removed"].as_array().unwrap().len(), PACKAGES.len(), "{report}");
}

#[test]
fn backends_share_wheels() {
    let repo = locked();
    let report = vendor(&repo, "vendored", &["--backend", "cu124", "--backend", "cu128"]);
    let files: Vec<_> = report["locks"].as_array().unwrap().iter().map(|lock| lock["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["pylock.cu124.toml", "pylock.cu128.toml"]);
    assert_eq!(report["wheels"], PACKAGES.len() + 2, "{report}");
    for backend in ["cu124", "cu128"] {
        let sealed = install(&repo, &repo.root().join(format!("vendored/pylock.{backend}.toml")));
        assert_eq!(sealed.version("torch"), Some(torch(backend)));
    }
    let report = vendor_cu124(&repo, "vendored");
    assert_eq!(names(&repo, "vendored"), [".uvenv-vendored", "build-requirements.txt", "pylock.toml", "wheels"]);
    assert_eq!(report["downloaded"], json!([]), "{report}");
}

#[test]
fn builds_what_has_only_a_source_distribution() {
    let repo = empty().build();
    repo.replace("pyproject.toml", "dependencies = []", "dependencies = [\"docopt==0.6.2\", \"pyyaml==6.0.2\"]");
    repo.uvenv(["lock"]).ok();
    let vendor = ["vendor", "-o", "vendored"];
    let report = repo.uvenv(vendor).json().report("vendor-finished");
    assert_eq!(report["built"], json!(["docopt-0.6.2-py2.py3-none-any.whl"]), "{report}");
    let sealed = install(&repo, &repo.root().join("vendored/pylock.toml"));
    assert_eq!(sealed.version("docopt").as_deref(), Some("0.6.2"));
    // Its wheel is called PyYAML in the index.
    assert_eq!(sealed.version("pyyaml").as_deref(), Some("6.0.2"));
    assert!(repo.read("vendored/build-requirements.txt").contains("setuptools=="));
}

#[test]
fn vendors_for_other_platforms() {
    let repo = pinned().build();
    let more = "dependencies = [\"pyyaml==6.0.2\", \"colorama==0.4.6; sys_platform == 'win32'\", ";
    repo.replace("prod/pyproject.toml", "dependencies = [", more);
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let platforms = [
        ("x86_64-manylinux_2_17", "manylinux_2_17_x86_64"),
        ("aarch64-manylinux_2_28", "manylinux_2_17_aarch64"),
        ("x86_64-unknown-linux-musl", "musllinux_1_1_x86_64"),
        ("aarch64-apple-darwin", "macosx_11_0_arm64"),
        ("x86_64-pc-windows-msvc", "win_amd64"),
    ];
    for (platform, tag) in platforms {
        let report = vendor(&repo, platform, &["--platform", platform]);
        let is_windows = platform.contains("windows");
        assert_eq!(report["wheels"], PACKAGES.len() + 1 + usize::from(is_windows), "{report}");
        let wheels = names(&repo, &format!("{platform}/wheels"));
        assert!(wheels.iter().any(|file| file.starts_with("pyyaml") && file.contains(tag)), "{wheels:?}");
        assert_eq!(wheels.iter().any(|file| file.starts_with("colorama")), is_windows);
        let again = vendor(&repo, platform, &["--platform", platform]);
        assert_eq!((&again["uv"], &again["downloaded"]), (&Value::Null, &json!([])));
    }
    // All of them share what is equal.
    let all: Vec<_> = platforms.iter().flat_map(|(platform, _)| ["--platform", platform]).collect();
    let report = vendor(&repo, "all", &all);
    assert_eq!(report["wheels"], PACKAGES.len() + platforms.len() + 1, "{report}");

    let sync = |directory: &str| repo.uvenv(["sync", "--profile", "prod", "--vendored", directory]);
    let refusal = repo.untouched_by(|| sync("x86_64-pc-windows-msvc").refused("vendored-for-another-platform"));
    refusal.names(["x86_64-pc-windows-msvc"]);
    let refusal = repo.untouched_by(|| sync("x86_64-unknown-linux-musl").refused("vendored-for-another-platform"));
    refusal.names(["x86_64-unknown-linux-musl", "pyyaml"]);
    if cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
        for directory in ["x86_64-manylinux_2_17", "all"] {
            sync(directory).ok();
            repo.uvenv(["verify", "--profile", "prod", "--vendored", directory]).ok();
        }
    }
    // uv knows one of them, but not which C library.
    for platform in ["amiga", "linux", "x86_64-manylinux_2_99"] {
        let refusal = repo.uvenv(["vendor", "--profile", "prod", "--platform", platform, "-o", "new"]);
        refusal.refused("unknown-platform").names([platform]);
    }
    let macos = |version: &str| {
        let arguments = ["vendor", "--profile", "prod", "--platform", "aarch64-apple-darwin", "-o", "macos"];
        let report = repo.uvenv(arguments).env("MACOSX_DEPLOYMENT_TARGET", version).json().report("vendor-finished");
        report["uv"].is_object()
    };
    assert_eq!([macos("14.0"), macos("14.0"), macos("13.0.1")], [true, false, true]);
}

#[test]
fn packages_of_other_platforms_are_missed() {
    // Every wheel fits everywhere, but not every package is there.
    let repo = pinned().build();
    let more = "dependencies = [\"colorama==0.4.6; sys_platform == 'linux'\", ";
    repo.replace("prod/pyproject.toml", "dependencies = [", more);
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    vendor(&repo, "vendored", &["--platform", "x86_64-pc-windows-msvc"]);
    let sync = ["sync", "--profile", "prod", "--vendored", "vendored"];
    repo.untouched_by(|| repo.uvenv(sync).refused("vendored-for-another-platform"));
}

#[test]
fn locks_of_other_versions_are_replaced() {
    let repo = locked();
    vendor(&repo, "vendored", &["--backend", "cu124", "--backend", "cu128"]);
    for file in ["vendored/pylock.cu124.toml", "vendored/pylock.cu128.toml"] {
        repo.replace(file, "schema = 3", "schema = 1");
    }
    let sync = ["sync", "--profile", "prod", "--backend", "cu124", "--vendored", "vendored"];
    repo.uvenv(sync).refused("damaged-vendored-lock");
    vendor_cu124(&repo, "vendored");
    repo.uvenv(sync).ok();
}

#[test]
fn brings_uv_along() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let more = ["--with-uv", "--with-build-requirements"];
    let report = vendor(&repo, "vendored", &more);
    let has = |start: &str| names(&repo, "vendored/wheels").iter().any(|file| file.starts_with(start));
    assert!(has("uv-") && has("print_utils-"), "{report}");
    assert_eq!(report["locks"].as_array().unwrap().len(), 1);
    assert_eq!(vendor(&repo, "vendored", &more)["uv"], Value::Null);

    // On a machine without uv, index and network.
    let sync = ["sync", "--profile", "prod", "--vendored", "vendored"];
    let cache = repo.temporary().join("fresh-cache");
    let sealed = repo.uvenv(sync).env_remove("UVENV_UV").env("UVENV_CACHE_DIR", cache.join("uvenv"));
    let sealed = sealed.clone().without_network().unwrap_or(sealed);
    let used = sealed.clone().arg_json().ok().report("sync-finished")["uv"]["path"].as_str().unwrap().to_owned();
    assert!(used.starts_with(cache.as_str()), "{used}");
    sealed.ok();

    // What is no longer asked for goes.
    let removed = vendor(&repo, "vendored", &[])["removed"].to_string();
    assert!(
        removed.contains("pylock.with_uv.toml") && removed.contains("pylock.with_build_requirements.toml"),
        "{removed}"
    );
    assert!(!has("uv-"));
}

#[test]
fn rejects_what_cannot_be_vendored() {
    let repo = pinned().build();
    repo.uvenv(["vendor", "--profile", "prod"]).ends(1);
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["lock"]).ok();
    repo.untouched_by(|| {
        repo.uvenv(["vendor", "--profile", "prod", "-o", "packages"]).refused("not-a-vendored-directory")
    });
    let refusal = repo.uvenv(["vendor", "--profile", "dev", "-o", "of-dev"]).refused("cannot-vendor");
    refusal.names(["bench-utils", "directory"]);
    let refusal = repo.uvenv(["vendor", "--profile", "prod", "--python", "9.9", "-o", "new"]).refused("no-such-python");
    refusal.names(["9.9"]);
    let three = locked();
    three.uvenv(["vendor", "--profile", "prod", "-o", "new"]).refused("backend-required");
    assert!(!three.root().join("new/pylock.toml").exists());
}

#[test]
fn rejects_different_wheels_of_one_name() {
    // A version that is at two commits, one for each backend.
    let repo = locked();
    let manifest = repo.read("prod/pyproject.toml");
    let url = format!("git = \"file://{}\"", repo.remote("bench-utils"));
    let pin = |tag: &str, backend: &str| format!("{{ {url}, rev = \"{tag}\", extra = \"{backend}\" }}");
    let line = manifest.lines().find(|line| line.starts_with("bench-utils = ")).unwrap();
    let remote = repo.remote("bench-utils");
    let first = repo.tag_commit("bench-utils", "v0.1.2");
    let clone = repo.temporary().join("clone");
    repo.program("git", ["clone", "--quiet", remote.as_str(), clone.as_str()]).ok();
    let git = |arguments: &[&str]| repo.program("git", ["-C", clone.as_str()].iter().chain(arguments)).ok();
    git(&["checkout", "--quiet", "v0.1.2"]);
    fs::write(clone.join("src/bench_utils/more.py"), "").unwrap();
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "More"]);
    git(&["push", "--quiet", "origin", "HEAD:refs/heads/more"]);
    let second = git(&["rev-parse", "HEAD"]).stdout().trim().to_owned();
    let manifest =
        manifest.replace(line, &format!("bench-utils = [{}, {}]", pin(&first, "cu124"), pin(&second, "cu128")));
    let manifest =
        manifest.replace("cu124 = [", "cu124 = [\"bench-utils\", ").replace("cu128 = [", "cu128 = [\"bench-utils\", ");
    let manifest = manifest.replace("dependencies = [\"bench-utils\", ", "dependencies = [");
    repo.write("prod/pyproject.toml", manifest);
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let both = ["vendor", "--profile", "prod", "--backend", "cu124", "--backend", "cu128", "-o", "vendored"];
    repo.uvenv(both).refused("cannot-vendor").names(["bench_utils-0.1.2-py3-none-any.whl"]);
    for backend in ["cu124", "cu128"] {
        vendor(&repo, backend, &["--backend", backend]);
        repo.uvenv(["sync", "--profile", "prod", "--backend", backend, "--vendored", backend]).ok();
        let more = repo.environment("prod").site_packages().unwrap().join("bench_utils/more.py");
        assert_eq!(more.exists(), backend == "cu128");
    }
}

#[test]
fn keeps_files_of_others_and_follows_no_links() {
    let repo = locked();
    vendor_cu124(&repo, "vendored");
    repo.write("vendored/README", "mine");
    repo.write("vendored/wheels/notes", "mine");
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "cu128", "-o", "vendored"]).ok();
    assert_eq!(
        (repo.read("vendored/README"), repo.read("vendored/wheels/notes")),
        ("mine".to_owned(), "mine".to_owned())
    );
    let (wheels, documents) = (repo.root().join("vendored/wheels"), repo.temporary().join("documents"));
    fs::rename(&wheels, &documents).unwrap();
    std::os::unix::fs::symlink(&documents, &wheels).unwrap();
    let before = Files::under(&documents);
    let arguments = ["vendor", "--profile", "prod", "--backend", "cu124", "-o", "vendored"];
    repo.uvenv(arguments).refused("not-a-vendored-directory");
    Files::under(&documents).assert_eq(&before);
}

#[test]
fn a_pin_that_does_not_build_is_named() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let remote: Utf8PathBuf = repo.remote("bench-utils");
    fs::rename(&remote, remote.with_extension("gone")).unwrap();
    let said = repo.uvenv(["vendor", "--profile", "prod", "-o", "vendored"]).ends(1);
    assert!(said.stderr().contains("error[wheel-build-failed]: the wheel of `bench-utils` cannot be built"), "{said}");
    fs::rename(remote.with_extension("gone"), &remote).unwrap();
    vendor(&repo, "vendored", &[]);
}

/// Kills `vendor` at different times, each time followed by another run: what is there in the end is what one run makes.
#[cfg(target_os = "linux")]
#[test]
fn a_killed_run_is_continued_by_the_next() {
    let repo = locked();
    let vendor = |directory: &str| {
        let arguments = ["vendor", "--profile=prod", "--backend=cu124", "--backend=cu128", "-o", directory];
        repo.uvenv(arguments)
    };
    vendor("whole").ok();
    let whole = Files::under(&repo.root().join("whole"));
    for milliseconds in [20, 60, 120, 200, 300, 450, 600, 800, 1100, 1500] {
        let mut child = vendor("killed").start();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        if milliseconds % 40 == 20 {
            // Otherwise, the next run is killed too.
            vendor("killed").ok();
            Files::under(&repo.root().join("killed")).assert_eq(&whole);
            fs::remove_dir_all(repo.root().join("killed")).unwrap();
        }
    }
    vendor("killed").ok();
    Files::under(&repo.root().join("killed")).assert_eq(&whole);
    let names = names(&repo, "killed");
    assert_eq!(
        names,
        [".uvenv-vendored", "build-requirements.txt", "pylock.cu124.toml", "pylock.cu128.toml", "wheels"]
    );
}
