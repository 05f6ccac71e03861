//! The complete example, in a fixture.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Fixture, Monorepo, Uv, programs::scratch};

impl Fixture {
    /// The example from the repository, in place of the fixture's own monorepo.
    pub fn example() -> Self {
        let fixture = Monorepo::new(Uv::Newest).build();
        let repository = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository");
        fs::remove_dir_all(fixture.root()).expect("the fixture's own directory");
        copy_sources(&repository.join("examples/hyperbench"), &fixture.root());
        fixture.replace("Cargo.toml", "../../uvenv-core", repository.join("uvenv-core").as_str());
        fixture
    }

    /// A directory for what cargo makes on the way (`CARGO_BUILD_BUILD_DIR`), which outlives the test, so that crates from
    /// elsewhere are compiled once. Two tests that build crates of one name at the same time need two directories in it:
    /// cargo tells crates apart by where they are in their workspace.
    pub fn cargo_build_dir(&self) -> Utf8PathBuf {
        scratch().join("cargo-build")
    }
}

/// Copies everything except build outputs.
fn copy_sources(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir(to).expect("a new directory");
    for entry in from.read_dir_utf8().expect("the example can be read") {
        let path = entry.expect("the example can be read").into_path();
        let name = path.file_name().expect("an entry has a name");
        if ["target", "uv.lock", "__pycache__"].contains(&name) || name.starts_with(".venv") {
            continue;
        }
        if path.is_dir() {
            copy_sources(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("the example can be copied");
        }
    }
}
