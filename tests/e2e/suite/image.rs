//! `image`: container images with the environment of a vendored profile.
#![expect(clippy::disallowed_methods, reason = "archives are made and read with tar")]

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use uvenv_tests::{
    Container, Cpython, Fixture, Invocation, Monorepo, Registry, Uv, answer, cargo_uvenv, debian_base, image_program,
    inspected, run,
};

use super::{PACKAGES, three_profiles, torch};

/// A monorepo whose prod is vendored with cu124.
fn vendored() -> Fixture {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    vendor(&repo);
    repo
}

fn vendor(repo: &Fixture) {
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "cu124", "-o", "vendored"]).ok();
}

/// The command with a base; what comes after, the test adds.
fn image<'a>(repo: &'a Fixture, base: &Utf8Path, more: &[&str]) -> Invocation<'a> {
    let image = ["image", "--profile", "prod", "--backend", "cu124", "--base", base.as_str()];
    repo.uvenv(image).without("git").without("cargo").without("rustc").args(more)
}

fn layout_base() -> Utf8PathBuf {
    debian_base().join("layout")
}

fn made(invocation: Invocation<'_>) -> Value {
    invocation.json().report("image-finished")
}

/// The digests of the layers with `content`.
fn digests(report: &Value, content: &str) -> Vec<String> {
    let layers = report["layers"].as_array().unwrap().iter().filter(|layer| layer["content"] == content);
    layers.map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn runs_in_a_container_where_it_is_verified() {
    let repo = vendored();
    let layout = repo.temporary().join("layout");
    let command =
        ["-t", "app:1.0", "-o", layout.as_str(), "--user", "65534:65534", "--", "python", "-m", "bench_utils"];
    let report = made(image(&repo, &layout_base(), &command));
    assert_eq!(report["name"], "docker.io/library/app:1.0");
    let container = Container::of(&layout, "1.0");
    assert_eq!(container.entrypoint(), ["python", "-m", "bench_utils"]);
    for package in PACKAGES {
        container.answer(&["python", "-c", &format!("import {}", package.replace('-', "_"))]);
    }
    let code = "import sys, torch; print(sys.prefix, torch.__version__, sys.version_info[:2])";
    assert_eq!(container.answer(&["python", "-c", code]).trim(), format!("/app/.venv {} (3, 11)", torch("cu124")));
    assert_eq!(container.answer(&["id", "-u"]).trim(), "65534");
    let activated = "PATH=/usr/bin:/bin; . /app/.venv/bin/activate; cd /; echo $VIRTUAL_ENV; command -v python";
    assert_eq!(container.answer(&["sh", "-c", activated]), "/app/.venv\n/app/.venv/bin/python\n");

    // uvenv itself agrees, with the uv that has made it.
    let programs = container.root().join("usr/local/bin");
    fs::copy(cargo_uvenv(), programs.join("cargo-uvenv")).unwrap();
    fs::copy(Uv::Newest.path(), programs.join("uv")).unwrap();
    let verify = ["env", "HOME=/tmp", "UVENV_UV=/usr/local/bin/uv", "cargo-uvenv", "uvenv"];
    let said = container.answer(&[&verify[..], &["verify", "--message-format=json"]].concat());
    let said: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&said["profile"], &said["backend"]), (&"prod".into(), &"cu124".into()), "{said}");
    assert_eq!(said["differences"], serde_json::json!([]), "{said}");
    let status = container.answer(&[&verify[..], &["status"]].concat());
    assert!(status.contains("prod") && status.contains("cu124"), "{status}");
    let run = [&verify[..], &["run", "--no-sync", "--", "python", "-c", "print(7)"]].concat();
    assert_eq!(container.answer(&run).trim(), "7");

    // And so does the account in it.
    let sbom: Value = serde_json::from_slice(&fs::read(container.root().join("app/sbom.cdx.json")).unwrap()).unwrap();
    assert!(
        sbom["components"].as_array().unwrap().iter().any(|one| one["purl"] == "pkg:generic/cpython@3.11"),
        "{sbom}"
    );
    for (file, original) in [
        ("pyproject.toml", "prod/pyproject.toml"),
        ("uv.lock", "prod/uv.lock"),
        ("pylock.toml", "vendored/pylock.toml"),
    ] {
        let inside = fs::read(container.root().join("app").join(file)).unwrap();
        assert!(inside == fs::read(repo.root().join(original)).unwrap(), "{file}");
    }
}

