//! `sbom`: what an environment has and what the document says are the same.

use std::{collections::BTreeMap, fs};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use uvenv_tests::{Fixture, validate_sbom};

use super::{PACKAGES, pinned, three_profiles};

/// A monorepo whose prod is synced.
fn synced() -> Fixture {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).ok();
    repo
}

fn sbom(repo: &Fixture, more: &[&str]) -> Value {
    let arguments = [&["sbom", "--profile", "prod"], more].concat();
    repo.uvenv(arguments).json().report("sbom-finished")
}

fn components(document: &Value) -> BTreeMap<&str, &Value> {
    let list = document["components"].as_array().unwrap();
    list.iter().map(|component| (component["name"].as_str().unwrap(), component)).collect()
}

/// The files of an environment that no component has, relative to it.
fn unowned(environment: &Utf8Path, document: &Value) -> Vec<String> {
    let mut files = Vec::new();
    collect(environment, &mut files);
    let places = document["components"].as_array().unwrap().iter();
    let places = places.filter_map(|component| component["evidence"]["occurrences"][0]["location"].as_str());
    let mut owned = Vec::new();
    for place in places {
        let folder = environment.join(place);
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_path(folder.join("RECORD")).unwrap();
        for row in rows.records() {
            owned.push(normal(&folder.parent().unwrap().join(&row.unwrap()[0])));
        }
    }
    files.retain(|path| !owned.contains(path));
    files.iter().map(|path| path.strip_prefix(environment).unwrap().to_string()).collect()
}

fn collect(directory: &Utf8Path, files: &mut Vec<Utf8PathBuf>) {
    for entry in directory.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            collect(entry.path(), files);
        } else {
            files.push(entry.into_path());
        }
    }
}

/// The path without `..`.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for part in path.components() {
        if part.as_str() == ".." {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}

#[test]
fn says_what_is_installed_and_from_where() {
    let repo = synced();
    let report = repo.untouched_by(|| sbom(&repo, &[]));
    let document = &report["document"];
    validate_sbom(&document.to_string());
    assert_eq!((&document["specVersion"], &document["bomFormat"]), (&"1.6".into(), &"CycloneDX".into()));

    let components = components(document);
    let environment = repo.environment("prod");
    let installed = environment.distributions();
    for (name, version) in &installed {
        assert_eq!(components[name.as_str()]["version"], version.as_str(), "{name}");
    }
    assert_eq!(components.len(), installed.len() + 1, "and Python");
    assert_eq!(report["distributions"], installed.len());
    assert_eq!(components["cpython"]["type"], "platform");
    assert_eq!(components["torch"]["purl"], "pkg:pypi/torch@2.6.0%2Bcu124");
    for package in PACKAGES {
        let commit = environment.commit(package);
        let component = components[package];
        assert_eq!(component["pedigree"]["commits"][0]["uid"], commit.as_str());
        let purl = component["purl"].as_str().unwrap();
        assert!(purl.starts_with(&format!("pkg:generic/{package}@0.1.2?vcs_url=git%2Bfile:%2F%2F")), "{purl}");
        assert!(purl.contains(&format!("%40{commit}")), "{purl}");
        assert_eq!(component["properties"][0]["value"], "v0.1.2");
    }
    assert!(components["print-utils"]["purl"].as_str().unwrap().contains('#'), "its directory in the repository");
    let subject = &document["metadata"]["component"];
    let facts: Vec<_> = subject["properties"].as_array().unwrap().iter().map(|one| one["value"].clone()).collect();
    assert_eq!(facts[..2], ["prod", "cu124"]);

    let requirements = document["dependencies"].as_array().unwrap();
    let of = |name: &str| &requirements.iter().find(|one| one["ref"].as_str().unwrap().starts_with(name)).unwrap()["dependsOn"];
    assert_eq!(of("bench-utils@").to_string(), "[\"print-utils@0.1.2\"]");

    // What is left was made with the environment.
    let made = |path: &String| {
        let name = Utf8Path::new(path).file_name().unwrap();
        path.starts_with("bin/activate")
            || path.starts_with("bin/python")
            || name.starts_with("_virtualenv.")
            || ["lib64", "bin/deactivate.bat", "bin/pydoc.bat", ".gitignore", "pyvenv.cfg", ".lock", "CACHEDIR.TAG"]
                .contains(&path.as_str())
            || path.starts_with("uvenv")
            || path.starts_with(".uvenv")
    };
    let unowned: Vec<_> = unowned(environment.path(), document).into_iter().filter(|path| !made(path)).collect();
    assert_eq!(unowned, [""; 0]);
}

#[test]
fn the_same_environment_gets_the_same_document() {
    let repo = synced();
    let printed = repo.uvenv(["sbom", "--profile", "prod"]).ok().stdout().to_owned();
    repo.uvenv(["sbom", "--profile", "prod", "-o", "prod.cdx.json"]).ok();
    assert_eq!(repo.read("prod.cdx.json"), printed);
    assert!(!printed.contains(repo.environment("prod").path().as_str()) && !printed.contains("timestamp"));

    let sbom = ["sbom", "--profile", "prod", "--backend", "cu124"];
    let dated = repo.uvenv(sbom).env("SOURCE_DATE_EPOCH", "1700000000").ok().stdout().to_owned();
    assert!(dated.contains("\"timestamp\": \"2023-11-14T22:13:20Z\""), "{dated}");
    validate_sbom(&dated);
    for odd in ["today", "-1"] {
        repo.uvenv(sbom).env("SOURCE_DATE_EPOCH", odd).refused("invalid-source-date-epoch");
    }
}

