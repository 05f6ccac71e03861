//! How long it takes to find a monorepo and read its members: `cargo bench -p uvenv-core`.

use std::{fmt::Write, fs};

use camino::{Utf8Path, Utf8PathBuf};
use uvenv_core::Monorepo;

fn main() {
    divan::main();
}

/// A monorepo of as many packages as large ones have, each with a manifest of usual size.
#[divan::bench(args = [4, 200, 1000])]
fn discover(bencher: divan::Bencher<'_, '_>, members: usize) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = Utf8Path::from_path(directory.path()).expect("a UTF-8 path");
    lay_out(root, members);
    let start: Utf8PathBuf = root.join("packages/p0/src");
    bencher.bench(|| Monorepo::discover(&start).expect("a monorepo"));
}

fn lay_out(root: &Utf8Path, members: usize) {
    let mut manifest = project("root", &[]);
    manifest += "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n[tool.uv.sources]\n";
    for member in 0..members {
        let _ = writeln!(manifest, "p{member} = {{ workspace = true }}");
        let package = root.join(format!("packages/p{member}"));
        fs::create_dir_all(package.join("src")).expect("a directory");
        let text = project(&format!("p{member}"), &["numpy>=1.26,<3", "pydantic>=2.7", "rich", "httpx[http2]>=0.27"]);
        fs::write(package.join("pyproject.toml"), text).expect("a file");
    }
    fs::write(root.join("pyproject.toml"), manifest).expect("a file");
}

fn project(name: &str, dependencies: &[&str]) -> String {
    format!(
        "[project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.10\"\ndependencies = {dependencies:?}\n\
         optional-dependencies = {{ test = [\"pytest>=8\"], docs = [\"sphinx\"] }}\n\
         [build-system]\nrequires = [\"uv_build>=0.7.16\"]\nbuild-backend = \"uv_build\"\n\
         [dependency-groups]\ndev = [\"pytest\", \"ruff\"]\n"
    )
}