#[test]
fn same_inputs_make_the_same_image() {
    let first = vendored();
    let here = first.temporary().join("layout");
    let report = made(image(&first, &layout_base(), &["-t", "app", "-o", here.as_str()]));
    // Another clone with another home, cache and directory, by another user.
    let second = Monorepo::new(Uv::Newest).build();
    let place = second.root().join("elsewhere");
    run(Command::new("cp").args(["-R", first.root().as_str(), place.as_str()]));
    for environment in ["prod/.venv", ".venv"] {
        let _ = fs::remove_dir_all(place.join(environment));
    }
    let there = second.temporary().join("other/layout");
    let arguments = ["-t", "app", "-o", there.as_str()];
    let again = image(&second, &layout_base(), &arguments).within("elsewhere").as_another_user();
    let again = again.env("UV_CACHE_DIR", second.temporary().join("uv-cache"));
    // What uv would otherwise do in other ways.
    let variables = [
        ("UV_LINK_MODE", "symlink"),
        ("UV_COMPILE_BYTECODE", "1"),
        ("UV_NO_BUILD", "1"),
        ("UV_NO_BINARY", "1"),
        ("UV_NO_GROUP", "dev"),
        ("UV_NO_SOURCES", "1"),
        ("UV_PYTHON", "3.99"),
        ("UV_VENV_SEED", "1"),
        ("VIRTUAL_ENV", "/nowhere"),
        ("SOURCE_DATE_EPOCH", "1"),
    ];
    let again = variables.iter().fold(again, |again, (name, value)| again.env(name, value));
    assert_eq!(made(again)["digest"], report["digest"]);
    assert_eq!(files_of(&here), files_of(&there));
    // An archive has the same layers, and is the same each time.
    let archive = |name: &str| {
        let file = first.temporary().join(name);
        let archived = made(image(&first, &layout_base(), &["-t", "app", "-o", file.as_str()]));
        assert_eq!(archived["digest"], report["digest"]);
        fs::read(file).unwrap()
    };
    assert!(archive("one.tar") == archive("two.tar"));
}

/// The names of the files in a layout, which are hashes of their contents, and what the others say.
fn files_of(layout: &Utf8Path) -> Vec<String> {
    let blobs = layout.join("blobs/sha256").read_dir_utf8().unwrap();
    let mut files: Vec<_> = blobs.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    files.extend(["index.json", "oci-layout"].map(|name| fs::read_to_string(layout.join(name)).unwrap()));
    files.sort();
    files
}

#[test]
fn promotion_changes_one_layer() {
    let repo = vendored();
    let layout = repo.temporary().join("layout");
    let make = |tag: &str| made(image(&repo, &layout_base(), &["-t", tag, "-o", layout.as_str()]));
    let before = make("app:1");
    repo.uvenv(["promote", "--to", "prod"]).ok();
    vendor(&repo);
    let after = make("app:2");
    for content in ["base", "packages"] {
        assert_eq!(digests(&before, content), digests(&after, content), "{content}");
    }
    assert_ne!(digests(&before, "internal-packages"), digests(&after, "internal-packages"));
    // Both are in the layout. The labels tell them apart.
    let labels = |tag: &str| inspected(&format!("oci:{layout}:{tag}"), &[])["Labels"].clone();
    let commit = |tag: &str| format!("{tag}@{}", repo.tag_commit("bench-utils", tag));
    let (one, two) = (labels("1"), labels("2"));
    assert_eq!((&one["uvenv.profile"], &one["uvenv.backend"]), (&"prod".into(), &"cu124".into()));
    assert_eq!(one["uvenv.pin.bench-utils"], commit("v0.1.2"));
    assert_eq!(two["uvenv.pin.bench-utils"], commit("v0.1.3"));
    assert_ne!(one["uvenv.lockfile"], two["uvenv.lockfile"]);
    // The image in place of another one leaves nothing of it.
    let count = files_of(&layout).len();
    let renewed = made(image(&repo, &layout_base(), &["-t", "app:2", "-o", layout.as_str(), "--", "python"]));
    assert_ne!(renewed["digest"], after["digest"]);
    assert_eq!(files_of(&layout).len(), count);
}

