//! `bundle`: one file of a vendored profile that installs itself.

use std::{fs, os::unix::fs::PermissionsExt as _};

use camino::Utf8PathBuf;
use uvenv_tests::{Fixture, Invocation};

use super::{PACKAGES, three_profiles, torch};

const BUNDLE: [&str; 7] = ["bundle", "--profile", "prod", "--backend", "cu124", "-o", "../prod.run"];

/// A monorepo whose prod is in a bundle, beside it.
fn bundled() -> Fixture {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "cu124", "--with-uv"]).ok();
    repo.uvenv(BUNDLE).ok();
    repo
}

fn bundle(repo: &Fixture) -> Utf8PathBuf {
    repo.temporary().join("prod.run")
}

/// The bundle on a node that has a Python and the usual tools, and neither uv, git and cargo nor, where the machine allows it,
/// a network.
fn on_node<'a>(repo: &'a Fixture, arguments: &[&str]) -> Invocation<'a> {
    let node = repo.temporary().join("node");
    fs::create_dir_all(&node).unwrap();
    let command = repo.script(&bundle(repo), arguments).within(&node).env("UVENV_CACHE_DIR", node.join("cache"));
    let command = command.env_remove("UVENV_UV").without("git").without("cargo").without("rustc").with_system();
    command.clone().without_network().unwrap_or(command)
}

#[test]
fn runs_on_a_machine_that_has_nothing_but_python() {
    let repo = bundled();
    fs::remove_dir_all(repo.root()).unwrap();
    fs::create_dir(repo.root()).unwrap();
    for package in PACKAGES {
        on_node(&repo, &["run", "--", "python", "-c", &format!("import {}", package.replace('-', "_"))]).ok();
    }
    let code = "import os, torch; print(torch.__version__, os.getcwd())";
    let said = on_node(&repo, &["run", "--", "python", "-c", code]).ok();
    assert_eq!(said.stdout().trim(), format!("{} {}", torch("cu124"), repo.temporary().join("node")));
    // The exit status is that of the command, and arguments stay what they are.
    on_node(&repo, &["run", "--", "python", "-c", "raise SystemExit(7)"]).ends(7);
    let said =
        on_node(&repo, &["run", "--", "python", "-c", "import sys; print(sys.argv[1:])", "a b", "--", "$HOME"]).ok();
    assert_eq!(said.stdout().trim(), "['a b', '--', '$HOME']");
    on_node(&repo, &["verify"]).ok();
    // It is found on PATH, and other settings do not decide what it is.
    let found = repo.temporary().join("node/found");
    fs::create_dir(&found).unwrap();
    fs::copy(bundle(&repo), found.join("prod.run")).unwrap();
    let outside = ["run", "--", "sh", "-c", &format!("PATH={found}:$PATH; prod.run run -- python -c 'import torch'")];
    let outside = on_node(&repo, &outside).env("UV_PROJECT_ENVIRONMENT", "elsewhere").env("UVENV_PROFILE", "dev");
    outside.env("UVENV_VENDORED", "/nowhere").env("UVENV_BACKEND", "cu128").env("UV_NO_SYNC", "1").ok();
    let nowhere = on_node(&repo, &["verify"]).env_remove("UVENV_CACHE_DIR").env_remove("HOME").ends(2);
    assert!(nowhere.stderr().contains("bundle-io") && nowhere.stderr().contains("UVENV_CACHE_DIR"), "{nowhere}");
    let sync = || on_node(&repo, &["sync", "--message-format", "json"]).ok().report("sync-finished");
    assert_eq!(sync()["changed"], false);
    let report = sync();
    assert_eq!((&report["changed"], &report["uv_invoked"]), (&false.into(), &false.into()), "{report}");
}

