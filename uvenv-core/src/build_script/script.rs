//! The information that cargo passes to the build script in variables.

use std::{ffi::OsString, time::SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use super::{BuildScriptError, claims::EnvironmentClaim, parent};
use crate::{
    Monorepo,
    backend::{BackendError, BuildFeatures, Choice, FeatureClaim},
    environment::EnvironmentError,
    model::{Name, Profile, Variables},
    monorepo::DiscoveryError,
    ops::{Session, Settings},
    uv::{UvError, variables::is_offline},
};

/// The build script that is running.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) variables: Variables,
    /// The name of the script's crate.
    pub(super) package: String,
    /// The directory of the script's crate.
    pub(super) directory: Utf8PathBuf,
    /// The directory for the files that the script generates.
    pub(super) out_dir: Utf8PathBuf,
    /// Whether the crate has `links`, so that other crates get its metadata.
    pub(super) has_links: bool,
    /// Whether the network must not be used.
    pub(super) is_offline: bool,
    /// When cargo started the script. Cargo considers everything that changes later as changed.
    pub(super) invoked: SystemTime,
}

impl Script {
    pub(super) fn new(variables: Variables) -> crate::Result<Self> {
        let path = |name: &'static str| {
            let path = variables.get_os(name).ok_or(BuildScriptError::NotABuildScript { variable: name })?;
            let path = path.to_str().ok_or_else(|| BuildScriptError::NotUnicode {
                variable: name,
                value: path.to_string_lossy().into_owned(),
            })?;
            Ok::<_, BuildScriptError>(Utf8PathBuf::from(path))
        };
        let (directory, out_dir) = (path("CARGO_MANIFEST_DIR")?, path("OUT_DIR")?);
        Ok(Self {
            package: variables.get("CARGO_PKG_NAME").unwrap_or_default().to_owned(),
            has_links: variables.get_os("CARGO_MANIFEST_LINKS").is_some(),
            is_offline: is_offline(&variables) || parent::is_offline(),
            invoked: invoked(&out_dir),
            directory,
            out_dir,
            variables,
        })
    }

    /// Returns the profile that the variable names, or dev.
    pub(super) fn profile(&self) -> crate::Result<Profile> {
        Ok(Monorepo::profile_of_variables(&self.variables)?.unwrap_or(Profile::Dev))
    }

    /// Returns the monorepo that contains the crate.
    pub(super) fn monorepo(&self) -> crate::Result<Monorepo> {
        // A published crate has no monorepo, even below a directory that happens to be a project, such as a home
        // directory.
        let has = |name: &str| self.directory.join(name).exists();
        if ["Cargo.toml.orig", ".cargo-ok", ".cargo-checksum.json"].into_iter().any(has) {
            return Err(DiscoveryError::NotFound { start: self.directory.clone() }.into());
        }
        Monorepo::discover(&self.directory)
    }

    /// Returns the features with which Cargo builds the crate.
    pub(super) fn features(&self) -> BuildFeatures {
        let claim = |backend, package: &str| FeatureClaim { backend, package: package.to_owned() };
        let own = self.variables.names().filter_map(|name| name.strip_prefix("CARGO_FEATURE_"));
        let core = [(cfg!(feature = "cu124"), "cu124"), (cfg!(feature = "cu128"), "cu128")];
        let core = core.into_iter().filter_map(|(is_on, name)| Name::parse(name).filter(|_| is_on));
        BuildFeatures {
            own: own.filter_map(Name::parse).map(|name| claim(name, &self.package)).collect(),
            core: core.map(|name| claim(name, "uvenv-core")).collect(),
        }
    }

    /// Returns the claim of this script on an environment.
    pub(super) fn claim(&self, backend: Option<Choice>) -> EnvironmentClaim {
        EnvironmentClaim {
            package: self.package.clone(),
            out_dir: self.out_dir.clone(),
            backend,
            process: parent::identity().unwrap_or_default(),
        }
    }

    pub(super) fn session(&self) -> Session {
        let settings = Settings::new(self.variables.clone(), self.directory.clone(), self.is_offline);
        Session::new(Settings { child_variables: self.child_variables(), ..settings })
    }

    /// What uv, and a cargo that builds native packages below it, see otherwise than this script: none of what cargo says
    /// to this script about this crate, and another target directory, because the lock of this one is held by the cargo
    /// that waits for us.
    fn child_variables(&self) -> Vec<(String, Option<OsString>)> {
        let said = self.variables.names().filter(|name| is_about_this_crate(name));
        let target = self.target_directory();
        said.map(|name| (name.to_owned(), None))
            .chain(
                ["CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"]
                    .map(|name| (name.to_owned(), Some(target.clone().into()))),
            )
            .collect()
    }

    /// A target directory beside cargo's `build`, in which `OUT_DIR` is.
    fn target_directory(&self) -> Utf8PathBuf {
        let build = self.out_dir.ancestors().find(|path| path.file_name() == Some("build"));
        let place = build.or(Some(&self.out_dir)).and_then(Utf8Path::parent).unwrap_or(&self.out_dir);
        place.join(".uvenv")
    }

    /// Adds help for build scripts to `error`, because much of the command line's own help is about its options.
    pub(super) fn explain(&self, error: crate::Error, monorepo: Option<&Monorepo>) -> crate::Error {
        let Some(help) = self.help(&error, monorepo) else { return error };
        BuildScriptError::Sync { error: Box::new(error), help }.into()
    }

    fn help(&self, error: &crate::Error, monorepo: Option<&Monorepo>) -> Option<String> {
        let package = &self.package;
        let root = monorepo.map_or(self.directory.as_path(), |monorepo| &monorepo.root);
        let backend = error.downcast_ref::<BackendError>();
        let uv = error.downcast_ref::<UvError>();
        Some(if matches!(backend, Some(BackendError::Required { .. } | BackendError::NothingFits { .. })) {
            format!(
                "enable a feature with one of these names in the crate, or in `uvenv-core` if `{package}` has none; or \
                 set `UVENV_BACKEND` to one of them, or to `none` to use no backend"
            )
        } else if matches!(backend, Some(BackendError::Conflict { .. })) {
            "keep one of them: disable a feature (`--no-default-features` disables the default features of a crate), or \
             unset the variable"
                .to_owned()
        } else if matches!(error.downcast_ref(), Some(DiscoveryError::NotFound { .. })) {
            format!(
                "build `{package}` inside its monorepo; if it does not require Python elsewhere, use \
                 `Sync::new().optional()` in its `build.rs`"
            )
        } else if matches!(error.downcast_ref(), Some(EnvironmentError::Broken { .. })) {
            format!("run `cargo uvenv sync --recreate` in `{root}`, and build again")
        } else if matches!(uv, Some(UvError::NotFound { .. } | UvError::NotAProgram { .. })) {
            "install uv, set `UVENV_UV` to its path, or run `cargo uvenv sync`, which downloads uv".to_owned()
        } else if self.is_offline && matches!(uv, Some(UvError::Failed { .. })) {
            format!("cargo is offline, so uv was offline too: run `cargo uvenv sync` in `{root}` with network access")
        } else {
            return None;
        })
    }
}