#[test]
fn nothing_of_this_machine_gets_in() {
    let repo = vendored();
    let layout = repo.temporary().join("layout");
    let report = made(image(&repo, &layout_base(), &["-t", "app", "-o", layout.as_str(), "--compression", "zstd"]));
    let own: Vec<_> = ["packages", "internal-packages"].iter().flat_map(|one| digests(&report, one)).collect();
    let manifest = inspected(&format!("oci:{layout}:latest"), &["--raw"]);
    let media_types: Vec<_> =
        manifest["layers"].as_array().unwrap().iter().map(|one| one["mediaType"].clone()).collect();
    assert_eq!(media_types[1], "application/vnd.oci.image.layer.v1.tar+zstd", "{manifest}");
    for digest in own {
        let file = layout.join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap());
        let listing = answer(Command::new("tar").args(["--zstd", "-tvf", file.as_str(), "--full-time", "--utc"]));
        for line in listing.lines() {
            assert!(line.contains(" 0/0 ") && line.contains(" 1980-01-01 00:00:00 "), "{line}");
            assert!(!line.contains("__pycache__") && !line.contains(".uvenv-state"), "{line}");
            assert!(
                ["drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x", "lrwxrwxrwx"].iter().any(|mode| line.starts_with(mode)),
                "{line}"
            );
        }
        let content = Command::new("tar").args(["--zstd", "-xOf", file.as_str()]).output().unwrap().stdout;
        // The remotes of the pins are in the manifest, and so in the image.
        let (root, cache, home) = (repo.root(), repo.cache(), repo.temporary().join("home"));
        for secret in [root.as_str(), cache.as_str(), home.as_str(), repo.python_home(), env!("CARGO_MANIFEST_DIR")] {
            let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in the layer");
        }
    }
    let configuration = inspected(&format!("oci:{layout}:latest"), &["--config"]).to_string();
    assert!(!configuration.contains("/tmp"), "{configuration}");
}

#[test]
fn registry_takes_it_and_is_a_base() {
    let repo = vendored();
    let registry = Registry::start();
    let name = registry.image("team/app:1.0");
    let pushed = made(image(&repo, &layout_base(), &["--push", &name]).with_system());
    assert_eq!(pushed["pushed"], name);
    let remote = |name: &str| inspected(&format!("docker://{name}"), &["--tls-verify=false"]);
    assert_eq!(remote(&name)["Digest"], pushed["digest"]);
    // skopeo pulls what umoci unpacks.
    let pulled = repo.temporary().join("pulled");
    let copy = ["copy", "--src-tls-verify=false", &format!("docker://{name}"), &format!("oci:{pulled}:1")];
    run(image_program("skopeo").args(copy));
    Container::of(&pulled, "1").answer(&["python", "-c", "import bench_utils"]);

    // The base from there makes the same image, and is not fetched twice.
    let base = registry.image("debian:12");
    let from = format!("oci:{}:debian", layout_base());
    run(image_program("skopeo").args(["copy", "--dest-tls-verify=false", &from, &format!("docker://{base}")]));
    let layout = repo.temporary().join("layout");
    let based = made(image(&repo, Utf8Path::new(&base), &["-o", layout.as_str()]).with_system());
    assert_eq!(digests(&based, "packages"), digests(&pushed, "packages"));
    assert_eq!(based["base_digest"], remote(&base)["Digest"]);
    let annotations = inspected(&format!("oci:{layout}"), &["--raw"])["annotations"].clone();
    assert_eq!(annotations["org.opencontainers.image.base.digest"], based["base_digest"]);
    drop(registry);
    let refusal = image(&repo, Utf8Path::new(&base), &["-o", layout.as_str()]).with_system().fails("registry-failed");
    assert!(refusal.message.contains("skopeo copy"), "{}", refusal.message);
    image(&repo, Utf8Path::new(&base), &["-o", layout.as_str()]).refused("no-skopeo");
}

