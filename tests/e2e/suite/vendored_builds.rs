//! `vendor` with packages of every build backend: the same bytes each time, and what a sync with network installs.

use std::{
    fmt::Write as _,
    fs,
    io::{Write as _, stderr},
};

use camino::Utf8Path;
use uvenv_tests::{Files, Fixture, Index, Invocation, cargo_uvenv, seed};

use super::empty;

/// A package, its `[build-system]` with what follows it, the lines of its version, and the directory of its sources.
const PACKAGES: [Package; 10] = [
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

type Package = (&'static str, &'static str, &'static str, &'static str);

/// A monorepo whose prod has all of them, from the tag `v1.0.0` of a repository each.
fn with_all_backends() -> Fixture {
    let repo = empty().build();
    let pins = PACKAGES.map(|package| {
        let remote = repo.temporary().join("remotes").join(package.0);
        write_package(&remote, package);
        commit(&repo, &remote, "v1.0.0");
        (package.0, format!("{{ git = \"file://{remote}\", tag = \"v1.0.0\" }}"))
    });
    write_prod(&repo, &pins, "", "");
    repo
}

/// Writes the sources of a package.
fn write_package(directory: &Utf8Path, (name, build_system, version, sources): Package) {
    let write = |path: &str, text: &str| {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let project = format!("[project]\nname = \"{name}\"\n{version}\nrequires-python = \">=3.10\"\n");
    write("pyproject.toml", &format!("{project}[build-system]\n{build_system}\n"));
    write(&format!("{sources}{}/__init__.py", name.replace('-', "_")), "\"\"\"One.\"\"\"\n");
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
}

/// Commits all files of a remote, and tags them.
fn commit(repo: &Fixture, remote: &Utf8Path, tag: &str) {
    for arguments in
        [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "One"], &["tag", tag]]
    {
        repo.program("git", ["-C", remote.as_str()].iter().chain(arguments)).ok();
    }
}

/// Writes the manifest of prod: the packages with their sources, further dependencies, and what follows.
fn write_prod(repo: &Fixture, pins: &[(&str, String)], dependencies: &str, more: &str) {
    let (mut names, mut sources) = (String::new(), String::new());
    for (name, source) in pins {
        write!(names, "\"{name}\", ").unwrap();
        writeln!(sources, "{name} = {source}").unwrap();
    }
    let project = "[project]\nname = \"bench-prod\"\nversion = \"0.1.0\"\nrequires-python = \">=3.10\"\n";
    let manifest = format!("{project}dependencies = [{names}{dependencies}]\n{more}\n[tool.uv.sources]\n{sources}");
    repo.write("prod/pyproject.toml", manifest);
    let manifest = repo.read("pyproject.toml");
    repo.write("pyproject.toml", format!("{manifest}\n[tool.uvenv.profiles]\nprod = \"prod\"\n"));
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
    commit(&repo, &remote, "v1.0.1");
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

/// What the index has, with wheels or without, for some platforms or for all.
const DEPENDENCIES: [&str; 7] = [
    "idna==3.10",
    "docopt==0.6.2",
    "pyyaml==6.0.2",
    "colorama==0.4.6; sys_platform == 'win32'",
    "tomli==2.2.1; python_version < '3.11'",
    "requests[socks]==2.32.3",
    "MarkupSafe==3.0.2",
];

/// A random monorepo: packages of build backends that write the same files anywhere, alone in their repositories or together
/// in one, and two backends.
fn random_monorepo(rng: &mut fastrand::Rng) -> Fixture {
    let repo = empty().build();
    let pure: Vec<_> = PACKAGES.into_iter().filter(|(name, ..)| !matches!(*name, "of-c" | "of-rust")).collect();
    let mut pins = Vec::new();
    let shared = repo.temporary().join("remotes/shared");
    for package in rng.choose_multiple(pure, 3) {
        let name = package.0;
        // Versions that come from git are those of the whole repository.
        if rng.bool() && !name.ends_with("vcs") && !name.ends_with("scm") {
            write_package(&shared.join("python").join(name), package);
            let source = format!("git = \"file://{shared}\", tag = \"v2.0.0\", subdirectory = \"python/{name}\"");
            pins.push((name, format!("{{ {source} }}")));
        } else {
            let remote = repo.temporary().join("remotes").join(name);
            write_package(&remote, package);
            commit(&repo, &remote, "v1.0.0");
            let revision = rng.choice(["tag = \"v1.0.0\"", "branch = \"main\""]).unwrap();
            pins.push((name, format!("{{ git = \"file://{remote}\", {revision} }}")));
        }
    }
    if shared.exists() {
        commit(&repo, &shared, "v2.0.0");
    }
    let amount = rng.usize(0..4);
    let dependencies: Vec<_> =
        rng.choose_multiple(DEPENDENCIES, amount).into_iter().map(|one| format!("\"{one}\"")).collect();
    let mut more = String::from("[project.optional-dependencies]\n");
    for backend in BACKENDS {
        writeln!(more, "{backend} = [\"torch==2.6.0+{backend}\"]").unwrap();
    }
    writeln!(more, "[tool.uv]\nconflicts = [[{{ extra = \"cu124\" }}, {{ extra = \"cu128\" }}]]").unwrap();
    for backend in BACKENDS {
        let url = Index::url(backend);
        writeln!(more, "[[tool.uv.index]]\nname = \"{backend}\"\nurl = \"{url}\"\nexplicit = true").unwrap();
    }
    let torch = BACKENDS.map(|backend| format!("{{ index = \"{backend}\", extra = \"{backend}\" }}")).join(", ");
    pins.push(("torch", format!("[{torch}]")));
    // Only the extras require it.
    write_prod(&repo, &pins, &dependencies.join(", "), &more);
    repo.replace("prod/pyproject.toml", "\"torch\", ", "");
    repo
}

const BACKENDS: [&str; 2] = ["cu124", "cu128"];

#[test]
fn random_monorepos_get_the_same_environments() {
    let (seed, steps) = seed::from_variables("UVENV_VENDORED_MONOREPOS", 1, 2);
    for step in 0..steps {
        let mut rng = fastrand::Rng::with_seed(seed + step as u64);
        let repo = random_monorepo(&mut rng);
        building(&repo, &["lock", "--profile", "prod"]).ok();
        let vendor = ["vendor", "--profile", "prod", "--backend", "cu124", "--backend", "cu128", "-o", "vendored"];
        building(&repo, &vendor).ok();
        for backend in BACKENDS {
            let sync = ["sync", "--profile", "prod", "--recreate", "--backend", backend];
            building(&repo, &sync).ok();
            let online = repo.environment("prod").files();
            let sealed = repo.uvenv(sync.into_iter().chain(["--vendored", "vendored"])).without("git").without("cargo");
            sealed.clone().without_network().unwrap_or(sealed).ok();
            writeln!(stderr(), "monorepo {} with {backend}", seed + step as u64).unwrap();
            repo.environment("prod").files().assert_eq(&online);
        }
    }
}