#[test]
fn many_at_once_unpack_and_install_once() {
    let repo = bundled();
    let start = |number: usize| {
        let code = format!("import bench_utils; print({number})");
        on_node(&repo, &["run", "--", "python", "-c", &code]).ok().stdout().trim().to_owned()
    };
    let said: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || start(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(said, (0..8).map(|number| number.to_string()).collect::<Vec<_>>());
    let bundles = repo.temporary().join("node/cache/bundles").read_dir_utf8().unwrap();
    let bundles: Vec<_> = bundles.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    assert!(bundles.iter().all(|name| !name.contains("unfinished") && !name.contains('~')), "{bundles:?}");
    on_node(&repo, &["verify"]).ok();
}

#[test]
fn same_inputs_make_the_same_bundle() {
    let repo = bundled();
    let first = fs::read(bundle(&repo)).unwrap();
    assert_ne!(fs::metadata(bundle(&repo)).unwrap().permissions().mode() & 0o100, 0);
    let report = repo.uvenv(BUNDLE).json().report("bundle-finished");
    assert!(first == fs::read(bundle(&repo)).unwrap());
    assert_eq!((&report["profile"], &report["backend"]), (&"prod".into(), &"cu124".into()));
    assert_eq!(report["size"], first.len());
}

#[test]
fn rejects_damaged_bundles_and_unknown_commands() {
    let repo = bundled();
    let whole = fs::read(bundle(&repo)).unwrap();
    // What scp has not finished.
    for length in [whole.len() - 1, whole.len() / 2] {
        fs::write(bundle(&repo), &whole[..length]).unwrap();
        let said = on_node(&repo, &["run", "--", "python", "-c", ""]).ends(2);
        assert!(said.stderr().contains("damaged-bundle") && said.stderr().contains("copy it again"), "{said}");
    }
    // One flipped byte in a wheel: the archive has a checksum of it.
    let mut flipped = whole.clone();
    let at = flipped.windows(30).rposition(|window| window.starts_with(b"PK\x03\x04")).unwrap() + 120;
    flipped[at] ^= 1;
    fs::write(bundle(&repo), &flipped).unwrap();
    on_node(&repo, &["run", "--message-format", "json", "--", "python", "-c", ""]).ends(2);
    assert!(
        !repo.temporary().join("node/cache/bundles").read_dir_utf8().unwrap().any(|entry| entry
            .unwrap()
            .path()
            .join("prod")
            .exists())
    );
    // One flipped byte in the launcher, and a name in the list of the archive's files. The cache is as it was.
    let _ = fs::remove_dir_all(repo.temporary().join("node/cache"));
    let launcher = whole.windows(4).position(|window| window == b"\x7fELF").unwrap();
    let name = whole.windows(12).rposition(|window| window == b"prod/uv.lock").unwrap();
    for at in [launcher + 5000, name] {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x20;
        fs::write(bundle(&repo), &flipped).unwrap();
        let said = on_node(&repo, &["run", "--", "python", "-c", ""]).ends(2);
        assert!(said.stderr().contains("damaged-bundle"), "{said}");
    }
    fs::write(bundle(&repo), &whole).unwrap();
    on_node(&repo, &["run", "--", "python", "-c", ""]).ok();
    // A launcher that is not whole is replaced.
    let cache = repo.temporary().join("node/cache/bundles").read_dir_utf8().unwrap();
    let mut launchers = cache.map(|entry| entry.unwrap().into_path());
    let launcher = launchers.find(|path| path.file_name().unwrap().starts_with("cargo-uvenv-")).unwrap();
    fs::write(&launcher, "").unwrap();
    on_node(&repo, &["run", "--", "python", "-c", ""]).ok();
    for words in [&["lock"][..], &[]] {
        let said = on_node(&repo, words).ends(2);
        assert!(said.stderr().contains("no-bundle-command") && said.stderr().contains("`run`"), "{said}");
    }
}

#[test]
fn needs_a_directory_with_uv() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(BUNDLE).refused("no-vendored-lock");
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "cu124"]).ok();
    let refusal = repo.uvenv(BUNDLE).refused("no-uv-for-bundle");
    refusal.helps(["--with-uv"]);
    assert!(!bundle(&repo).exists());
}

#[test]
fn rejects_changed_wheels_of_the_profile_and_of_uv() {
    let repo = bundled();
    let written = fs::metadata(bundle(&repo)).unwrap().modified().unwrap();
    let wheels: Vec<_> =
        fs::read_dir(repo.root().join("vendored/wheels")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for name in ["torch-", "uv-"] {
        let of_name = |path: &&std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(name);
        let wheel = wheels.iter().find(of_name).unwrap();
        let right = fs::read(wheel).unwrap();
        fs::write(wheel, &right[1..]).unwrap();
        repo.uvenv(BUNDLE).refused("changed-vendored-file").names([name]);
        fs::write(wheel, right).unwrap();
    }
    assert_eq!(fs::metadata(bundle(&repo)).unwrap().modified().unwrap(), written);
}