#[test]
fn every_kind_of_base_makes_the_same_layers() {
    let repo = vendored();
    let output = |name: &str| repo.temporary().join(name);
    let archive = output("base.tar");
    run(Command::new("tar").args(["-C", layout_base().as_str(), "-cf", archive.as_str(), "."]));
    let kinds = [
        (debian_base().join("rootfs.tar"), "rootfs"),
        (Utf8PathBuf::from(format!("{}:debian", layout_base())), "layout"),
        (archive.clone(), "archive"),
        (Utf8PathBuf::from(format!("{archive}:debian")), "named"),
    ];
    let made: Vec<_> =
        kinds.iter().map(|(base, name)| made(image(&repo, base, &["-o", output(name).as_str()]))).collect();
    for report in &made[1..] {
        for content in ["packages", "internal-packages"] {
            assert_eq!(digests(report, content), digests(&made[0], content));
        }
        assert_eq!(report["digest"], made[1]["digest"]);
    }
    assert_eq!(made[0]["base_digest"], Value::Null);
    Container::of(&output("rootfs"), &untagged(&output("rootfs"))).answer(&["python", "-c", "import bench_utils"]);
}

/// Gives the only image of a layout a tag, for umoci.
fn untagged(layout: &Utf8Path) -> String {
    let tagged = layout.with_extension("tagged");
    run(image_program("skopeo").args(["copy", &format!("oci:{layout}"), &format!("oci:{tagged}:only")]));
    fs::remove_dir_all(layout).unwrap();
    fs::rename(&tagged, layout).unwrap();
    "only".to_owned()
}

#[test]
fn places_itself_where_links_lead_and_hides_what_was_there() {
    let repo = vendored();
    let root = repo.temporary().join("root");
    fs::create_dir_all(root.join("data/app/.venv/bin")).unwrap();
    fs::write(root.join("data/app/.venv/bin/old"), "").unwrap();
    std::os::unix::fs::symlink("data", root.join("srv")).unwrap();
    let tar = repo.temporary().join("more.tar");
    run(Command::new("tar").args(["-C", root.as_str(), "-cf", tar.as_str(), "data", "srv"]));
    let base = repo.temporary().join("base");
    run(Command::new("cp").args(["-R", layout_base().as_str(), base.as_str()]));
    // Debian has a `/srv` that is a directory.
    let image_name = format!("{base}:debian");
    run(image_program("umoci").args(["raw", "add-layer", "--image", &image_name, tar.as_str()]));
    let layout = repo.temporary().join("layout");
    made(image(&repo, &base, &["-t", "app", "-o", layout.as_str(), "--workdir", "/srv/app"]));
    let container = Container::of(&layout, "latest");
    assert!(container.root().join("srv").is_symlink());
    assert!(!container.root().join("data/app/.venv/bin/old").exists());
    let said = container.answer(&["python", "-c", "import sys, bench_utils; print(sys.prefix)"]);
    assert_eq!(said.trim(), "/srv/app/.venv");
}

#[test]
fn image_of_uvenv_is_a_base() {
    let repo = vendored();
    let (lower, upper) = (repo.temporary().join("lower"), repo.temporary().join("upper"));
    made(image(&repo, &layout_base(), &["-t", "lower", "-o", lower.as_str()]));
    repo.uvenv(["promote", "--to", "prod"]).ok();
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "none", "-o", "vendored"]).ok();
    let none = ["image", "--profile", "prod", "--backend", "none", "--base", lower.as_str(), "-o", upper.as_str()];
    made(repo.uvenv(none).args(["-t", "upper"]));
    let container = Container::of(&upper, "latest");
    // Its Python is where it was, and nothing of the other environment is left.
    let python = container.root().join("usr/bin/python3.11");
    assert!(python.is_file() && !python.is_symlink());
    let code = "import bench_utils, importlib.util; print(importlib.util.find_spec('torch'))";
    assert_eq!(container.answer(&["python", "-c", code]).trim(), "None");
    let path = container.variables().into_iter().find(|variable| variable.starts_with("PATH=")).unwrap();
    assert_eq!(path.matches("/app/.venv/bin").count(), 1, "{path}");
    let labels = inspected(&format!("oci:{upper}:latest"), &[])["Labels"].clone();
    assert!(labels.get("uvenv.backend").is_none(), "{labels}");
    assert_eq!(labels["uvenv.pin.bench-utils"], format!("v0.1.3@{}", repo.tag_commit("bench-utils", "v0.1.3")));
}

