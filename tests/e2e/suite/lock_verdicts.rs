//! What uv says of lockfiles is what uvenv says. (The test with random changes covers the rest.)

use uvenv_tests::{Fixture, Index};

use super::{empty, pinned};

/// The codes of the findings of `check`.
fn codes(repo: &Fixture, arguments: &[&str]) -> Vec<String> {
    let report = repo.uvenv([&["check"], arguments].concat()).arg_json().run().report("check-finished");
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// The state of dev's lockfile and its reasons.
fn state(repo: &Fixture) -> (String, String) {
    let status = repo.uvenv(["status"]).json().report("status");
    let lockfile = &status["profiles"][0]["lockfile"];
    (lockfile["state"].as_str().unwrap().to_owned(), lockfile["reasons"].to_string())
}

#[test]
fn directory_without_a_manifest_that_members_select_is_found() {
    let repo = empty().package("one").build();
    repo.uvenv(["sync"]).ok();
    repo.write("packages/old/__pycache__/x.pyc", "");
    repo.uv(["lock", "--check"]).ends(2);
    assert_eq!(codes(&repo, &[]), ["rejected-by-uv"]);
    let (state, reasons) = state(&repo);
    assert!(state == "unknown" && reasons.contains("packages/old"), "{state} {reasons}");
    repo.uvenv(["lock", "--locked"]).fails("uv-failed").names(["uv lock"]);
}

#[test]
fn settings_and_indexes_are_reasons() {
    let repo = empty().package("one").build();
    let index = format!("\n[[tool.uv.index]]\nname = \"small\"\nurl = \"{}\"\ndefault = true\n", Index::url("small"));
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"alpha-lib\", ");
    repo.write("pyproject.toml", repo.read("pyproject.toml") + &index);
    repo.uvenv(["lock"]).ok();
    assert_eq!(state(&repo).0, "fresh");
    let manifest = repo.read("pyproject.toml");
    let other = format!("\n[[tool.uv.index]]\nname = \"other\"\nurl = \"{}\"\nexplicit = true\n", Index::url("other"));
    let changes = [
        ("[tool.uv]\n", "[tool.uv]\nconstraint-dependencies = [\"alpha-lib<2\"]\n", "mismatched constraints"),
        ("[tool.uv]\n", "[tool.uv]\nresolution = \"lowest\"\n", "change in resolution mode"),
        ("[tool.uv]\n", "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n", "environments"),
        ("small/simple", "other/simple", "missing remote index"),
        (
            "[tool.uv.sources]\n",
            "[tool.uv.sources]\nalpha-lib = { index = \"other\" }\n",
            "the index of `alpha-lib` is",
        ),
    ];
    for (from, to, reason) in changes {
        let more = if to.contains("other\"") { &other } else { "" };
        repo.write("pyproject.toml", manifest.replace(from, to) + more);
        assert_ne!(repo.uv(["lock", "--check", "--offline"]).run().status(), Some(0), "{to}");
        let (state, reasons) = state(&repo);
        assert!(state == "stale" && reasons.contains(reason), "{to}: {state} {reasons}");
        let message = repo.uvenv(["lock", "--locked", "--offline"]).fails("stale-lockfile");
        message.names([reason]);
        assert!(codes(&repo, &[]).contains(&"stale-lockfile".to_owned()), "{to}");
    }
}

#[test]
fn what_uv_cannot_tell_without_the_network_is_unknown() {
    let repo = empty().package("one").build();
    let dynamic = "[project]\nname = \"one\"\ndynamic = [\"version\", \"dependencies\"]\nrequires-python = \">=3.9\"\n\n\
                   [build-system]\nrequires = [\"setuptools>=40\"]\nbuild-backend = \"setuptools.build_meta\"\n";
    repo.write("packages/one/pyproject.toml", dynamic);
    repo.write("packages/one/setup.py", "import setuptools\nsetuptools.setup(version='1', install_requires=['six'])\n");
    repo.uvenv(["lock"]).ok();
    // Without its cache, uv has to build the package for its metadata.
    let cold = |arguments: &[&str]| repo.uvenv(arguments).env("UV_CACHE_DIR", repo.temporary().join("cold"));
    let status = cold(&["status"]).json().report("status");
    assert_eq!(status["profiles"][0]["lockfile"]["state"], "unknown", "{status}");
    let report = cold(&["check"]).json().report("check-finished");
    assert_eq!(report["findings"][0]["code"], "unverified-lockfile", "{report}");
    let report = cold(&["check", "--remote"]).json().report("check-finished");
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{report}");
}

#[test]
fn lockfile_that_uv_cannot_read_is_damaged_everywhere() {
    let repo = empty().package("one").build();
    repo.uvenv(["lock"]).ok();
    let lockfile = repo.lockfile("dev");
    let missing = lockfile.replace(
        "[[package]]",
        "[[package]]\nname = \"x\"\nsource = { virtual = \"x\" }\n\
        dependencies = [{ name = \"zz\" }]\n\n[[package]]",
    );
    for text in ["garbage".to_owned(), "<<<<<<< HEAD\n".to_owned() + &lockfile, String::new(), missing] {
        repo.write("uv.lock", &text);
        repo.uv(["lock", "--check"]).ends(2);
        for command in [["lock", "-v"], ["lock", "--locked"]] {
            repo.untouched_by(|| repo.uvenv(command).refused("damaged-lockfile"));
        }
        for mode in ["--frozen", "--locked"] {
            // uv may make the environment first.
            repo.uvenv(["sync", mode]).refused("damaged-lockfile");
        }
        assert_eq!(codes(&repo, &[]), ["damaged-lockfile"], "{text}");
        assert_eq!(state(&repo).0, "unreadable", "{text}");
    }
}

#[test]
fn frozen_does_not_install_from_another_index_than_the_manifest_names() {
    let repo = pinned().build();
    let index = |name: &str| {
        format!("\n[[tool.uv.index]]\nname = \"{name}\"\nurl = \"{}\"\nexplicit = true\n", Index::url(name))
    };
    let path = "prod/pyproject.toml";
    repo.replace(path, "dependencies = [", "dependencies = [\"alpha-lib\", ");
    repo.replace(path, "[tool.uv.sources]\n", "[tool.uv.sources]\nalpha-lib = { index = \"small\" }\n");
    repo.write(path, repo.read(path) + &index("small") + &index("other"));
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let sync = ["sync", "--profile", "prod", "--frozen"];
    repo.uvenv(sync).ok();
    repo.replace(path, "{ index = \"small\" }", "{ index = \"other\" }");
    let refusal = repo.untouched_by(|| repo.uvenv(sync).fails("stale-lockfile"));
    refusal.names(["alpha-lib", "other/simple", "small/simple"]).helps(["--allow-stale"]);
    repo.uvenv([&sync[..], &["--allow-stale"]].concat()).ok();
    // A marker may exclude the platforms that are locked, so it is not certain.
    repo.replace(path, "{ index = \"other\" }", "[{ index = \"other\", marker = \"sys_platform == 'win32'\" }]");
    repo.uvenv(sync).ok();
}
