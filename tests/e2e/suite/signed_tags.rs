//! `[tool.uvenv.trust]`: pins whose tags must be signed, with real keys of ssh-keygen.

use std::fs;

use camino::Utf8PathBuf;
use uvenv_tests::Fixture;

use super::{PACKAGES, pinned};

/// A monorepo that requires signed tags for prod, and the key that it trusts. The tag `v0.1.2` is signed by it. `None` where
/// there is no ssh-keygen, with which git signs and verifies.
fn signed() -> Option<Fixture> {
    let repo = pinned().build();
    if repo.program("sh", ["-c", "command -v ssh-keygen"]).with_system().run().status() != Some(0) {
        return None;
    }
    let manifest = repo.read("pyproject.toml");
    let trust = "[tool.uvenv.trust]\nsigned-tags = [\"prod\"]\nallowed-signers = \"allowed_signers\"\n";
    repo.write("pyproject.toml", format!("{manifest}\n{trust}"));
    let key = key(&repo, "trusted");
    let public = fs::read_to_string(format!("{key}.pub")).unwrap();
    repo.write("allowed_signers", format!("release@example.com {public}"));
    for package in PACKAGES {
        sign(&repo, package, "v0.1.2", Some("trusted"));
    }
    repo.uvenv(["lock", "--all-profiles"]).ok();
    Some(repo)
}

/// A key with this name.
fn key(repo: &Fixture, name: &str) -> Utf8PathBuf {
    let path = repo.temporary().join(name);
    if !path.exists() {
        let script = "exec ssh-keygen -q -t ed25519 -N '' -C \"$0\" -f \"$1\"";
        repo.program("sh", ["-c", script, name, path.as_str()]).with_system().ok();
    }
    path
}

/// Makes the tag anew at the same commit: signed by a key, or annotated but not signed.
fn sign(repo: &Fixture, package: &str, tag: &str, by: Option<&str>) {
    let remote = repo.remote(package);
    let commit = repo.tag_commit(package, tag);
    let signing = by.map(|name| format!("user.signingKey={}", key(repo, name)));
    let settings = ["-c", "gpg.format=ssh", "-c", "user.name=Release", "-c", "user.email=release@example.com"];
    let sign = signing.iter().flat_map(|setting| ["-c", setting.as_str()]);
    let kind = if by.is_some() { "--sign" } else { "--annotate" };
    let tag = ["tag", "--force", kind, "--message", "Release", tag, &commit];
    let arguments = ["-C", remote.as_str()].into_iter().chain(settings).chain(sign).chain(tag);
    repo.program("git", arguments).with_system().ok();
}

/// `CODE PACKAGE` of the findings.
fn findings(repo: &Fixture, status: i32) -> Vec<String> {
    let report = repo.uvenv(["check", "--remote"]).with_system().arg_json().ends(status).report("check-finished");
    let text = |finding: &serde_json::Value| {
        format!("{} {}", finding["code"].as_str().unwrap(), finding["package"].as_str().unwrap())
    };
    report["findings"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn check_accepts_tags_of_trusted_signers() {
    let Some(repo) = signed() else { return };
    assert_eq!(findings(&repo, 0), [""; 0]);
}

#[test]
fn vendored_locks_have_the_signatures() {
    let Some(repo) = signed() else { return };
    sign(&repo, "print-utils", "v0.1.2", None);
    repo.uvenv(["vendor", "--profile", "prod", "-o", "vendored"]).ok();
    let lock = repo.read("vendored/pylock.toml");
    for package in PACKAGES {
        let git = |arguments: &[&str]| {
            let remote = repo.remote(package);
            repo.program("git", ["-C", remote.as_str()].iter().chain(arguments)).ok().stdout().trim().to_owned()
        };
        assert!(lock.contains(&format!("tag-object = \"{}\"", git(&["rev-parse", "v0.1.2"]))), "{lock}");
        let tag = git(&["cat-file", "tag", "v0.1.2"]);
        let signature = tag.find("-----BEGIN").map(|start| &tag[start..]);
        assert_eq!(signature.is_some(), package == "bench-utils", "{tag}");
        assert!(signature.is_none_or(|signature| lock.contains(signature)), "{lock}");
    }
    repo.uvenv(["sync", "--profile", "prod", "--vendored", "vendored"]).ok();
}

#[test]
fn check_reports_unsigned_tags_and_untrusted_signers() {
    let Some(repo) = signed() else { return };
    sign(&repo, "bench-utils", "v0.1.2", None);
    sign(&repo, "print-utils", "v0.1.2", Some("stranger"));
    assert_eq!(findings(&repo, 1), ["unsigned-tag bench-utils", "untrusted-signer print-utils"]);
    // A lightweight tag has no signature.
    let commit = repo.tag_commit("print-utils", "v0.1.2");
    repo.program("git", ["-C", repo.remote("print-utils").as_str(), "tag", "--force", "--no-sign", "v0.1.2", &commit])
        .ok();
    assert_eq!(findings(&repo, 1), ["unsigned-tag bench-utils", "unsigned-tag print-utils"]);
    // Without the file, nobody is trusted.
    fs::remove_file(repo.root().join("allowed_signers")).unwrap();
    sign(&repo, "print-utils", "v0.1.2", Some("trusted"));
    assert_eq!(findings(&repo, 1), ["unsigned-tag bench-utils", "untrusted-signer print-utils"]);
}

#[test]
fn promote_takes_only_tags_of_trusted_signers() {
    let Some(repo) = signed() else { return };
    let promote = |status| repo.uvenv(["promote", "--to", "prod", "bench-utils"]).with_system().ends(status);
    let before = repo.read("prod/pyproject.toml");
    for (by, code) in [(None, "unsigned-tag"), (Some("stranger"), "untrusted-signer")] {
        sign(&repo, "bench-utils", "v0.1.3", by);
        let said = promote(1);
        assert!(said.stderr().contains(&format!("error[{code}]")), "{said}");
        assert_eq!(repo.read("prod/pyproject.toml"), before);
    }
    sign(&repo, "bench-utils", "v0.1.3", Some("trusted"));
    promote(0);
    assert!(repo.read("prod/pyproject.toml").contains("tag = \"v0.1.3\""));
}

#[test]
fn rejects_a_profile_without_pins() {
    let repo = pinned().build();
    let manifest = repo.read("pyproject.toml");
    repo.write("pyproject.toml", format!("{manifest}\n[tool.uvenv.trust]\nsigned-tags = [\"dev\"]\n"));
    repo.uvenv(["check"]).refused("not-a-pinned-profile").names(["dev"]).helps(["staging", "prod"]);
}