#[test]
fn directories_of_the_base_stay_as_they_are() {
    let repo = vendored();
    let layout = repo.temporary().join("layout");
    made(image(&repo, &layout_base(), &["-t", "app", "-o", layout.as_str(), "--workdir", "/tmp/app"]));
    let container = Container::of(&layout, "latest");
    let mode = fs::metadata(container.root().join("tmp")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o1777, "{mode:o}");
    container.answer(&["python", "-c", "import bench_utils"]);
    let refusal = image(&repo, &layout_base(), &["-o", layout.as_str(), "--workdir", "/usr/bin/python3.11"]);
    refusal.refused("invalid-image-option");
}

#[test]
fn layout_keeps_other_images_and_pushes_the_new_one() {
    let repo = vendored();
    let registry = Registry::start();
    let layout = repo.temporary().join("layout");
    let out = ["-o", layout.as_str()];
    let old = made(image(&repo, &layout_base(), &[&out[..], &["-t", "one:1.0", "--", "/old"]].concat()));
    let unnamed = made(image(&repo, &layout_base(), &[&out[..], &["--", "/unnamed"]].concat()));
    assert_eq!(inspected(&format!("oci:{layout}:1.0"), &[])["Digest"], old["digest"]);
    // Another name with the same tag.
    let name = registry.image("wrong:1.0");
    let new = [&out[..], &["-t", "two:2.0", "--push", &name, "--", "/new"]].concat();
    let new = made(image(&repo, &layout_base(), &new).with_system());
    assert_eq!(inspected(&format!("docker://{name}"), &["--tls-verify=false"])["Digest"], new["digest"]);
    let mut digests: Vec<_> = inspected_index(&layout);
    digests.sort();
    let mut expected = [&old, &unnamed, &new].map(|report| report["digest"].as_str().unwrap().to_owned());
    expected.sort();
    assert_eq!(digests, expected);
    // Nothing is asked of a registry offline.
    let offline = [&out[..], &["--offline", "--push", &name]].concat();
    image(&repo, &layout_base(), &offline).with_system().refused("registry-offline");
    let base = Utf8PathBuf::from(registry.image("never:1"));
    image(&repo, &base, &[&out[..], &["--offline"]].concat()).with_system().refused("registry-offline");
}

