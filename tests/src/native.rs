//! Packages that are built from Rust.

use crate::Monorepo;

/// `pyproject.toml` of the distribution `fast-math`, the crate `fm-bindings`, the module `fm`: three names.
pub const MANIFEST: &str = r#"[project]
name = "fast-math"
version = "0.1.0"
requires-python = ">=3.9"

[build-system]
requires = ["maturin>=1.7,<2"]
build-backend = "maturin"

[tool.maturin]
module-name = "fm.native"
python-source = "python"
bindings = "cffi"
"#;

/// Its `Cargo.toml`.
pub const BINDINGS: &str = r#"[package]
name = "fm-bindings"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[features]
loud = []
cu124 = ["kernel-core/cu124"]
cu128 = ["kernel-core/cu128"]

[dependencies]
kernel-core = { path = "../../crates/kernel-core" }
"#;

/// Its source.
pub const BINDINGS_SOURCE: &str = r#"
#[unsafe(no_mangle)]
pub extern "C" fn value() -> i32 { kernel_core::VALUE }
#[unsafe(no_mangle)]
pub extern "C" fn backend() -> i32 { kernel_core::BACKEND }
#[unsafe(no_mangle)]
pub extern "C" fn debug() -> i32 { cfg!(debug_assertions).into() }
#[unsafe(no_mangle)]
pub extern "C" fn loud() -> i32 { cfg!(feature = "loud").into() }
"#;

/// The `Cargo.toml` of the crate behind it.
pub const CORE: &str = r#"[package]
name = "kernel-core"
version = "0.1.0"
edition = "2024"

[features]
cu124 = []
cu128 = []
"#;

/// The source of that.
pub const CORE_SOURCE: &str = r#"pub const VALUE: i32 = 1;
pub const BACKEND: i32 = match (cfg!(feature = "cu124"), cfg!(feature = "cu128")) {
    (true, true) => -1,
    (true, false) => 124,
    (false, true) => 128,
    (false, false) => 0,
};
"#;

/// A module that loads what is native of it.
pub const LOADED: &str = r#"import ctypes, glob, os
library = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(__file__), "**", "*.so"), recursive=True)[0])
"#;

/// Where that source is.
pub const SOURCE: &str = "crates/kernel-core/src/lib.rs";

/// The crates. A release is told from another build by its assertions, and need not be fast.
const WORKSPACE: &str = r#"[workspace]
resolver = "3"
members = ["crates/*", "packages/*"]

[profile.release]
codegen-units = 16
opt-level = 0
"#;

/// The manifest of the monorepo.
pub const MEMBERS: &str = r#"[project]
name = "bench"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["fast-math", "slow-math"]

[project.optional-dependencies]
cu124 = []
cu128 = []

[tool.uv]
package = false
conflicts = [[{ extra = "cu124" }, { extra = "cu128" }]]

[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
fast-math = { workspace = true }
slow-math = { workspace = true }
"#;

impl Monorepo {
    /// Two native packages, `fast-math` with a crate of the workspace behind it and `slow-math`, and two backends.
    pub fn native(self) -> Self {
        let other = BINDINGS.replace("fm-bindings", "sm-bindings");
        let other = other.split("[features]").next().unwrap();
        self.file("pyproject.toml", MEMBERS)
            .file("Cargo.toml", WORKSPACE)
            .file("crates/kernel-core/Cargo.toml", CORE)
            .file(SOURCE, CORE_SOURCE)
            .file("packages/fast/pyproject.toml", MANIFEST)
            .file("packages/fast/Cargo.toml", BINDINGS)
            .file("packages/fast/src/lib.rs", BINDINGS_SOURCE)
            .file("packages/fast/python/fm/__init__.py", LOADED)
            .file(
                "packages/slow/pyproject.toml",
                MANIFEST.replace("fast-math", "slow-math").replace("fm.native", "sm.native"),
            )
            .file("packages/slow/Cargo.toml", other)
            .file("packages/slow/src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn value() -> i32 { 5 }\n")
            .file("packages/slow/python/sm/__init__.py", LOADED)
    }
}
