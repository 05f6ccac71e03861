//! Invalid input: the exact messages, and that nothing is changed, run or leaked.

use std::{ffi::OsStr, fs};

use camino::Utf8PathBuf;
use snapbox::{assert_data_eq, str};
use uvenv_tests::{Fixture, Index, Outcome};

use super::{empty, pinned, three_profiles};

/// Runs uvenv, which must fail with exit code 2 and leave every file unchanged.
fn refused(repo: &Fixture, arguments: &[&str]) -> Outcome {
    repo.untouched_by(|| repo.uvenv(arguments).ends(2))
}

/// The start of a manifest.
fn project(name: &str) -> String {
    format!("[project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n")
}

#[test]
fn reports_a_missing_monorepo() {
    let repo = empty().build();
    let outcome = repo.uvenv(["lock"]).within("..").ends(2);
    assert_data_eq!(
        outcome.told(),
        str![[r#"
error[no-monorepo]: no monorepo here: there is no `pyproject.toml` with a `[project]` table in `[ROOT]` or any directory above it
 |
 = help: change to a monorepo, select one with `-C DIR`, or create one with `cargo uvenv new PATH`

"#]]
    );
}

#[test]
fn rejects_invalid_toml() {
    let repo = empty().file("pyproject.toml", "[project\nname = \"bench\"\n").build();
    assert_data_eq!(
        refused(&repo, &["lock"]).told(),
        str![[r#"
error[invalid-toml]: `[ROOT]/repo/pyproject.toml` is not valid TOML: unclosed table, expected `]`
 --> pyproject.toml:1:9
  |
1 | [project
  |         ^
  |
  = help: fix the file at the location shown

"#]]
    );
    repo.uvenv(["lock"]).refused("invalid-toml").points_to("pyproject.toml", 1);
}

#[test]
fn rejects_invalid_toml_in_a_profile() {
    let repo = pinned().file("prod/pyproject.toml", "[project]\nname = \"bench\"\nname = \"again\"\n").build();
    assert_data_eq!(
        refused(&repo, &["lock", "--profile", "prod"]).told(),
        str![[r#"
error[invalid-toml]: `[ROOT]/repo/prod/pyproject.toml` is not valid TOML: duplicate key
 --> prod/pyproject.toml:3:1
  |
3 | name = "again"
  | ^^^^
  |
  = help: fix the file at the location shown

"#]]
    );
    repo.uvenv(["lock", "--profile", "prod"]).refused("invalid-toml").points_to("prod/pyproject.toml", 3);
}

#[test]
fn rejects_a_manifest_without_a_project_table() {
    let repo = pinned().file("prod/pyproject.toml", "[tool.uv]\npackage = false\n").build();
    assert_data_eq!(
        refused(&repo, &["sync", "--profile", "prod"]).told(),
        str![[r#"
error[no-project]: `[ROOT]/repo/prod/pyproject.toml` has no `[project]` table
 --> prod/pyproject.toml:1:1
  |
1 | [tool.uv]
  | ^
  |
  = help: add a `[project]` table with `name` and `version`

"#]]
    );
}

#[test]
fn rejects_a_profile_that_the_monorepo_does_not_have() {
    let repo = empty().build();
    assert_data_eq!(
        refused(&repo, &["sync", "--profile", "prod"]).told(),
        str![[r#"
error[unknown-profile]: the monorepo `[ROOT]/repo` has no profile `prod`
 |
 = help: the profiles are `dev`; the profile `prod` requires a `prod/pyproject.toml` with at least one internal package, or an entry under `profiles` in the configuration

"#]]
    );
}

#[test]
fn rejects_an_invalid_profile_name() {
    let repo = empty().build();
    assert_data_eq!(
        refused(&repo, &["sync", "--profile", "production"]).told(),
        str![[r#"
error: invalid value 'production' for '--profile <PROFILE>'
  [possible values: dev, staging, prod]

  tip: a similar value exists: 'prod'

For more information, try '--help'.

"#]]
    );
}

#[test]
fn rejects_profile_together_with_project() {
    let repo = pinned().build();
    assert_data_eq!(
        refused(&repo, &["sync", "--profile", "prod", "--project", "prod"]).told(),
        str![[r#"
error: the argument '--profile <PROFILE>' cannot be used with '--project <DIR|FILE>'

Usage: cargo uvenv sync --profile <PROFILE> [-- <UV_ARGS>...]

For more information, try '--help'.

"#]]
    );
}

#[test]
fn rejects_a_project_that_is_not_a_manifest() {
    let repo = pinned().build();
    assert_data_eq!(
        refused(&repo, &["sync", "--project", "packages/print-utils/src"]).told(),
        str![[r#"
error[not-a-manifest]: `[ROOT]/repo/packages/print-utils/src` is a directory without a `pyproject.toml`
 |
 = help: use the `pyproject.toml` of a profile, or its directory

"#]]
    );
    let file = "packages/print-utils/src/print_utils/__init__.py";
    assert_data_eq!(
        refused(&repo, &["sync", "--project", file]).told(),
        str![[r#"
error[not-a-manifest]: `[ROOT]/repo/packages/print-utils/src/print_utils/__init__.py` is not a `pyproject.toml`
 |
 = help: use the `pyproject.toml` of a profile, or its directory

"#]]
    );
    assert_data_eq!(
        refused(&repo, &["sync", "--project", "nowhere"]).told(),
        str![[r#"
error[not-a-manifest]: `[ROOT]/repo/nowhere` does not exist
 |
 = help: use the `pyproject.toml` of a profile, or its directory

"#]]
    );
}

#[test]
fn rejects_an_unknown_configuration_key() {
    let repo = empty().file("pyproject.toml", project("bench") + "\n[tool.uvenv]\nenv-per-backends = true\n").build();
    assert_data_eq!(
        refused(&repo, &["lock"]).told(),
        str![[r#"
error[unknown-key]: unknown key `env-per-backends` in `[tool.uvenv]`
 --> pyproject.toml:7:1
  |
7 | env-per-backends = true
  | ^^^^^^^^^^^^^^^^
  |
  = help: did you mean `env-per-backend`?

"#]]
    );
    repo.uvenv(["lock"]).refused("unknown-key").names(["env-per-backends"]).points_to("pyproject.toml", 7);
}

#[test]
fn rejects_configuration_in_both_manifests() {
    let cargo = "[workspace]\nresolver = \"3\"\n\n[workspace.metadata.uvenv]\nenv-per-backend = true\n";
    let dev = project("bench") + "\n[tool.uvenv]\nenv-per-backend = true\n";
    let repo = empty().file("Cargo.toml", cargo).file("pyproject.toml", dev).build();
    assert_data_eq!(
        refused(&repo, &["lock"]).told(),
        str![[r#"
error[two-configurations]: uvenv is configured in both `[ROOT]/repo/Cargo.toml` and `[ROOT]/repo/pyproject.toml`
 --> pyproject.toml:6:7
  |
6 | [tool.uvenv]
  |       ^^^^^
  |
  = help: move what `[tool.uvenv]` says to `[workspace.metadata.uvenv]` in `Cargo.toml`

"#]]
    );
}

#[test]
fn warns_about_a_member_pattern_without_matches() {
    let dev = project("bench") + "\n[tool.uv]\npackage = false\n\n[tool.uv.workspace]\nmembers = [\"libs/*\"]\n";
    let repo = empty().file("pyproject.toml", dev).build();
    let outcome = repo.uvenv(["lock"]).ok();
    assert_data_eq!(
        outcome.told(),
        str![[r#"
warning[unmatched-member-pattern]: the pattern `libs/*` of workspace members matches no directory with a `pyproject.toml`
  --> pyproject.toml:10:12
   |
10 | members = ["libs/*"]
   |            ^^^^^^^^
   |
   = help: correct the pattern, or remove it
Using CPython [PYTHON] interpreter at: [SCRATCH]/python/[PYTHON]/bin/python3
Resolved 1 package in [TIME]
      Locked dev (uv.lock): 1 package changed

"#]]
    );
}

#[test]
fn warns_about_an_unused_source() {
    let repo = pinned().build();
    repo.replace(
        "prod/pyproject.toml",
        "dependencies = [\"print-utils\", \"bench-utils\"]",
        "dependencies = [\"print-utils\"]",
    );
    let outcome = repo.uvenv(["lock", "--profile", "prod"]).ok();
    assert_data_eq!(
        outcome.told(),
        str![[r#"
warning[unused-source]: prod has a source for `bench-utils`, but nothing there depends on it
  --> prod/pyproject.toml:13:1
   |
13 | bench-utils = { git = "file://[ROOT]/remotes/bench-utils.git", tag = "v0.1.2" }
   | ^^^^^^^^^^^
   |
   = help: add `bench-utils` to the dependencies, or remove the source
Using CPython [PYTHON] interpreter at: [SCRATCH]/python/[PYTHON]/bin/python3
   Updating file://[ROOT]/remotes/print-utils.git (v0.1.2)
    Updated file://[ROOT]/remotes/print-utils.git ([COMMIT])
Resolved 2 packages in [TIME]
      Locked prod (prod/uv.lock): 2 packages changed

"#]]
    );
}

#[test]
fn reports_a_tag_missing_from_the_remote() {
    let repo = pinned().build();
    repo.replace("prod/pyproject.toml", "bench-utils.git\", tag = \"v0.1.2\"", "bench-utils.git\", tag = \"v9.9.9\"");
    let outcome = repo.untouched_by(|| repo.uvenv(["lock", "--profile", "prod"]).ends(1));
    assert!(
        outcome.stderr().contains("couldn't find remote ref refs/tags/v9.9.9"),
        "uv's own words are shown: {outcome}"
    );
    assert_data_eq!(
        outcome.told_at_last(),
        str![[r#"
error[missing-tag]: `bench-utils` is pinned to the tag `v9.9.9`, which does not exist in file://[ROOT]/remotes/bench-utils.git
  --> prod/pyproject.toml:13:81
   |
13 | bench-utils = { git = "file://[ROOT]/remotes/bench-utils.git", tag = "v9.9.9" }
   |                                                                                 ^^^^^^^^
   |
   = help: push `v9.9.9` to the remote, or pin an existing tag: `v0.1.3`, `v0.1.3.dev0`, `v0.1.2`, `v0.1.2.dev0`

"#]]
    );
}

#[test]
fn reports_an_unreachable_remote() {
    let repo = pinned().build();
    fs::remove_dir_all(repo.remote("bench-utils")).unwrap();
    let outcome = repo.untouched_by(|| repo.uvenv(["lock", "--profile", "prod"]).ends(1));
    assert!(
        outcome.stderr().contains("Please make sure you have the correct access rights"),
        "uv's own words are shown: {outcome}"
    );
    assert_data_eq!(
        outcome.told_at_last(),
        str![[r#"
error[unreachable-remote]: the git remote of `bench-utils`, file://[ROOT]/remotes/bench-utils.git, cannot be reached: '[ROOT]/remotes/bench-utils.git' does not appear to be a git repository
  --> prod/pyproject.toml:13:23
   |
13 | bench-utils = { git = "file://[ROOT]/remotes/bench-utils.git", tag = "v0.1.2" }
   |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: check the URL, the network and your credentials: `git ls-remote file://[ROOT]/remotes/bench-utils.git` must succeed

"#]]
    );
}

#[test]
fn rejects_a_lockfile_from_a_newer_uv() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.replace("prod/uv.lock", "version = 1\n", "version = 9\n");
    assert_data_eq!(
        refused(&repo, &["sync", "--profile", "prod"]).told(),
        str![[r#"
error[newer-lockfile]: the lockfile `[ROOT]/repo/prod/uv.lock` has version 9, but this uvenv supports version 1
 --> prod/uv.lock:1:11
  |
1 | version = 9
  |           ^
  |
  = help: update uvenv and uv to versions that support it

"#]]
    );
    repo.uvenv(["sync", "--profile", "prod", "--frozen"]).refused("newer-lockfile").points_to("prod/uv.lock", 1);
}

#[test]
fn rejects_a_damaged_lockfile() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let half = repo.lockfile("prod");
    repo.write("prod/uv.lock", &half[..half.find("source = {").unwrap() + 12]);
    assert_data_eq!(
        refused(&repo, &["sync", "--profile", "prod"]).told(),
        str![[r#"
error[damaged-lockfile]: `[ROOT]/repo/prod/uv.lock` is not valid TOML: unclosed inline table, expected `}`
 --> prod/uv.lock:8:13
  |
8 | source = { v
  |             ^
  |
  = help: restore the file from version control, or delete it and lock again

"#]]
    );
    repo.uvenv(["sync", "--profile", "prod", "--frozen"]).refused("damaged-lockfile").points_to("prod/uv.lock", 8);
    repo.write("prod/uv.lock", half.replace("source = {", "sauce = {"));
    assert_data_eq!(
        refused(&repo, &["sync", "--profile", "prod"]).told(),
        str![[r#"
error[damaged-lockfile]: the lockfile `[ROOT]/repo/prod/uv.lock` is damaged: a package has no source
 --> prod/uv.lock:5:1
  |
5 | [[package]]
  | ^^^^^^^^^^^
  |
  = help: restore the file from version control, or delete it and lock again

"#]]
    );
    repo.uvenv(["sync", "--profile", "prod", "--frozen"]).refused("damaged-lockfile").points_to("prod/uv.lock", 5);
}

/// A dev profile with one package, synced.
fn synced() -> Fixture {
    let repo = empty().package("print-utils").build();
    repo.uvenv(["sync"]).ok();
    repo
}

#[test]
fn rejects_an_environment_without_pyvenv_cfg() {
    let repo = synced();
    let environment = repo.environment("dev");
    let complete = environment.files();
    fs::remove_file(environment.path().join("pyvenv.cfg")).unwrap();
    assert_data_eq!(
        refused(&repo, &["sync"]).told(),
        str![[r#"
error[broken-environment]: the environment `[ROOT]/repo/.venv` has no `pyvenv.cfg`
 |
 = help: add `--recreate` to remove it and create it again

"#]]
    );
    repo.untouched_by(|| repo.uvenv(["run", "--", "python", "-V"]).ends(2));
    assert_eq!(repo.in_base_interpreter(), ["pip"]);
    repo.uvenv(["sync", "--recreate"]).ok();
    environment.files().assert_eq(&complete);
}

#[cfg(unix)]
#[test]
fn rejects_an_environment_with_a_broken_interpreter() {
    let repo = synced();
    let environment = repo.environment("dev");
    let complete = environment.files();
    for name in ["python", "python3"] {
        let _ = fs::remove_file(environment.path().join("bin").join(name));
        std::os::unix::fs::symlink("/nowhere/python3", environment.path().join("bin").join(name)).unwrap();
    }
    assert_data_eq!(
        refused(&repo, &["sync"]).told(),
        str![[r#"
error[broken-environment]: the environment `[ROOT]/repo/.venv` has a broken link `bin/python` to `/nowhere/python3`
 |
 = help: add `--recreate` to remove it and create it again

"#]]
    );
    repo.uvenv(["sync", "--recreate"]).ok();
    environment.files().assert_eq(&complete);
}

#[test]
fn keeps_the_environment_when_recreating_it_fails() {
    let repo = synced();
    let before = repo.environment("dev").files();
    repo.uvenv(["sync", "--recreate", "--python", "3.99"]).fails("uv-failed");
    assert!(repo.environment("dev").files() == before);
    repo.uvenv(["sync", "--recreate"]).ok();
    repo.uvenv(["run", "--no-sync", "--", "python", "-c", "import print_utils"]).ok();
}

#[test]
fn rejects_a_directory_that_is_not_an_environment() {
    let repo = empty().file(".venv/notes.txt", "mine").build();
    assert_data_eq!(
        refused(&repo, &["sync"]).told(),
        str![[r#"
error[not-an-environment]: `[ROOT]/repo/.venv` is not an environment: it is a directory with other files
 |
 = help: move or remove `[ROOT]/repo/.venv`; uvenv does not remove it

"#]]
    );
    assert_eq!(repo.read(".venv/notes.txt"), "mine");
}

#[cfg(target_os = "linux")]
#[test]
fn reports_a_read_only_directory() {
    let repo = empty().package("print-utils").build();
    repo.uvenv(["lock"]).ok();
    let Some(sync) = repo.uvenv(["sync"]).with_read_only(&repo.root()) else {
        return;
    };
    let outcome = repo.untouched_by(|| sync.ends(2));
    assert_data_eq!(
        outcome.told(),
        str![[r#"
Using CPython [PYTHON] interpreter at: [SCRATCH]/python/[PYTHON]/bin/python3
Creating virtual environment at: .venv
error: failed to create directory `[ROOT]/repo/.venv`: Read-only file system (os error 30)
error[environment-not-writable]: the environment `[ROOT]/repo/.venv` cannot be changed: [ROOT]/repo: Read-only file system (os error 30)
 |
 = help: get write permission for `[ROOT]/repo`

"#]]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn recovers_from_a_full_disk() {
    let index = Index::url("large");
    let dev = project("bench")
        + "dependencies = [\"large\"]\n\n[tool.uv]\npackage = false\n\n[tool.uv.sources]\nlarge = { index = \"large\" }\n"
        + &format!("\n[[tool.uv.index]]\nname = \"large\"\nurl = \"{index}\"\nexplicit = true\n");
    let repo = empty().file("pyproject.toml", dev).build();
    repo.uvenv(["lock"]).ok();
    let script = format!(
        "cp -R '{root}' '{temporary}/copy'
         mount -t tmpfs -o size=4m tmpfs '{root}'
         cp -R '{temporary}/copy/.' '{root}'
         cd '{root}'
         status=0; \"$@\" || status=$?
         test $status = 1
         mount -o remount,size=64m '{root}'
         \"$@\" >&2
         .venv/bin/python -c 'import large.part_2999'
         echo healed: $(ls .venv/lib/python*/site-packages/large | grep -c part_) files",
        root = repo.root(),
        temporary = repo.temporary(),
    );
    let Some(sync) = repo.uvenv(["sync"]).in_mount_namespace(&script) else {
        return;
    };
    let outcome = sync.ok();
    assert!(outcome.stdout().ends_with("healed: 3000 files\n"), "{outcome}");
    assert!(outcome.stderr().contains("No space left on device"), "{outcome}");
}

#[cfg(target_os = "linux")]
#[test]
fn handles_names_that_are_not_unicode() {
    use std::os::unix::ffi::OsStrExt as _;

    let repo = empty().build();
    let odd = OsStr::from_bytes(b"caf\xe9");
    for option in ["--project", "--manifest-path", "-C", "--profile", "--backend"] {
        let outcome = repo.uvenv([OsStr::new("sync"), OsStr::new(option), odd]).ends(2);
        assert!(!outcome.stderr().contains("panicked"), "{outcome}");
    }
    let directory = repo.root().as_std_path().join(odd);
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("pyproject.toml"), project("bench")).unwrap();
    let outcome = repo.uvenv(["sync"]).within(&directory).ends(2);
    assert_data_eq!(
        outcome.told(),
        str![[r#"
error[non-utf8-path]: the path `[ROOT]/repo/caf�` is not valid UTF-8
 |
 = help: rename the directory, or use a path that is valid UTF-8

"#]]
    );
    // A file with a name that is not Unicode beside the manifests is harmless.
    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "").unwrap();
    repo.uvenv(["sync"]).ok();
    let outcome = repo.uvenv(["run", "--", "python", "-c", "import sys, os; print(ascii(os.fsencode(sys.argv[1])))"]);
    assert_eq!(outcome.args([odd]).ok().stdout(), "b'caf\\xe9'\n");
}

#[cfg(unix)]
#[test]
fn handles_very_long_paths() {
    let repo = empty().build();
    let too_long = "long/".repeat(2000);
    for option in ["--project", "--manifest-path", "-C"] {
        let outcome = repo.uvenv(["sync", option, &too_long]).ends(2);
        assert!(!outcome.stderr().contains("panicked"), "{outcome}");
    }
    let deep: Utf8PathBuf = std::iter::repeat_n("d".repeat(200), 16).collect();
    repo.write(deep.join("pyproject.toml"), project("bench"));
    let outcome = repo.uvenv(["sync"]).within(&deep).run();
    assert!(outcome.status().is_some() && !outcome.stderr().contains("panicked"), "{outcome}");
}

/// A directory name with characters that are special to a shell.
const ODD: &str = "it's $(touch touched) `touch touched` \"x\" & ; -d";

#[cfg(unix)]
#[test]
fn works_in_a_directory_with_an_unusual_name() {
    let repo = empty().build();
    let odd = Utf8PathBuf::from(ODD);
    for package in ["bench-utils", "print-utils"] {
        let manifest = project(package)
            + "\n[build-system]\nrequires = [\"uv_build>=0.7.16,<0.14\"]\nbuild-backend = \"uv_build\"\n";
        repo.write(odd.join(format!("-{package}/pyproject.toml")), manifest);
        repo.write(odd.join(format!("-{package}/src/{}/__init__.py", package.replace('-', "_"))), "");
    }
    let dev = project("bench")
        + "dependencies = [\"bench-utils\", \"print-utils\"]\n\n[tool.uv]\npackage = false\n\n[tool.uv.workspace]\n\
           members = [\"-*\"]\n\n[tool.uv.sources]\nbench-utils = { workspace = true }\nprint-utils = { workspace = true }\n";
    repo.write(odd.join("pyproject.toml"), dev);
    repo.uvenv(["-C", ODD, "sync"]).ok();
    repo.uvenv(["status"]).within(ODD).ok();
    let imported = ["run", "--", "python", "-c", "import bench_utils, print_utils, sys; print(sys.prefix)"];
    let said = repo.uvenv(imported).within(odd.join("-bench-utils")).ok();
    assert_eq!(said.stdout().trim(), repo.root().join(odd).join(".venv"));
    assert_nothing_touched(&repo);
}

/// Asserts that no shell ran `touch touched` in any directory.
fn assert_nothing_touched(repo: &Fixture) {
    let found =
        repo.program("python3", ["-c", "import pathlib, sys; print(*pathlib.Path(sys.argv[1]).rglob('touched'))"]);
    assert_eq!(found.args([repo.temporary()]).ok().stdout(), "\n");
}

#[cfg(unix)]
#[test]
fn never_treats_option_values_as_flags_or_scripts() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    for value in ["--help", "--version", "-V", "$(touch touched)", "; touch touched", "-"] {
        for option in ["--profile", "--project", "--backend", "--package", "--extra", "--group", "--python"] {
            let flag = format!("{option}={value}");
            let outcome = repo.uvenv(["sync", "--frozen", "--backend=cu124", &flag]).run();
            assert!(outcome.status().is_some_and(|status| status == 1 || status == 2), "{outcome}");
            assert_eq!(outcome.stdout(), "", "{outcome}");
        }
    }
    assert_nothing_touched(&repo);
}

#[cfg(unix)]
#[test]
fn never_treats_tags_as_flags_or_scripts() {
    let repo = pinned().build();
    let manifest = repo.read("prod/pyproject.toml");
    for tag in ["--upload-pack=touch touched", "$(touch touched)", "`touch touched`", "v0.1.2; touch touched", "-v"] {
        repo.write("prod/pyproject.toml", manifest.replace("tag = \"v0.1.2\"", &format!("tag = \"{tag}\"")));
        let outcome = repo.uvenv(["lock", "--profile", "prod"]).run();
        assert!(outcome.status().is_some_and(|status| status == 1 || status == 2), "{outcome}");
        assert!(!repo.root().join("prod/uv.lock").exists(), "{outcome}");
    }
    assert_nothing_touched(&repo);
}

#[test]
fn rejects_git_urls_that_run_programs() {
    let repo = pinned().build();
    let manifest = repo.read("prod/pyproject.toml");
    let url = format!("file://{}", repo.remote("bench-utils"));
    for bad in [
        "ext::sh -c touch% touched",
        "--upload-pack=touch touched",
        "git+ext::sh -c true",
        "-oProxyCommand=touch touched",
    ] {
        repo.write("prod/pyproject.toml", manifest.replace(&url, bad));
        for command in ["lock", "sync"] {
            repo.uvenv([command, "--profile", "prod"]).refused("unsafe-git-source").names(["bench-utils"]);
        }
    }
    assert_data_eq!(
        refused(&repo, &["lock", "--profile", "prod"]).told(),
        str![[r#"
error[unsafe-git-source]: the source of `bench-utils` has an unsafe git URL: `-oProxyCommand=touch touched`
  --> prod/pyproject.toml:13:23
   |
13 | bench-utils = { git = "-oProxyCommand=touch touched", tag = "v0.1.2" }
   |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: use a URL that starts with `https://`, `ssh://`, `git://`, `http://` or `file://`

"#]]
    );
    assert_nothing_touched(&repo);
}

#[test]
fn never_prints_credentials() {
    let repo = pinned().build();
    let manifest = repo.read("prod/pyproject.toml");
    let url = format!("file://{}", repo.remote("bench-utils"));
    // A server that has neither the repository nor the package, and responds immediately.
    let index = Index::url("small").replace("http://", "http://ann:s3cret@");
    repo.write("prod/pyproject.toml", manifest.replace(&url, &format!("{index}/bench-utils.git")));
    let index = format!("\n[[tool.uv.index]]\nname = \"private\"\nurl = \"{index}\"\nexplicit = true\n");
    repo.write(
        "pyproject.toml",
        repo.read("pyproject.toml")
            .replace("[tool.uv.sources]\n", "[tool.uv.sources]\nsix = { index = \"private\" }\n")
            + &index,
    );
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"six\", ");
    for arguments in [
        &["lock", "--profile", "prod"][..],
        &["-v", "lock", "--profile", "prod"],
        &["--message-format", "json", "lock", "--profile", "prod"],
        &["lock"],
        &["-v", "sync"],
        &["--message-format", "json", "sync"],
        &["status"],
        &["--message-format", "json", "status"],
        &["sync", "--profile", "prod", "--dry-run"],
    ] {
        let outcome = repo.uvenv(arguments).run();
        assert!(!outcome.stdout().contains("s3cret") && !outcome.stderr().contains("s3cret"), "{outcome}");
    }
}

#[test]
fn never_panics_on_truncated_files() {
    let repo = pinned().build();
    let manifest = repo.read("prod/pyproject.toml");
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let lockfile = repo.lockfile("prod");
    // Prefixes of both files that end at interesting places, as an editor or a full disk may leave them.
    for (path, text) in [("prod/pyproject.toml", &manifest), ("prod/uv.lock", &lockfile)] {
        for (end, _) in text.match_indices(['\n', '"', '[', '=']).step_by(7) {
            repo.write(path, &text[..end]);
            let outcome = repo.uvenv(["status"]).run();
            assert!(outcome.status().is_some_and(|status| status <= 2), "{path} up to {end}: {outcome}");
        }
        repo.write(path, text);
    }
}