/// The digests of the images in a layout.
fn inspected_index(layout: &Utf8Path) -> Vec<String> {
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let manifests = index["manifests"].as_array().unwrap();
    manifests.iter().map(|manifest| manifest["digest"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn several_processes_add_to_one_layout() {
    let repo = vendored();
    let layout = repo.temporary().join("layout");
    let make = |number: usize| {
        let (tag, command) = (format!("app:{number}"), format!("/command{number}"));
        // With caches of their own, they know nothing of each other.
        let cache = repo.temporary().join(format!("cache{number}"));
        let arguments = ["-t", &tag, "-o", layout.as_str(), "--", &command];
        made(image(&repo, &layout_base(), &arguments).env("UVENV_CACHE_DIR", cache))
    };
    let make = &make;
    let mut expected: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|number| scope.spawn(move || make(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()["digest"].as_str().unwrap().to_owned()).collect()
    });
    let mut digests = inspected_index(&layout);
    digests.sort();
    expected.sort();
    assert_eq!(digests, expected);
    for number in 0..3 {
        inspected(&format!("oci:{layout}:{number}"), &[]);
    }
}

#[test]
fn rejects_bases_that_do_not_fit_before_anything_is_written() {
    let repo = vendored();
    let output = repo.temporary().join("layout");
    let refused = |base: &Utf8Path, code: &str| {
        let refusal = repo.untouched_by(|| image(&repo, base, &["-o", output.as_str()]).refused(code));
        assert!(!output.exists(), "{code}");
        refusal
    };
    let tar = |name: &str, files: &[&str]| {
        let root = repo.temporary().join(name);
        for file in files {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "GNU C Library (GNU libc) stable release version 2.4.\n").unwrap();
        }
        let tar = repo.temporary().join(format!("{name}.tar"));
        run(Command::new("tar").args(["-C", root.as_str(), "-cf", tar.as_str(), "."]));
        tar
    };
    let refusal = refused(&tar("other", &["usr/bin/python3.9"]), "no-python-in-base");
    assert!(refusal.message.contains("python3.9") && refusal.message.contains("3.11"), "{}", refusal.message);
    let old = repo.temporary().join("docker.tar");
    let from = format!("oci:{}:debian", layout_base());
    run(image_program("skopeo").args(["copy", "--quiet", &from, &format!("docker-archive:{old}:debian:12")]));
    refused(&old, "unreadable-base-image").helps(["docker-archive:"]);
    let broken = repo.temporary().join("broken.tar");
    fs::write(&broken, "nothing").unwrap();
    refused(&broken, "unreadable-base-image");
    let empty = repo.temporary().join("empty");
    fs::create_dir(&empty).unwrap();
    refused(&empty, "not-an-image-layout");
    refused(Utf8Path::new("./missing"), "invalid-image-name");
    let refusal = refused(Utf8Path::new(&format!("{}:other", layout_base())), "no-such-image");
    assert!(refusal.message.contains("`debian`"), "{}", refusal.message);
    // One flipped byte in the base.
    let damaged = repo.temporary().join("damaged");
    run(Command::new("cp").args(["-R", layout_base().as_str(), damaged.as_str()]));
    let largest = damaged.join("blobs/sha256").read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let largest = largest.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let mut bytes = fs::read(&largest).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(&largest, bytes).unwrap();
    refused(&damaged, "unreadable-base-image");
}

#[test]
fn rejects_what_it_cannot_do_by_name() {
    let repo = vendored();
    let base = layout_base();
    let output = repo.temporary().join("layout");
    let out = ["-o", output.as_str()];
    let with = |more: &[&str]| image(&repo, &base, &[&out[..], more].concat());
    with(&["--workdir", "app"]).refused("invalid-image-option");
    with(&["--workdir", "/"]).refused("invalid-image-option");
    with(&["--workdir", "/a:b"]).refused("invalid-image-option");
    with(&["--user", "a b"]).refused("invalid-image-option");
    with(&["--user", "1:2:3"]).refused("invalid-image-option");
    for cpython in Cpython::newest_of_each().iter().filter(|cpython| !cpython.version.starts_with("3.11.")) {
        with(&["--python", cpython.python.as_str()]).refused("invalid-image-option");
    }
    image(&repo, &base, &["-o", "../app.tar.gz"]).refused("invalid-image-option");
    with(&["-t", "app@sha256:0000000000000000000000000000000000000000000000000000000000000000"])
        .refused("invalid-image-name");
    with(&["-t", "Not Valid"]).refused("invalid-image-name");
    with(&["--vendored", "missing"]).refused("no-vendored-lock");
    let other = ["image", "--profile", "prod", "--backend", "cu128", "--base", base.as_str()];
    repo.uvenv(other).args(out).refused("vendored-for-another-backend");
    repo.uvenv(["image", "--profile", "prod", "--base", base.as_str()]).args(out).refused("backend-required");
    // A directory that is something else stays as it is.
    let used = repo.root().join("packages");
    repo.untouched_by(|| image(&repo, &base, &["-o", used.as_str()]).refused("not-an-image-layout"));
    repo.uvenv(["image", "--profile", "prod", "--backend", "cu124", "--base", base.as_str()]).ends(2);
}
