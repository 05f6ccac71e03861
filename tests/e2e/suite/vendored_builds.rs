//! `vendor` with packages of every build backend: the same bytes each time, and what a sync with network installs.

use std::{fmt::Write as _, fs};

use camino::Utf8Path;
use uvenv_tests::{Files, Fixture, Invocation, cargo_uvenv};

use super::empty;

/// A package, its `[build-system]` with what follows it, the lines of its version, and the directory of its sources.
const PACKAGES: [(&str, &str, &str, &str); 10] = [
    ("of-hatch", "requires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"", VERSION, "src/"),
    ("of-hatch-vcs", HATCH_VCS, DYNAMIC, "src/"),
    ("of-setuptools", SETUPTOOLS, VERSION, "src/"),
    ("of-setuptools-scm", SETUPTOOLS_SCM, DYNAMIC, "src/"),
    ("of-uv", "requires = [\"uv_build>=0.7.16,<0.14\"]\nbuild-backend = \"uv_build\"", VERSION, "src/"),
    ("of-flit", "requires = [\"flit_core>=3.4\"]\nbuild-backend = \"flit_core.buildapi\"", VERSION, ""),
    ("of-poetry", "requires = [\"poetry-core>=2\"]\nbuild-backend = \"poetry.core.masonry.api\"", VERSION, "src/"),
    ("of-pdm", "requires = [\"pdm-backend\"]\nbuild-backend = \"pdm.backend\"", VERSION, "src/"),
    ("of-c", C_EXTENSION, VERSION, "src/"),
    ("of-rust", MATURIN, VERSION, "python/"),
];

const VERSION: &str = "version = \"1.0.0\"\ndescription = \"One\"";
const DYNAMIC: &str = "dynamic = [\"version\"]";
const HATCH_VCS: &str = "requires = [\"hatchling\", \"hatch-vcs\"]
build-backend = \"hatchling.build\"
[tool.hatch.version]
source = \"vcs\"";
const SETUPTOOLS: &str = "requires = [\"setuptools>=64\"]
build-backend = \"setuptools.build_meta\"
[tool.setuptools.packages.find]
where = [\"src\"]";
const SETUPTOOLS_SCM: &str = "requires = [\"setuptools>=64\", \"setuptools-scm>=8\"]
build-backend = \"setuptools.build_meta\"
[tool.setuptools_scm]
[tool.setuptools.packages.find]
where = [\"src\"]";
const C_EXTENSION: &str = "requires = [\"setuptools>=74.1\"]
build-backend = \"setuptools.build_meta\"
[tool.setuptools.packages.find]
where = [\"src\"]
[[tool.setuptools.ext-modules]]
name = \"of_c.native\"
sources = [\"native.c\"]";
/// Its build requires cffi too, which only the backend says.
const MATURIN: &str = "requires = [\"maturin>=1.7,<2\"]
build-backend = \"maturin\"
[tool.maturin]
bindings = \"cffi\"
python-source = \"python\"
module-name = \"of_rust\"";

const NATIVE_C: &str = "#include <Python.h>
static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, \"native\", NULL, -1, NULL };
PyMODINIT_FUNC PyInit_native(void) { return PyModule_Create(&module); }
";

/// A monorepo whose prod has all of them, from the tag `v1.0.0` of a repository each.
fn with_all_backends() -> Fixture {
    let repo = empty().build();
    let (mut dependencies, mut sources) = (String::new(), String::new());
    for (name, build_system, version, directory) in PACKAGES {
        let remote = repo.temporary().join("remotes").join(name);
        let write = |path: &str, text: &str| {
            let path = remote.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let project = format!("[project]\nname = \"{name}\"\n{version}\nrequires-python = \">=3.10\"\n");
        write("pyproject.toml", &format!("{project}[build-system]\n{build_system}\n"));
        write(&format!("{directory}{}/__init__.py", name.replace('-', "_")), "\"\"\"One.\"\"\"\n");
        if name == "of-c" {
            write("native.c", NATIVE_C);
        }
        if name == "of-rust" {
            let library = "[workspace]\n[lib]\nname = \"of_rust\"\ncrate-type = [\"cdylib\"]\n";
            write(
                "Cargo.toml",
                &format!("[package]\nname = \"of-rust\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{library}"),
            );
            write("src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn one() -> i32 {\n    1\n}\n");
        }
        for arguments in
            [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "One"], &["tag", "v1.0.0"]]
        {
            repo.program("git", ["-C", remote.as_str()].iter().chain(arguments)).ok();
        }
        write!(dependencies, "\"{name}\", ").unwrap();
        writeln!(sources, "{name} = {{ git = \"file://{remote}\", tag = \"v1.0.0\" }}").unwrap();
    }
    let project = "[project]\nname = \"bench-prod\"\nversion = \"0.1.0\"\nrequires-python = \">=3.10\"\n";
    repo.write(
        "prod/pyproject.toml",
        format!("{project}dependencies = [{dependencies}]\n\n[tool.uv.sources]\n{sources}"),
    );
    let manifest = repo.read("pyproject.toml");
    repo.write("pyproject.toml", format!("{manifest}\n[tool.uvenv.profiles]\nprod = \"prod\"\n"));
    repo
}

/// With a C compiler and a linker.
fn building<'a>(repo: &'a Fixture, arguments: &[&str]) -> Invocation<'a> {
    repo.uvenv(arguments).with_system()
}

/// Whether it is built from C or Rust, and so has the path of its sources in it.
fn is_native(path: &Utf8Path) -> bool {
    path.as_str().contains("of_c") || path.as_str().contains("of_rust")
}

#[test]
fn wheels_of_all_build_backends_have_the_same_bytes() {
    let repo = with_all_backends();
    building(&repo, &["lock", "--profile", "prod"]).ok();
    building(&repo, &["vendor", "--profile", "prod", "-o", "vendored"]).ok();
    let wheels = repo.root().join("vendored/wheels").read_dir_utf8().unwrap().count();
    assert_eq!(wheels, PACKAGES.len());
    // In another directory, and with another user's permissions for new files.
    let elsewhere = repo.temporary().join("elsewhere");
    let script = ["-c", "umask 077; exec \"$@\"", "sh", cargo_uvenv().as_str()];
    let arguments = ["vendor", "--profile", "prod", "-o", elsewhere.as_str()];
    repo.program("sh", script.iter().chain(&arguments)).with_system().ok();
    Files::under(&elsewhere).assert_eq(&Files::under(&repo.root().join("vendored")));

    // A pin is built again from its commit, without index and network: the same wheel.
    building(&repo, &["vendor", "--profile", "prod", "--with-build-requirements", "-o", "vendored"]).ok();
    let checkout = repo.temporary().join("checkout");
    let remote = repo.temporary().join("remotes/of-hatch-vcs");
    repo.program("git", ["clone", "--quiet", "--branch", "v1.0.0", remote.as_str(), checkout.as_str()]).ok();
    let (links, constraint) = ("--find-links=vendored/wheels", "--build-constraint=vendored/build-requirements.txt");
    let build = ["build", "--wheel", "--offline", "--no-index", links, constraint, "--require-hashes"];
    let build = repo.uv(build.into_iter().chain(["--out-dir", "again", checkout.as_str()]));
    let build = build.env("UV_CACHE_DIR", repo.temporary().join("fresh-cache")).with_system();
    build.clone().without_network().unwrap_or(build).ok();
    assert!(repo.root().join("again/of_hatch_vcs-1.0.0-py3-none-any.whl").is_file());

    // The requirements of what is not built again stay.
    let requirements = repo.read("vendored/build-requirements.txt");
    assert!(
        ["hatchling==", "setuptools==", "maturin=="].iter().all(|one| requirements.contains(one)),
        "{requirements}"
    );
    let remote = repo.temporary().join("remotes/of-hatch");
    fs::write(remote.join("src/of_hatch/more.py"), "").unwrap();
    for arguments in [&["add", "."][..], &["commit", "--quiet", "-m", "More"], &["tag", "v1.0.1"]] {
        repo.program("git", ["-C", remote.as_str()].iter().chain(arguments)).ok();
    }
    repo.replace("prod/pyproject.toml", "of-hatch\", tag = \"v1.0.0\"", "of-hatch\", tag = \"v1.0.1\"");
    building(&repo, &["lock", "--profile", "prod"]).ok();
    let report = building(&repo, &["vendor", "--profile", "prod", "-o", "vendored"]).json().report("vendor-finished");
    assert_eq!(report["built"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(repo.read("vendored/build-requirements.txt"), requirements);

    // A wheel for this machine is none for others.
    let elsewhere = ["vendor", "--profile", "prod", "--platform", "aarch64-manylinux_2_28", "-o", "elsewhere"];
    building(&repo, &elsewhere).refused("cannot-vendor").names(["aarch64-manylinux_2_28"]);

    let sync = ["sync", "--profile", "prod", "--vendored", "vendored"];
    let sealed = repo.uvenv(sync).without("git").without("cargo");
    sealed.clone().without_network().unwrap_or(sealed).ok();
    repo.uvenv(["verify", "--profile", "prod"]).ok();
    let environment = repo.environment("prod");
    let site_packages = environment.site_packages().unwrap();
    let files = || {
        let mut paths = Vec::new();
        find(&site_packages, &mut paths);
        paths.retain(|path| !is_native(path) && path.extension() != Some("pyc"));
        paths.sort();
        paths.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let vendored = files();
    assert!(vendored.len() > 40, "{}", vendored.len());
    building(&repo, &["sync", "--profile", "prod", "--recreate"]).ok();
    for (with_network, vendored) in files().iter().zip(&vendored) {
        assert_eq!(with_network.1, vendored.1);
        assert!(with_network.0 == vendored.0, "{} differs", vendored.1);
    }
}

fn find(directory: &Utf8Path, paths: &mut Vec<camino::Utf8PathBuf>) {
    for entry in directory.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            find(entry.path(), paths);
        } else {
            paths.push(entry.into_path());
        }
    }
}
