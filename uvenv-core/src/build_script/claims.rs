//! The claims of build scripts on one environment, stored next to its journal and protected by its lock.
//!
//! They answer two questions: whether another crate of a running build requires a different backend, and which
//! modification time the files written by a sync may have.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::{BuildScriptError, parent};
use crate::{
    backend::Choice,
    environment::{Environment, Journal},
    fs::{atomic, cache::CacheError, digest::digest},
    monorepo::Monorepo,
};

/// What one build script requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EnvironmentClaim {
    pub(super) package: String,
    /// Distinguishes two builds of the same crate.
    pub(super) out_dir: Utf8PathBuf,
    pub(super) backend: Option<Choice>,
    /// The cargo process that runs the script; empty if it is unknown.
    pub(super) process: String,
}

/// The claims on an environment.
#[derive(Debug)]
pub(super) struct Claims {
    path: Utf8PathBuf,
    /// The current content of the file.
    text: Vec<u8>,
    kept: ClaimsFile,
}

/// The file's content.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ClaimsFile {
    claims: Vec<EnvironmentClaim>,
    /// The content of the generated files when a script last read them.
    content: String,
    /// The latest start time of a script that has seen this content.
    seen: Duration,
    /// The latest start time of a script that has seen only other content.
    missed: Duration,
}

impl Claims {
    /// Reads the claims on the environment of `journal`. A file that cannot be read is treated as if it did not exist
    /// yet.
    pub(super) fn read(journal: &Journal) -> Self {
        let path = journal.beside("build-scripts.json");
        let text = fs::read(&path).unwrap_or_default();
        let kept = serde_json::from_slice(&text).unwrap_or_default();
        Self { path, text, kept }
    }

    /// Adds a claim, unless it contradicts a claim of a running build.
    pub(super) fn add(
        &mut self,
        claim: EnvironmentClaim,
        monorepo: &Monorepo,
        environment: &Environment,
    ) -> crate::Result<()> {
        self.kept.claims.retain(|other| other.out_dir != claim.out_dir && parent::is_running(&other.process));
        if let Some(other) = self.kept.claims.iter().find(|other| other.backend != claim.backend) {
            return Err(conflict(other, &claim, monorepo, environment).into());
        }
        if !claim.process.is_empty() {
            self.kept.claims.push(claim);
        }
        Ok(())
    }

    /// Sets the modification time of the generated files to the start of the script that has just synced. Cargo then
    /// does not run this script again because of its own changes, but does run the scripts that were started earlier.
    ///
    /// If another script was started and ended between the start of this one and the change, both are not possible. The
    /// files then keep their new modification time, and this script runs once more.
    pub(super) fn settle(&mut self, invoked: SystemTime, generated: &[Utf8PathBuf]) {
        let started = invoked.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let content = content(generated);
        let ClaimsFile { seen, missed, .. } = self.kept;
        (self.kept.missed, self.kept.seen) =
            if content == self.kept.content { (missed, seen.max(started)) } else { (missed.max(seen), started) };
        self.kept.content = content;
        if started <= self.kept.missed {
            return;
        }
        for path in generated {
            let modified = path.metadata().and_then(|metadata| metadata.modified());
            if modified.is_ok_and(|modified| modified > invoked) {
                // If this process may not change the file, the script runs once more.
                let _ = File::options().write(true).open(path).and_then(|file| file.set_modified(invoked));
            }
        }
    }

    pub(super) fn write(&self) -> Result<(), CacheError> {
        let text = serde_json::to_vec(&self.kept).map_err(std::io::Error::from);
        let written =
            text.and_then(|text| if text == self.text { Ok(()) } else { atomic::replace_cached(&self.path, text) });
        written.map_err(CacheError::unusable(&self.path))
    }
}

fn conflict(
    first: &EnvironmentClaim,
    second: &EnvironmentClaim,
    monorepo: &Monorepo,
    environment: &Environment,
) -> BuildScriptError {
    let side = |claim: &EnvironmentClaim| (claim.package.clone(), claim.backend.clone().unwrap_or(Choice::None));
    let in_cargo = monorepo.cargo_manifest().is_some();
    BuildScriptError::Conflict {
        environment: monorepo.relative(environment.root()).to_owned(),
        claims: Box::new([side(first), side(second)]),
        configuration: if in_cargo {
            ("Cargo.toml", "workspace.metadata.uvenv")
        } else {
            ("pyproject.toml", "tool.uvenv")
        },
    }
}