#[test]
fn vendored_wheels_have_hashes() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "cu124", "-o", "vendored"]).ok();
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124", "--vendored", "vendored"]).ok();
    let report = sbom(&repo, &["--vendored", "vendored"]);
    let lock = repo.read("vendored/pylock.toml");
    let components = components(&report["document"]);
    for package in PACKAGES.iter().copied().chain(["torch"]) {
        let hash = components[package]["hashes"][0]["content"].as_str().unwrap();
        assert!(lock.contains(hash), "{package}");
    }
    assert_eq!(sbom(&repo, &[])["document"]["components"][0].get("hashes"), None, "nobody else has the wheel of a pin");
    // Its files are not those of the wheel.
    let file = repo.environment("prod").site_packages().unwrap().join("bench_utils/__init__.py");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "changed = True\n").unwrap();
    let report = sbom(&repo, &["--vendored", "vendored"]);
    assert_eq!(self::components(&report["document"])["bench-utils"].get("hashes"), None);
    let wheel = repo.root().join("vendored/wheels").read_dir_utf8().unwrap().next().unwrap().unwrap().into_path();
    fs::write(wheel, "changed").unwrap();
    repo.uvenv(["sbom", "--profile", "prod", "--vendored", "vendored"]).refused("changed-vendored-file");
}

#[test]
fn files_that_were_changed_are_noticed() {
    let repo = synced();
    let file = |path: &str| repo.environment("prod").site_packages().unwrap().join(path);
    fs::remove_file(file("torch/version.py")).unwrap();
    fs::write(file("stray.py"), "").unwrap();
    let outcome = repo.uvenv(["sbom", "--profile", "prod"]).json();
    let warning = outcome.report("warning");
    assert_eq!(warning["code"], "changed-since-sync", "{warning}");
    let message = warning["message"].as_str().unwrap();
    assert!(message.contains("stray.py") && message.contains("torch/version.py"), "{message}");
    let report = outcome.report("sbom-finished");
    assert_eq!(components(&report["document"])["torch"].get("hashes"), None);
}

#[test]
fn the_document_goes_where_a_link_leads() {
    let repo = synced();
    repo.write("real.json", "old");
    std::os::unix::fs::symlink("real.json", repo.root().join("link.json")).unwrap();
    repo.uvenv(["sbom", "--profile", "prod", "-o", "link.json"]).ok();
    assert!(repo.root().join("link.json").is_symlink());
    assert!(repo.read("real.json").contains("CycloneDX"));
    // What is no file stays what it is.
    let script =
        "mkfifo pipe && (cat pipe > out.json & \"$0\" uvenv sbom --profile prod -o pipe; wait) && test -p pipe";
    repo.program("sh", ["-c", script, uvenv_tests::cargo_uvenv().as_str()]).with_system().ok();
    assert_eq!(repo.read("out.json"), repo.read("real.json"));
}

#[test]
fn odd_documents_of_packages_do_no_harm() {
    let repo = synced();
    let environment = repo.environment("prod");
    let sboms = environment.site_packages().unwrap().join("print_utils-0.1.2.dist-info/sboms");
    fs::create_dir(&sboms).unwrap();
    let nested = r#"{ "name": "libA", "version": "1", "purl": "pkg:generic/x@1", "bom-ref": "torch@2.6.0+cu124",
        "components": [{ "name": "libB", "version": "1", "purl": "pkg:generic/x@1" }, { "name": "inner", "version": "2" }],
        "pedigree": { "ancestors": [{ "bom-ref": "torch@2.6.0+cu124", "type": "library", "name": "y" }] },
        "hashes": [{ "alg": "WHAT", "content": "xx" }], "licenses": [{ "license": { "id": "NOSUCH" } }], "scope": "weird",
        "externalReferences": [{ "type": "vcs", "url": "https://user:secret@h/x.git" }] }"#;
    let document = format!("{{ \"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.9\", \"components\": [{nested}] }}");
    fs::write(sboms.join("good.cdx.json"), document).unwrap();
    fs::write(sboms.join("bad.json"), "{").unwrap();
    let report = sbom(&repo, &[]);
    let document = report["document"].to_string();
    validate_sbom(&document);
    assert!(!document.contains("secret"));
    assert_eq!((&report["embedded"], report["unknown"].to_string()), (&2.into(), "[\"print-utils\"]".to_owned()));
    let composition = &report["document"]["compositions"][0];
    assert_eq!(
        (&composition["aggregate"], &composition["assemblies"][0]),
        (&"incomplete".into(), &"print-utils@0.1.2".into())
    );
}

#[test]
fn an_environment_must_be_up_to_date() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["sbom", "--profile", "prod"]).refused("missing-environment");
    repo.uvenv(["sync", "--profile", "prod"]).ok();
    repo.uv(["pip", "uninstall", "--python", repo.environment("prod").path().as_str(), "print-utils"]).ok();
    let refusal = repo.uvenv(["sbom", "--profile", "prod", "-o", "prod.cdx.json"]).refused("outdated-environment");
    assert!(refusal.help.starts_with("run `cargo uvenv sync --profile prod`"), "{}", refusal.help);
    assert!(!repo.root().join("prod.cdx.json").exists());
    repo.uvenv(["sync", "--profile", "prod"]).ok();
    repo.uvenv(["sbom", "--profile", "prod", "-o", "no/such/directory"]).fails("sbom-not-written");
}