/// Whether cargo has set the variable only for this script or its crate. The settings of cargo itself are kept: the
/// location of its home, registries, a caching wrapper of rustc.
fn is_about_this_crate(name: &str) -> bool {
    const PREFIXES: [&str; 6] =
        ["CARGO_FEATURE_", "CARGO_CFG_", "CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_TRIM_PATHS_", "DEP_"];
    const NAMES: [&str; 15] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MAKEFLAGS",
        "CLIPPY_ARGS",
        "DEBUG",
        "HOST",
        "MAKEFLAGS",
        "MFLAGS",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC",
        "RUSTC_LINKER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOC",
    ];
    name == "TARGET" || NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns when cargo started the script. Cargo then writes a file next to `OUT_DIR`, and compares all other files with
/// it.
fn invoked(out_dir: &Utf8Path) -> SystemTime {
    let stamp = out_dir.parent().map(|parent| parent.join("invoked.timestamp"));
    let modified = |path: &Utf8Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    stamp.and_then(|stamp| modified(&stamp)).or_else(|| modified(out_dir)).unwrap_or_else(SystemTime::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(more: &[(&str, &str)]) -> Script {
        let cargo = [
            ("CARGO_MANIFEST_DIR", "/repo/crates/a"),
            ("OUT_DIR", "/repo/target/release/build/a-0123/out"),
            ("CARGO_PKG_NAME", "a"),
        ];
        Script::new(cargo.iter().chain(more).copied().collect()).unwrap()
    }

    #[test]
    fn rejects_use_outside_of_a_build_script() {
        for (name, value) in [("OUT_DIR", "/out"), ("CARGO_MANIFEST_DIR", "/repo")] {
            let error = Script::new([(name, value)].into_iter().collect()).unwrap_err();
            assert_eq!(error.code(), "not-a-build-script");
        }
    }

    #[test]
    fn child_processes_get_user_variables_but_not_cargos_own() {
        let of_the_crate = [
            ("CARGO_FEATURE_CU124", "1"),
            ("CARGO_CFG_UNIX", ""),
            ("CARGO_ENCODED_RUSTFLAGS", ""),
            ("CARGO_MAKEFLAGS", "-j --jobserver-auth=3,4"),
            ("DEP_Z_ROOT", "/z"),
            ("PROFILE", "release"),
            ("RUSTC_WORKSPACE_WRAPPER", "clippy-driver"),
            ("TARGET", "x86_64-unknown-linux-gnu"),
        ];
        let of_the_user = [
            ("CARGO", "/bin/cargo"),
            ("CARGO_HOME", "/home/u/.cargo"),
            ("CARGO_NET_GIT_FETCH_WITH_CLI", "true"),
            ("CARGO_REGISTRIES_MINE_TOKEN", "t"),
            ("RUSTC_WRAPPER", "sccache"),
            ("RUSTUP_TOOLCHAIN", "stable"),
            ("UV_INDEX_URL", "https://h"),
        ];
        let children = script(&[&of_the_crate[..], &of_the_user].concat()).child_variables();
        let change = |name: &str| children.iter().find(|(changed, _)| changed == name).map(|(_, value)| value.clone());
        for (name, _) in of_the_crate {
            assert_eq!(change(name), Some(None), "{name}");
        }
        for (name, _) in of_the_user {
            assert_eq!(change(name), None, "{name}");
        }
        for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"] {
            assert_eq!(change(name), Some(Some("/repo/target/release/.uvenv".into())), "{name}");
        }
    }

    #[test]
    fn reads_features_as_normalised_names() {
        let features = script(&[("CARGO_FEATURE_ROCM6_2", "1"), ("CARGO_FEATURE_", "1")]).features();
        let names: Vec<_> = features.own.iter().map(|claim| claim.backend.as_str()).collect();
        assert_eq!(names, ["rocm6-2"]);
        assert!(features.own.iter().all(|claim| claim.package == "a"));
    }

    #[test]
    fn rejects_an_unknown_profile_in_the_variable() {
        assert_eq!(script(&[]).profile().unwrap(), Profile::Dev);
        assert_eq!(script(&[("UVENV_PROFILE", "prod")]).profile().unwrap(), Profile::Prod);
        let error = script(&[("UVENV_PROFILE", "production")]).profile().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the variable `UVENV_PROFILE` is not valid: `production` is not one of `dev`, `staging` and `prod`"
        );
    }
}