/// Returns a hash of the files' contents. It must not depend on the compiler, because the build scripts that compare it
/// are compiled by different ones.
fn content(files: &[Utf8PathBuf]) -> String {
    let hashes = files.iter().map(|path| fs::read(path).map(|bytes| digest(&bytes)).unwrap_or_default());
    digest(hashes.collect::<Vec<_>>().join(" ").as_bytes())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::{fs::TestTree, model::Variables};

    struct Machine {
        root: TestTree,
        monorepo: Monorepo,
        environment: Environment,
    }

    impl Machine {
        fn new() -> Self {
            let root = TestTree::with(&[("pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n")]);
            let monorepo = Monorepo::discover(&root).unwrap();
            Self { monorepo, environment: Environment::new(root.join(".venv")), root }
        }

        fn with<T>(&self, act: impl FnOnce(&mut Claims) -> T) -> T {
            let cache = self.root.join("cache");
            let variables: Variables = [("UVENV_CACHE_DIR", cache.as_str())].into_iter().collect();
            let journal =
                Journal::open(&self.environment, &variables, &crate::process::Terminal { quiet: true }).unwrap();
            let mut claims = Claims::read(&journal);
            let result = act(&mut claims);
            claims.write().unwrap();
            result
        }

        fn add(&self, package: &str, backend: &str, process: &str) -> crate::Result<()> {
            let claim = EnvironmentClaim {
                package: package.to_owned(),
                out_dir: self.root.join(package),
                backend: Choice::parse(backend).ok(),
                process: process.to_owned(),
            };
            self.with(|claims| claims.add(claim, &self.monorepo, &self.environment))
        }

        fn file(&self) -> Utf8PathBuf {
            self.root.join("uv.lock")
        }

        /// Syncs in a script that was started at `second`. Returns whether cargo then considers its own file changed.
        fn sync(&self, second: u64) -> bool {
            let invoked = at(second);
            self.with(|claims| claims.settle(invoked, &[self.file()]));
            self.is_news(second)
        }

        fn is_news(&self, second: u64) -> bool {
            self.file().metadata().unwrap().modified().unwrap() > at(second)
        }
    }

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    #[test]
    fn claim_lasts_while_its_cargo_process_runs() {
        let machine = Machine::new();
        let cargo = parent::identity().unwrap();
        machine.add("first", "cu124", &cargo).unwrap();
        machine.add("second", "cu124", &cargo).unwrap();
        let error = machine.add("third", "cu128", &cargo).unwrap_err();
        assert_eq!(error.code(), "backend-conflict");
        assert_eq!(
            error.to_string(),
            "two GPU backends are selected for the environment `.venv`: `cu124` by the crate `first`, `cu128` by the crate \
             `third`"
        );
        assert!(error.help().unwrap().contains("`[tool.uvenv]` in `pyproject.toml`"));

        let machine = Machine::new();
        machine.add("first", "cu124", "1 not-its-start").unwrap();
        machine.add("first", "cu124", &cargo).unwrap();
        // The crate is rebuilt with other features.
        machine.add("first", "cu128", &cargo).unwrap();
    }

    #[test]
    fn claim_without_a_cargo_process_is_not_recorded() {
        let machine = Machine::new();
        machine.add("first", "cu124", "").unwrap();
        machine.add("second", "cu128", "").unwrap();
    }

    #[test]
    fn changes_rerun_only_scripts_of_earlier_builds() {
        let machine = Machine::new();
        fs::write(machine.file(), "1").unwrap();
        assert!(!machine.sync(100));
        // First a script of the same build, which waited; then one that was started later.
        assert!(!machine.sync(99));
        assert!(!machine.is_news(100));
        assert!(!machine.sync(200));
        fs::write(machine.file(), "2").unwrap();
        assert!(!machine.sync(300));
        assert!(machine.is_news(200));
    }

    #[test]
    fn change_reruns_a_script_that_ended_before_it() {
        let machine = Machine::new();
        fs::write(machine.file(), "1").unwrap();
        assert!(!machine.sync(100));
        // This script was started before the other one and changes something after it, so it runs once more.
        fs::write(machine.file(), "2").unwrap();
        assert!(machine.sync(50));
        assert!(machine.is_news(100));
        assert!(!machine.sync(150));
        assert!(machine.is_news(100));
    }
}
